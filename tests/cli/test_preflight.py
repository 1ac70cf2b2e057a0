"""`perfdb preflight`, against real services, fit and unfit."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perfdb.errors import PerfdbError
from perfdb.services.addresses import Address
from perfdb.services.connection import Connection, put
from perfdb.services.envoy import Balancer, config_yaml, find_envoy
from perfdb.services.envoy import admin as asked
from tests.services.serving import PERFDB, free_port, lean_server, program, within

NOBODY = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}  # a proxy is never asked


def preflight(folder: Path, *argv: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, document, and what was said besides."""
    done = subprocess.run(
        [PERFDB, "preflight", *argv, "--json"],
        cwd=folder,
        env={**os.environ, **NOBODY},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def states(document: dict[str, Any]) -> dict[str, str]:
    """What each check came to."""
    return {check["about"]: check["state"] for check in document["checks"]}


def failed(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The checks that failed; each says what to do."""
    found = {check["about"]: check for check in document["checks"] if check["state"] == "failed"}
    assert all(check["do"] for check in found.values())
    return found


@pytest.fixture(scope="module")
def backends() -> Iterator[list[Address]]:
    """Two servers that are well."""
    with lean_server("127.0.0.31") as first, lean_server("127.0.0.32") as second:
        yield [first, second]


class Envoy:
    """A real Envoy whose config can be spoilt."""

    def __init__(self, folder: Path, backends: list[Address]) -> None:
        self.folder = folder
        self.listener, self.admin = Address("127.0.0.1", free_port()), Address("127.0.0.1", free_port())
        self._balancer = Balancer(self.listener, self.admin, tuple(backends))
        put(folder / "openenv-connection.env", self.connection(backends).text())

    def connection(self, backends: list[Address]) -> Connection:
        return Connection(self.listener.url, tuple(backends), self.admin.host, self.admin.port)

    def running(self, *spoilt: tuple[str, str]) -> Any:
        text = config_yaml(self._balancer)
        for good, bad in spoilt:
            assert good in text
            text = text.replace(good, bad)
        path = self.folder / "envoy.yaml"
        path.write_text(text)
        return program(find_envoy(), "-c", path, "--use-dynamic-base-id", "-l", "error")

    def is_up(self) -> bool:
        try:
            return asked.clusters(self.admin).healthy == len(self._balancer.backends)
        except PerfdbError:
            return False


@pytest.fixture
def envoy(tmp_path: Path, backends: list[Address]) -> Envoy:
    return Envoy(tmp_path, backends)


def test_a_service_that_is_well_is_fit(envoy: Envoy):
    with envoy.running():
        within(20, envoy.is_up)
        code, told, _ = preflight(envoy.folder, envoy.listener.url, "--expected-hosts", "2")
    assert (code, told["fit"], told["url"]) == (0, True, envoy.listener.url)
    assert set(states(told).values()) == {"ok"}
    assert list(states(told)) == [
        *("workers", "service", "way", "envoy", "breakers", "health checks", "upgrades"),
        *("files", "ports", "envoy's files", "sessions", "hosts", "counted"),
    ]


def test_a_workers_own_address_is_told_apart_from_the_balancers(envoy: Envoy, backends: list[Address]):
    with envoy.running():
        within(20, envoy.is_up)
        code, told, _ = preflight(envoy.folder, backends[0].url)
    assert code == 5
    assert set(failed(told)) == {"way", "hosts", "counted"}
    assert "is one worker, not the balancer" in failed(told)["way"]["found"]
    assert envoy.listener.url in failed(told)["way"]["do"]
    assert failed(told)["hosts"]["found"].startswith("1 host answered")


@pytest.mark.parametrize(
    ("about", "good", "bad"),
    [
        ("breakers", "max_connections: 1000000", "max_connections: 1024"),
        ("breakers", "max_requests: 1000000", "max_requests: 1024"),
        ("health checks", "no_traffic_interval: 1s", "no_traffic_interval: 60s"),
        ("health checks", "interval: 1s\n", "interval: 30s\n"),
        ("upgrades", "delayed_close_timeout: 0s", "delayed_close_timeout: 1s"),
    ],
)
def test_a_setting_of_envoy_that_would_spoil_a_run_is_found(envoy: Envoy, about: str, good: str, bad: str):
    with envoy.running((good, bad)):
        within(20, envoy.is_up)
        code, told, _ = preflight(envoy.folder, envoy.listener.url, "--sessions", "2000")
    assert (code, told["fit"]) == (5, False)
    assert set(failed(told)) == {about}


def test_an_envoy_that_passes_no_websocket_on_is_found_by_its_config_and_by_the_sessions(envoy: Envoy):
    with envoy.running(("upgrade_type: websocket", "upgrade_type: CONNECT-UDP")):
        within(20, envoy.is_up)
        code, told, _ = preflight(envoy.folder, envoy.listener.url)
    assert code == 5
    assert set(failed(told)) == {"upgrades", "sessions"}


def test_a_backend_that_is_dead_is_named_with_envoys_reason(tmp_path: Path, backends: list[Address]):
    dead = Address("127.0.0.33", free_port("127.0.0.33"))
    envoy = Envoy(tmp_path, [*backends, dead])
    with envoy.running():
        within(20, lambda: _healthy(envoy) == 2)
        code, told, _ = preflight(tmp_path, envoy.listener.url)
    assert code == 5
    assert set(failed(told)) == {"workers", "envoy", "hosts"}
    assert str(dead) in failed(told)["workers"]["found"]
    assert f"{dead}: failed_active_health_check" in failed(told)["envoy"]["found"]


def _healthy(envoy: Envoy) -> int:
    try:
        return asked.clusters(envoy.admin).healthy
    except PerfdbError:
        return 0


def test_more_sessions_than_this_machine_can_hold_are_refused_with_the_remedy(envoy: Envoy):
    with envoy.running():
        within(20, envoy.is_up)
        code, told, _ = preflight(envoy.folder, envoy.listener.url, "--sessions", "9000000")
    assert code == 5
    assert {"files", "ports", "breakers", "envoy's files"} == set(failed(told))
    assert "ulimit -Hn" in failed(told)["files"]["do"]


def test_a_single_server_is_fit_without_a_balancer(tmp_path: Path, backends: list[Address]):
    code, told, _ = preflight(tmp_path, backends[0].url)
    assert (code, told["fit"]) == (0, True)
    assert states(told)["envoy"] == states(told)["workers"] == states(told)["way"] == "skipped"
    assert states(told)["hosts"] == "ok"
    [hosts] = [one["found"] for one in told["checks"] if one["about"] == "hosts"]
    assert hosts.startswith("1 host answered, 20 sessions;")


def test_a_server_at_capacity_is_found(tmp_path: Path):
    with lean_server("127.0.0.34", capacity=1) as address:
        code, told, _ = preflight(tmp_path, address.url)
    assert code == 5
    assert "Server at capacity" in failed(told)["sessions"]["found"]
    assert "MAX_CONCURRENT_ENVS" in failed(told)["sessions"]["do"]


def test_where_nothing_listens_every_line_says_so_and_nothing_hangs(tmp_path: Path):
    code, told, _ = preflight(
        tmp_path, f"http://127.0.0.1:{free_port()}", "--expected-hosts", "2", "--admin", "127.0.0.1:9"
    )
    assert code == 5
    assert {"service", "envoy", "sessions"} <= set(failed(told))


def test_a_file_of_another_service_is_left_alone(envoy: Envoy, tmp_path: Path):
    with lean_server("127.0.0.35") as other:
        code, told, said = preflight(tmp_path, other.url)
    assert (code, states(told)["workers"]) == (0, "skipped")
    assert said.splitlines() == [
        f"warning: openenv-connection.env, which lies here, was left alone: it tells of {envoy.listener.url}"
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00\x1b[31m" * 100,
        b"x" * 1_100_000,
        b"OPENENV_URL=https://n0/path\nWORKER_URLS=http://n1:8000\nENVOY_NODE=n0\n",
        b"OPENENV_URL=http://n0:1\nWORKER_URLS=http://n1:99999\nENVOY_NODE=n0\n",
    ],
)
def test_a_file_that_lies_there_by_chance_breaks_nothing_and_is_named_in_one_line(
    tmp_path: Path, backends: list[Address], content: bytes
):
    (tmp_path / "openenv-connection.env").write_bytes(content)
    code, told, said = preflight(tmp_path, backends[0].url)
    assert (code, told["fit"], states(told)["workers"]) == (0, True, "skipped")
    [line] = said.splitlines()
    assert line.startswith("warning: openenv-connection.env, which lies here, was left alone: ")
    code, _, said = preflight(tmp_path, backends[0].url, "--connection", "openenv-connection.env")
    assert code in (1, 5)  # one that is named is meant


def test_a_pipe_in_place_of_the_file_does_not_hold_us(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.env")
    code, told, said = preflight(tmp_path, "http://127.0.0.1:8000", "--connection", "pipe.env")
    assert (code, told) == (1, {})
    assert "pipe.env is no file" in said


def test_a_file_that_is_named_must_be_there(tmp_path: Path):
    code, told, said = preflight(tmp_path, "http://127.0.0.1:8000", "--connection", "none.env")
    assert (code, told) == (1, {})
    assert "none.env cannot be read" in said


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:8000",
        "http://",
        "http://a b:1",
        "http://u@h:1",
        "http://h:99999",
        "ftp://h",
        "http://h/path",
        "http://h?x=1",
    ],
)
def test_what_is_no_url_of_a_service_is_wrong_usage(tmp_path: Path, url: str):
    code, told, said = preflight(tmp_path, url)
    assert (code, told) == (2, {})
    assert "http://127.0.0.1:8000" in said or "127.0.0.1" in said


def test_on_a_terminal_each_check_is_a_line_that_ends_with_the_remedy(tmp_path: Path):
    done = subprocess.run(
        [PERFDB, "preflight", f"http://127.0.0.1:{free_port()}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 5
    assert any(
        line.startswith("FAILED  service ") and " -> start it with `perfdb serve multi`" in line for line in lines
    )
    assert lines[-1] == "not fit to be measured"

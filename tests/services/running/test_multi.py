"""Several backends behind the real Envoy: even, watched, and gone whatever is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from perfdb.errors import ServiceError
from perfdb.services.addresses import Address
from perfdb.services.connection import Connection
from perfdb.services.envoy import admin
from tests.services.serving import (
    HOSTS,
    PERFDB,
    RESET,
    family,
    free_port,
    gone,
    kill,
    multi,
    observation,
    program,
    step,
    talk,
    within,
)


def _address(url: str) -> Address:
    return Address.parsed(url.removeprefix("http://"))


def crowd(address: Address, count: int, wait_s: float) -> tuple[Counter[str], Counter[str]]:
    """So many sessions at once: which hosts answered, and what went wrong."""

    async def all_of_them() -> tuple[Counter[str], Counter[str]]:
        hosts: Counter[str] = Counter()
        errors: Counter[str] = Counter()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:

            async def one() -> None:
                try:
                    async with asyncio.timeout(60), client.ws_connect(f"ws://{address}/ws") as held:
                        await held.send_json(RESET)
                        await held.receive_json()
                        await held.send_json(step(wait_s))
                        hosts[observation(await held.receive_json())["host_url"]] += 1
                except (aiohttp.ClientError, TypeError, TimeoutError) as error:
                    errors[type(error).__name__] += 1

            await asyncio.gather(*(one() for _ in range(count)))
        return hosts, errors

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("backends", [2, 3])
def test_sessions_are_spread_evenly_from_the_first_one_on(tmp_path: Path, backends: int):
    with multi(tmp_path, "--lean", "--backends", str(backends)) as (_, told):
        before = _counts(told)
        hosts, errors = crowd(_address(told["url"]), 100 * backends, 0)
        passed_on = _counts(told) - before
    assert not errors
    assert set(hosts) == {one["host_url"] for one in told["backends"]}
    assert max(hosts.values()) - min(hosts.values()) <= 5
    assert passed_on == hosts


def _counts(told: dict[str, Any]) -> Counter[str]:
    """Sessions and requests that Envoy passed on to each backend so far; one is perfdb's own, to see whether it is up."""
    backends = admin.clusters(_address(told["admin"])).backends
    return Counter({backend.address: backend.requests for backend in backends})


def test_three_real_backends_answer_six_hundred_sessions_within_five_percent(tmp_path: Path):
    with multi(tmp_path, "--max-concurrent-envs", "300") as (_, told):
        hosts, errors = crowd(_address(told["url"]), 600, 1.0)
        counted = admin.stats(_address(told["admin"]))
    assert not errors
    assert len(hosts) == 3
    assert sum(hosts.values()) == 600
    assert (max(hosts.values()) - min(hosts.values())) / 200 <= 0.05
    assert (counted.overflow_503, counted.none_healthy_503, counted.panics, counted.retries) == (0, 0, 0, 0)


def test_the_connection_file_and_the_document_say_the_same(tmp_path: Path):
    with multi(tmp_path, "--lean", "--backends", "2") as (_, told):
        kept = Connection.read(tmp_path / "openenv-connection.env")
        assert kept.url == told["url"]
        assert [worker.url for worker in kept.workers] == [one["url"] for one in told["backends"]]
        assert Address(kept.envoy_node, kept.admin_port).url == told["admin"]
        assert (tmp_path / "envoy-config-generated.yaml").read_text().count("- endpoint:") == 2
        for one in told["backends"]:
            assert observation(talk(_address(one["url"]), RESET)[0])["pid"] == one["pid"]
        assert psutil.Process(told["envoy_pid"]).name().startswith("envoy")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".perfdb", "envoy-config-generated.yaml"]


def test_envoy_reads_a_config_of_its_own_of_which_the_folder_holds_a_copy(tmp_path: Path):
    with multi(tmp_path, "--lean", "--backends", "1") as (_, told):
        config = tmp_path / ".perfdb" / "serve" / f"{_address(told['url']).port}.yaml"
        assert str(config) in psutil.Process(told["envoy_pid"]).cmdline()
        assert config.read_text() == (tmp_path / "envoy-config-generated.yaml").read_text()


def second(folder: Path, root: Path, port: int, admin_port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PERFDB, "serve", "multi", "--lean", "--port", str(port), "--admin-port", str(admin_port)],
        cwd=folder,
        env={**os.environ, "PERFDB_ROOT": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_second_service_in_one_folder_is_refused_and_the_first_one_is_none_the_worse(tmp_path: Path):
    with multi(tmp_path, "--lean", "--backends", "1") as (_, told):
        kept = (tmp_path / "openenv-connection.env").read_bytes()
        done = second(tmp_path, tmp_path / "elsewhere", free_port(*HOSTS), free_port())
        assert done.returncode == 1
        assert done.stderr.count("perfdb: ") == 1
        assert "or start this one in another folder" in done.stderr
        assert (tmp_path / "openenv-connection.env").read_bytes() == kept
        assert observation(talk(_address(told["url"]), RESET)[0])["host_url"] == told["backends"][0]["host_url"]


def test_of_two_that_start_at_once_in_one_folder_one_comes_up_and_is_the_one_that_the_file_names(tmp_path: Path):
    ports = [(free_port(*HOSTS), free_port()) for _ in range(2)]
    argv = [PERFDB, "serve", "multi", "--lean", "--backends", "2"]
    environment = {**os.environ, "PERFDB_ROOT": str(tmp_path)}
    with contextlib.ExitStack() as stack:
        both = [
            stack.enter_context(
                program(*argv, "--port", f"{port}", "--admin-port", f"{admin_port}", cwd=tmp_path, env=environment)
            )
            for port, admin_port in ports
        ]
        [refused] = within(60, lambda: [number for number, one in enumerate(both) if one.poll() is not None])
        within(60, (tmp_path / "openenv-connection.env").exists)
        told = Connection.read(tmp_path / "openenv-connection.env")
        port, admin_port = ports[1 - refused]
        assert told.url == f"http://127.0.0.1:{port}"
        assert admin.clusters(Address("127.0.0.1", admin_port)).healthy == 2
        assert "or start this one in another folder" in both[refused].communicate()[1]


def test_an_older_services_file_is_gone_before_the_new_one_is_up_and_one_that_was_changed_stays(tmp_path: Path):
    path = tmp_path / "openenv-connection.env"
    path.write_text("an older one")
    with multi(tmp_path, "--lean", "--backends", "1"):
        assert "OPENENV_URL" in path.read_text()
        path.write_text("mine")
    assert path.read_text() == "mine"
    second(tmp_path, tmp_path, 1, 1)  # refused before it touches anything
    assert path.read_text() == "mine"
    port = free_port(*HOSTS)
    options = ["--port", str(port), "--admin-port", str(free_port()), "--backends", "1"]
    environment = {**os.environ, "PERFDB_ROOT": str(tmp_path)}
    with program(PERFDB, "serve", "multi", *options, cwd=tmp_path, env=environment) as running:
        within(30, lambda: not path.exists())
        running.kill()


def test_the_log_of_a_service_that_runs_outlives_a_second_start_on_its_port(tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    with multi(tmp_path, "--lean", "--backends", "1") as (_, told):
        port = _address(told["url"]).port
        done = second(other, tmp_path, port, free_port())
        assert done.returncode == 1
        assert "listens on" in done.stderr
        assert (tmp_path / ".perfdb" / "serve" / f"{port}.jsonl").exists()


def test_a_lock_whose_owner_was_killed_keeps_nobody_out(tmp_path: Path):
    with multi(tmp_path, "--lean", "--backends", "1") as (running, _):
        all_of_it = family(running.pid)
        running.kill()
        running.wait()
        within(20, lambda: gone(all_of_it))
    with multi(tmp_path, "--lean", "--backends", "1"):
        assert (tmp_path / "openenv-connection.env").exists()


def test_a_backend_that_is_killed_is_ejected_and_taken_back(tmp_path: Path):
    with multi(tmp_path, "--lean", "--restart-after", "4") as (running, told):
        where, admin_at = _address(told["url"]), _address(told["admin"])
        kill(told["backends"][1]["pid"])
        within(10, lambda: admin.clusters(admin_at).healthy == 2)
        hosts, errors = crowd(where, 60, 0)
        assert not errors
        assert told["backends"][1]["host_url"] not in hosts
        assert admin.stats(admin_at).health_failures >= 2
        within(30, lambda: admin.clusters(admin_at).healthy == 3)
        hosts, errors = crowd(where, 60, 0)
        assert not errors
        assert len(hosts) == 3
        running.terminate()
        said = running.communicate(timeout=30)[1]
    assert f"backend {told['backends'][1]['host_url']} ended with code -9" in said
    assert f"backend {told['backends'][1]['host_url']} was started again" in said


def test_without_envoy_there_is_no_service(tmp_path: Path):
    with multi(tmp_path, "--lean", "--backends", "1") as (running, told):
        all_of_it = family(running.pid)
        kill(told["envoy_pid"])
        said = running.communicate(timeout=30)[1]
        assert running.returncode == 1
        assert "envoy ended with code -9" in said
        assert "the service ended by itself: envoy ended with code -9. " in said
        within(10, lambda: gone(all_of_it))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_when_it_is_told_to_and_all_that_it_started(tmp_path: Path, number: signal.Signals):
    with multi(tmp_path, "--lean", "--backends", "2") as (running, _):
        all_of_it = family(running.pid)
        assert len(all_of_it) == 6
        running.send_signal(number)
        said = running.communicate(timeout=30)[1]
        assert (running.returncode, "Traceback" in said) == (0, False)
        assert "ended, and all that it started" in said
        assert gone(all_of_it)


def test_interrupted_before_it_is_up_it_says_so_and_leaves_nothing(tmp_path: Path):
    port, admin_port = free_port(*HOSTS), free_port()
    options = ["--port", str(port), "--admin-port", str(admin_port), "--backends", "2"]
    with program(
        PERFDB, "serve", "multi", *options, cwd=tmp_path, env={**os.environ, "PERFDB_ROOT": str(tmp_path)}
    ) as running:
        within(30, lambda: len(family(running.pid)) == 6)
        all_of_it = family(running.pid)
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=30)[1]
        assert (running.returncode, "Traceback" in said, "interrupted" in said) == (130, False, True)
        assert gone(all_of_it)
    assert not (tmp_path / "openenv-connection.env").exists()


# Which of: perfdb, its supervisor, the group; the backends and Envoy are below it.
@pytest.mark.parametrize("killed", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_whatever_is_killed_nothing_is_left(tmp_path: Path, killed: tuple[int, ...], workers: str):
    with multi(tmp_path, "--lean", "--backends", "2", "--workers", workers) as (running, told):
        all_of_it = family(running.pid)
        for number in killed:
            kill(all_of_it[number].pid)
        within(20, lambda: gone(all_of_it))
        for url in (told["url"], told["admin"]):
            with pytest.raises(OSError, match="refused"), socket.create_connection(_pair(url), 5):
                pass


def _pair(url: str) -> tuple[str, int]:
    address = _address(url)
    return address.host, address.port


@pytest.mark.drill
def test_killed_at_any_moment_of_its_start_it_leaves_nothing(tmp_path: Path, drill_share: float):
    """The real backends and two processes each, which take a while to start."""
    moments = 40
    for moment in range(0, moments, max(1, round(1 / drill_share))):
        port, admin_port = free_port(*HOSTS), free_port()
        options = ["--port", str(port), "--admin-port", str(admin_port), "--backends", "2", "--workers", "2"]
        environment = {**os.environ, "PERFDB_ROOT": str(tmp_path), "PERFDB_TEST_SERVICE": f"{port}"}
        with program(PERFDB, "serve", "multi", *options, cwd=tmp_path, env=environment) as running:
            time.sleep(4 * moment / moments)  # a moment, not a wait: the start is interrupted there
            running.kill()
            within(30, lambda port=port: not _with_environment(f"{port}"))


def _with_environment(value: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PERFDB_TEST_SERVICE") == value and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("taken", ["listener", "admin", "backend"])
def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path, taken: str):
    port, admin_port = free_port(*HOSTS), free_port()
    host, where = {"listener": ("127.0.0.1", port), "admin": ("127.0.0.1", admin_port), "backend": ("127.0.0.3", port)}[
        taken
    ]
    with socket.create_server((host, where)):
        done = subprocess.run(
            [PERFDB, "serve", "multi", "--lean", "--port", str(port), "--admin-port", str(admin_port)],
            cwd=tmp_path,
            env={**os.environ, "PERFDB_ROOT": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"something listens on {host}:{where} already. See who with `ss -ltnp 'sport = :{where}'`" in done.stderr
    assert not list(tmp_path.glob("*.env"))


def test_nothing_is_healthy_where_nobody_listens():
    with pytest.raises(ServiceError, match=r"does not answer: .*refused"):
        admin.clusters(Address("127.0.0.1", free_port()))

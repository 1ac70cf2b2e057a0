"""`perfdb serve`, as a user types it; services that run are in tests/services/running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from perfdb.services.addresses import Address
from perfdb.services.asking import is_healthy
from tests.services.serving import (
    PATIENCE_S,
    PERFDB,
    RESET,
    family,
    free_port,
    gone,
    kill,
    lean_server,
    observation,
    program,
    stats,
    step,
    talk,
    within,
)


def run(folder: Path, *argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PERFDB, "serve", *argv],
        cwd=folder,
        env={**os.environ, "PERFDB_ROOT": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("kind", ["benchmark", "lean"])
def test_a_server_takes_the_runbooks_variables(tmp_path: Path, kind: str):
    address = Address("127.0.0.1", free_port())
    environment = {**os.environ, "PORT": str(address.port), "WORKERS": "2", "MAX_CONCURRENT_ENVS": "3"}
    with program(PERFDB, "serve", kind, cwd=tmp_path, env=environment) as server:
        within(PATIENCE_S, lambda: is_healthy(address))
        assert observation(talk(address, RESET, step(0))[1])["host_url"] == str(address)
        workers = [p for p in family(server.pid)[1:] if "resource_tracker" not in " ".join(p.cmdline())]
        assert len(workers) == 2
        server.send_signal(signal.SIGTERM)
        said = server.communicate(timeout=30)[1]
        assert server.returncode == 0
        assert address.url in said
        assert "Traceback" not in said


def test_a_flag_counts_before_a_variable(tmp_path: Path):
    address = Address("127.0.0.1", free_port())
    environment = {**os.environ, "PORT": "1"}
    with program(PERFDB, "serve", "lean", "--port", str(address.port), cwd=tmp_path, env=environment):
        within(PATIENCE_S, lambda: is_healthy(address))


def test_workers_of_a_benchmark_server_that_is_killed_are_gone_too(tmp_path: Path):
    address = Address("127.0.0.1", free_port())
    options = ["--port", str(address.port), "--workers", "2"]
    with program(PERFDB, "serve", "benchmark", *options, cwd=tmp_path) as server:
        within(PATIENCE_S, lambda: is_healthy(address))
        all_of_it = family(server.pid)
        assert len(all_of_it) > 2
        kill(server.pid)
        within(20, lambda: gone(all_of_it[1:]))


def test_planned_faults_reach_the_server(tmp_path: Path):
    address = Address("127.0.0.1", free_port())
    options = ["--delay-ms", "1", "--delay-share", "1", "--port", str(address.port)]
    with program(PERFDB, "serve", "lean", *options, cwd=tmp_path):
        within(PATIENCE_S, lambda: is_healthy(address))
        talk(address, step(0))
        assert stats(address)["steps_delayed"] == 1


def test_a_balancer_waits_for_its_backends_and_tells_of_them(tmp_path: Path):
    with lean_server("127.0.0.36") as first, lean_server("127.0.0.37") as second:
        port, admin = free_port(), free_port()
        options = [
            "--backend",
            str(first),
            "--backend",
            str(second),
            "--port",
            str(port),
            "--admin-port",
            str(admin),
            "--json",
        ]
        environment = {**os.environ, "PERFDB_ROOT": str(tmp_path)}
        with program(PERFDB, "serve", "balancer", *options, cwd=tmp_path, env=environment) as running:
            within(PATIENCE_S, (tmp_path / "openenv-connection.env").exists)
            hosts = {observation(talk(Address("127.0.0.1", port), RESET)[0])["host_url"] for _ in range(20)}
            assert hosts == {str(first), str(second)}
            running.terminate()
            told = json.loads(running.communicate(timeout=30)[0])
    assert [one["url"] for one in told["backends"]] == [first.url, second.url]
    assert [one["pid"] for one in told["backends"]] == [None, None]  # they are not its own


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["balancer", "--backend", "x y:1"], "is no address"),
        (["balancer", "--backend", "127.0.0.2:8000", "--backend", "127.0.0.2:8000"], "named twice"),
        (["balancer"], "Missing option '--backend'"),
        (["lean", "--delay-ms", "5"], "go together"),
        (["lean", "--host", 'a"b'], "is no address"),
        (["multi", "--backends", "0"], "greater than or equal to 1"),
        (["multi", "--backends", "251"], "less than or equal to 250"),
        (["lean", "--refuse-share", "1.5"], "less than or equal to 1"),
        (["lean", "--delay-share", "nan", "--delay-ms", "1"], "less than or equal to 1"),
        (["lean", "--delay-share", "0.00004", "--delay-ms", "1"], "--delay-share 4e-05 is none of ten thousand"),
        (["lean", "--refuse-share", "1e-9"], "--refuse-share 1e-09 is none of ten thousand"),
        (["multi", "--port", "9000", "--admin-port", "9000"], "--port and --admin-port are both 9000"),
        (["balancer", "--backend", "n:1", "--port", "9000", "--admin-port", "9000"], "are both 9000"),
        (["balancer", "--backend", "n:1", "--host", "0.0.0.0"], "stands for every address"),
        (["balancer", "--backend", "n:1", "--host", "::"], "stands for every address"),
    ],
)
def test_wrong_usage_is_told_before_anything_starts(tmp_path: Path, argv: list[str], words: str):
    done = run(tmp_path, *argv)
    assert done.returncode == 2
    assert words in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_told(tmp_path: Path):
    with lean_server() as address:
        for kind in ("benchmark", "lean"):
            done = run(tmp_path, kind, "--port", str(address.port))
            assert done.returncode == 1
            assert done.stderr.count("\n") == 1
            assert f"perfdb: something listens on {address} already" in done.stderr


@pytest.mark.parametrize("kind", ["benchmark", "lean"])
def test_a_server_on_every_address_warns_in_one_line(tmp_path: Path, kind: str):
    with lean_server() as address:  # so that it ends at once
        done = run(tmp_path, kind, "--host", "0.0.0.0", "--port", str(address.port))
    warning, told = done.stderr.splitlines()
    assert warning.startswith(f"warning: 0.0.0.0:{address.port} stands for every address of this machine")
    assert "already" in told


@pytest.mark.parametrize("root", [{}, {"PERFDB_ROOT": "/tmp"}])
def test_a_folder_that_was_removed_is_told(tmp_path: Path, root: dict[str, str]):
    (tmp_path / "here").mkdir()
    script = f"cd here && rmdir ../here && exec {PERFDB} serve multi --lean --port {free_port()}"
    bare = {name: value for name, value in os.environ.items() if name != "PERFDB_ROOT"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=bare | root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["perfdb: the folder that you are in was deleted. `cd` to one that exists."]


_WITHOUT = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in {missing} else find(name, *more)
for name in {missing}:
    sys.modules[name] = None
from perfdb.cli import main
main()
"""


@pytest.mark.parametrize(
    ("argv", "missing"),
    [
        (["serve", "benchmark"], ["openenv"]),
        (["serve", "multi"], ["openenv"]),
        (["serve", "multi", "--lean"], ["envoy"]),
        (["preflight", "http://127.0.0.1:1"], ["aiohttp"]),
    ],
)
def test_without_the_extra_it_is_told_what_to_install(tmp_path: Path, argv: list[str], missing: list[str]):
    done = subprocess.run(
        [sys.executable, "-P", "-c", _WITHOUT.format(missing=missing), *argv],
        cwd=tmp_path,
        env={**os.environ, "PERFDB_ROOT": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (1, 5)
    assert "pip install 'perfdb[scaling]'" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_help_of_the_service_imports_nothing_of_the_extra(tmp_path: Path):
    code = "import sys; sys.argv = ['perfdb', 'serve', 'multi', '--help']; from perfdb.cli import main\ntry: main()\nexcept SystemExit: pass\nprint(sorted({'aiohttp', 'envoy', 'openenv', 'uvicorn', 'psutil'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path):
    blocked = tmp_path / "state"
    blocked.write_text("a file")
    done = run(tmp_path, "multi", "--lean", "--port", str(free_port()), PERFDB_STATE_DIR=str(blocked))
    assert done.returncode == 1
    assert "PERFDB_STATE_DIR" in done.stderr

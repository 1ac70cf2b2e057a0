"""`perfdb run scaling --clients-on CONFIG`: real Parsl, real clients on its nodes, a real service on loopback."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from perfdb.platforms.pocket import Options
from tests.end_to_end.conftest import Home
from tests.end_to_end.pocket_faults import POCKET, pocket, until
from tests.services.serving import lean_server

TWO_NODES = """
from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.providers import LocalProvider

provider = LocalProvider(init_blocks=1, max_blocks=2, worker_init={worker_init!r})
executor = HighThroughputExecutor(
    label="htex", address="127.0.0.1", encrypted=False, heartbeat_period=1, heartbeat_threshold=3, provider=provider
)
config = Config(executors=[executor], strategy_period=1)
"""
# A node that is another machine, by its boot, and whose clock goes half a second ahead.
AHEAD = """
import builtins, io, time

true_time, true_open = time.time, builtins.open
time.time = lambda: true_time() + 0.5


def opened(path, *arguments, **named):
    if path == "/proc/sys/kernel/random/boot_id":
        return io.StringIO("another-boot")
    return true_open(path, *arguments, **named)


builtins.open = opened
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with lean_server() as address:
        yield f"http://{address}"


def config(home: Home, worker_init: str = "") -> Path:
    path = home.root / "two_nodes.py"
    path.write_text(TWO_NODES.format(worker_init=worker_init))
    return path


def options(url: str, on: object, *more: object) -> tuple[str, ...]:
    return ("run", "scaling", url, "--clients-on", str(on), *map(str, more), "--reps", "1", "--no-server", "--json")


def failed(record: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["detail"] for check in record["checks"] if not check["passed"]}


def nothing_left(home: Home) -> None:
    until(lambda: home.processes() == [], f"processes are left: {home.processes()}")


def test_clients_on_two_nodes_load_the_service_together_and_the_record_says_where_they_ran(
    home: Home, url: str
) -> None:
    asked = options(url, config(home), "--clients", 3, "--requests-grid", "20,30", "--wait", 0.3, "--shape", "barrier")
    done = home.perfdb(*asked)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads(done.stdout)
    assert record["status"] == "ok"
    # Nodes are waited for once.
    assert done.stderr.count("all 2 client nodes are there") == 1
    values = {metric["name"]: metric["values"] for metric in record["metrics"]}
    assert (values["client_nodes"], values["peak_steps"], values["success_share"]) == ([2], [30], [1])
    assert record["spec"]["clients_on"] == "two_nodes"
    assert record["params"]["clients_on.provider.max_blocks"] == 2
    assert [worker["pseudonym"] for worker in record["environment"]["workers"]] == [
        record["environment"]["submit_host"]["pseudonym"]
    ]
    (folder,) = home.folders
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert str(home.root).encode() not in kept
    assert home.perfdb("validate").returncode == 0
    nothing_left(home)


def test_a_config_without_nodes_is_refused_before_anything_starts(home: Home, url: str) -> None:
    done = home.perfdb(*options(url, "local_threads"))
    assert done.returncode == 1
    done = home.perfdb(*options(url, Path(POCKET).with_name("local_threads.py")))
    assert (done.returncode, home.folders) == (1, [])
    assert "local_threads has no nodes for clients" in done.stderr


def a_clock_that_is_ahead(home: Home, url: str) -> None:
    folder = home.root / "ahead"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(AHEAD)
    on = config(home, f"export PYTHONPATH={folder}")
    done = home.perfdb(*options(url, on, "--clients", 2, "-n", 20, "--wait", 0.3, "--shape", "barrier"))
    assert done.returncode == 4, done.stdout + done.stderr
    record = json.loads(done.stdout)
    assert list(failed(record)) == ["clients_began_together"]
    assert "may be off by 0.5" in failed(record)["clients_began_together"]
    # All the same they began together, for what their clocks are off is known.
    values = {metric["name"]: metric["values"] for metric in record["metrics"]}
    assert values["peak_steps"] == [20]


def _started(home: Home, url: str, *more: object) -> Any:
    """A run whose clients are loading the service."""
    process = home.start("perfdb", *options(url, config(home), "--clients", 2, "-n", 20, "--wait", 8, *more))
    until(lambda: len(_named(home, "program.py")) == 2, "no client began")
    until(lambda: "clients on 2 nodes begin" in (home.root / "started.log").read_text(), "no load began")
    return process


def _manager_of(client: psutil.Process) -> psutil.Process:
    """Parsl's program on the node, above its workers."""
    return [one for one in client.parents() if "process_worker_pool" in " ".join(one.cmdline())][-1]


def _named(home: Home, word: str) -> list[psutil.Process]:
    found = []
    for process in home.processes():
        try:
            if any(part.endswith(word) for part in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def a_node_that_is_lost(home: Home, url: str) -> None:
    process = _started(home, url)
    victim = _manager_of(_named(home, "program.py")[0])
    for each in [victim, *victim.children(recursive=True)]:
        each.kill()
    assert process.wait(120) == 4
    (record,) = home.records()
    assert (record["status"], list(failed(record))) == ("invalid", ["every_load_complete"])
    assert "lost in the middle" in failed(record)["every_load_complete"]


def ctrl_c(home: Home, url: str) -> None:
    process = _started(home, url)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    (record,) = home.records()
    assert record["status"] == "interrupted"


def nobody_who_keeps_the_nodes(home: Home, url: str) -> None:
    process = _started(home, url)
    for each in _named(home, "hold.py"):
        each.kill()
    assert process.wait(60) == 3
    (record,) = home.records()
    assert "what keeps the client nodes ended in the middle" in record["reason"]


def a_job_that_is_cancelled(home: Home, url: str) -> None:
    """Two nodes of a real Slurm; the job of one is cancelled in the middle of the second load."""
    with pocket("clients", Options(nodes=2)) as cluster:
        home.env |= dict(cluster.places.exports())
        asked = options(url, POCKET, "--client-nodes", 2, "--clients", 3, "--requests-grid", "20,21", "--wait", 6)
        process = home.start("perfdb", *asked)
        log = home.root / "started.log"
        until(
            lambda: log.read_text().count("clients on 2 nodes begin") == 2 and len(_named(home, "program.py")) >= 3,
            "no second load",
        )
        job = random.choice(cluster.queue().splitlines()).split()[0]
        cluster.slurm("scancel", job)
        assert process.wait(120) == 4
        until(lambda: cluster.queue() == "", "jobs are left")
    (record,) = home.records()
    assert "load 21: its node was lost in the middle: the job there is over" in failed(record)["every_load_complete"]
    assert record["environment"]["scheduler"] == "slurm"
    values = {metric["name"]: metric["values"] for metric in record["metrics"]}
    assert values["client_nodes"] == [1]


# What cost most if it were wrong first.
DRILL = (
    a_node_that_is_lost,
    a_job_that_is_cancelled,
    ctrl_c,
    a_clock_that_is_ahead,
    nobody_who_keeps_the_nodes,
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """As many of them as the drill's share says, from the first."""
    if "trouble" in metafunc.fixturenames:
        share = metafunc.config.getoption("--drill-share")
        metafunc.parametrize("trouble", DRILL[: max(1, round(share * len(DRILL)))], ids=lambda one: one.__name__)


@pytest.mark.drill
@pytest.mark.usefixtures("drill_share")
def test_trouble_on_client_nodes_is_told_and_nothing_is_left(
    trouble: Callable[[Home, str], None], home: Home, url: str
) -> None:
    trouble(home, url)
    nothing_left(home)
    assert home.perfdb("validate").returncode == 0

"""Ctrl-C, a time limit, SIGKILL: the whole tree ends, and what was measured until then is kept."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from perfdb.processes.tree import marked
from tests.end_to_end.conftest import BIN, HTEX, THREADS, Home, home_at, nothing_done, wait_for_line

LONG = ("--time", "60", "--reps", "2", "--no-server")
# One worker, and a run that takes no CPU from other tests while it waits to be ended.
UNHURRIED = """
import time
from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.providers import LocalProvider


class Unhurried(HighThroughputExecutor):
    def submit(self, *args, **kwargs):
        time.sleep(0.05)
        return super().submit(*args, **kwargs)


provider = LocalProvider(init_blocks=1, min_blocks=1, max_blocks=1)
executor = Unhurried(label="htex", address="127.0.0.1", max_workers_per_node=1, encrypted=False, provider=provider)
config = Config(executors=[executor])
"""


def wait_until_quiet(home: Home, patience_s: float = 60) -> None:
    """Return once nothing works for this root any more."""
    deadline = time.monotonic() + patience_s
    while left := home.processes():
        assert time.monotonic() < deadline, [p.cmdline() for p in left]
        psutil.wait_procs(left, timeout=1)


def unhurried(home: Home) -> str:
    """The config's path."""
    path = home.root / "unhurried.py"
    path.write_text(UNHURRIED)
    return str(path)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[tuple[Home, str]]:
    """A run that Ctrl-C ended, and the command lines of all that its marker found before that."""
    with home_at(tmp_path_factory.mktemp("stopped"), empty_database) as home:
        process = home.start("run-parsl-perf.py", unhurried(home), *LONG)
        wait_for_line(process, home.root / "started.log", "rep-1: iteration 2")
        (journal,) = home.journals()
        found = " ".join(" ".join(part.cmdline()) for part in marked(journal.name))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        yield home, found


def test_ctrl_c_keeps_what_was_measured_and_ends_every_worker(stopped: tuple[Home, str]) -> None:
    home, _ = stopped
    wait_until_quiet(home)
    (record,) = home.records()
    assert record["status"] == "interrupted"
    assert [m for m in record["metrics"] if m["name"] == "cold_start_s"]
    (folder,) = home.folders
    assert "==== Iteration 2 ====" in (folder / "artifacts" / "01-rep-1.log").read_text()
    assert home.journals() == []
    assert "Traceback" not in (home.root / "started.log").read_text()


def test_every_part_of_parsl_is_found_by_the_runs_marker(stopped: tuple[Home, str]) -> None:
    """The interchange gives itself a title, which would hide its environment from whoever must end it."""
    _, found = stopped
    for part in ("parsl-perf", "interchange", "process_worker_pool"):
        assert part in found


@pytest.mark.usefixtures("unmirrored")
def test_ctrl_c_while_the_config_loads_leaves_nothing(home: Home) -> None:
    (home.root / "loops.py").write_text("while True:\n    pass\n")
    process = home.start("run-parsl-perf.py", "loops.py")
    wait_for_line(process, home.root / "started.log", "loading")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    wait_until_quiet(home)
    assert home.records() == []
    assert home.journals() == []
    assert "Traceback" not in (home.root / "started.log").read_text()


@pytest.mark.usefixtures("unmirrored")
def test_a_config_that_loops_dies_with_a_killed_perfdb(home: Home) -> None:
    (home.root / "loops.py").write_text("while True:\n    pass\n")
    process = home.start("run-parsl-perf.py", "loops.py")
    wait_for_line(process, home.root / "started.log", "loading")
    process.kill()
    process.wait()
    wait_until_quiet(home)


@pytest.mark.usefixtures("unmirrored")
def test_the_time_limit_ends_all_and_keeps_what_was_measured(home: Home) -> None:
    done = home.perf(HTEX, *LONG, "--timeout", "22")
    assert done.returncode == 3, done.stderr
    wait_until_quiet(home)
    (record,) = home.records()
    assert record["status"] == "timeout"
    assert "time limit" in record["reason"]
    assert [m for m in record["metrics"] if m["name"] == "cold_start_s"]
    assert record["duration_s"] >= 22


@pytest.mark.usefixtures("unmirrored")
def test_a_terminal_that_closes_is_like_ctrl_c(home: Home) -> None:
    process = home.start("run-parsl-perf.py", THREADS, *LONG)
    wait_for_line(process, home.root / "started.log", "rep-1: iteration 2")
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 130
    wait_until_quiet(home)
    assert [r["status"] for r in home.records()] == ["interrupted"]


@pytest.mark.drill
def test_sigkill_at_random_moments_leaves_no_half_record_and_no_process(home: Home, drill_share: float) -> None:
    """The moments are drawn over the whole of a run of known length, by a seeded generator. A share of it has no probe."""
    chance = random.Random(20261121)
    run = (HTEX, "--time", "1.5", "--reps", "1", "--no-server", *(["--no-probe"] if drill_share < 1 else []))
    begun = time.monotonic()
    whole = home.perf(*run)
    assert whole.returncode == 0, whole.stderr
    length_s = time.monotonic() - begun
    killed = 0
    for _ in range(max(3, round(20 * drill_share))):
        process = home.start("run-parsl-perf.py", *run)
        try:
            process.wait(chance.uniform(0, length_s))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        before = {folder.name for folder in home.folders}
        journals = len(home.journals())
        closed = sum((journal / "end.json").exists() for journal in home.journals())
        told = json.loads(home.perfdb("sync", "--json").stdout)
        assert told["troubles"] == []
        new = [record for record in home.records() if record["record_id"] not in before]
        assert [record["record_id"] for record in new] == told["recovered"]
        # One that was killed while it was filed had been measured to its end.
        assert {record["status"] for record in new} <= ({"ok"} if closed else {"interrupted"})
        # A kill before the journal leaves nothing, and one after the record leaves nothing to be filed.
        assert len(new) <= journals <= 1
        assert home.journals() == []
        assert home.processes() == []
        killed += len(new)
        for folder in home.folders:
            subprocess.run(
                ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True, capture_output=True
            )
        assert not list(Path(home.root / "mlruns").glob(".staging-*"))
    assert killed >= 1
    again = json.loads(home.perfdb("sync", "--json").stdout)
    assert again == nothing_done(len(home.folders))


@pytest.mark.usefixtures("unmirrored")
def test_without_any_later_command_the_supervisor_ends_the_workers_of_a_killed_run(home: Home) -> None:
    process = home.start("run-parsl-perf.py", unhurried(home), *LONG)
    wait_for_line(process, home.root / "started.log", "rep-1: iteration 2")
    process.kill()
    process.wait()
    wait_until_quiet(home)
    assert len(home.journals()) == 1
    assert home.records() == []


def test_four_at_once_on_a_fresh_registry_are_four_records_and_four_mlflow_runs(home: Home) -> None:
    options = ("--time", "2", "--reps", "1", "--no-server", "--no-probe")
    running = [
        home.start("run-parsl-perf.py", THREADS, f"run {number}", *options, log=f"{number}.log") for number in range(4)
    ]
    assert [process.wait(300) for process in running] == [0] * 4, [p.read_text() for p in home.root.glob("?.log")]
    records = home.records()
    assert sorted(record["run_name"] for record in records) == [f"run {number}" for number in range(4)]
    told = json.loads(home.perfdb("sync", "--json").stdout)
    assert told | {"charted": 0} == nothing_done(
        4
    )  # who was busy with the others' records may have left its charts to us
    assert home.journals() == []


@pytest.mark.parametrize("children", ["killed", "alive"])
@pytest.mark.usefixtures("unmirrored")
def test_a_supervisor_that_is_killed_too_is_made_up_for_by_the_next_sync(home: Home, children: str) -> None:
    process = home.start("run-parsl-perf.py", unhurried(home), *LONG)
    wait_for_line(process, home.root / "started.log", "rep-1: iteration 2")
    for victim in (psutil.Process(process.pid), *home.supervisors()):
        victim.kill()
    process.wait()
    if children == "killed":
        psutil.wait_procs(home.processes(), timeout=1)
    told = json.loads(home.perfdb("sync", "--no-mlflow", "--json").stdout)
    assert told["troubles"] == []
    assert home.processes() == []
    assert [r["status"] for r in home.records()] == ["interrupted"]


@pytest.mark.usefixtures("unmirrored")
def test_a_supervisor_that_is_killed_alone_leaves_no_tree(home: Home) -> None:
    process = home.start("run-parsl-perf.py", unhurried(home), *LONG)
    wait_for_line(process, home.root / "started.log", "rep-1: iteration 2")
    (supervisor,) = home.supervisors()
    supervisor.kill()
    assert process.wait(90) == 130
    wait_until_quiet(home)
    assert [r["status"] for r in home.records()] == ["interrupted"]


@pytest.mark.usefixtures("unmirrored")
def test_a_terminal_that_is_gone_costs_no_record(home: Home) -> None:
    """A real terminal, closed while we measure: what we say goes nowhere from then on."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [str(BIN / "run-parsl-perf.py"), THREADS, *LONG],
        cwd=home.root,
        env=home.environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    told = b""
    while b"iteration 2" not in told:
        told += os.read(ours, 4096)
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 130
    wait_until_quiet(home)
    assert [r["status"] for r in home.records()] == ["interrupted"]


@pytest.mark.usefixtures("unmirrored")
def test_nohup_is_respected(home: Home) -> None:
    process = subprocess.Popen(
        ["nohup", str(BIN / "run-parsl-perf.py"), THREADS, "--time", "2", "--reps", "1", "--no-server", "--no-probe"],
        cwd=home.root,
        env=home.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(home.root / "started.log").open("wb"),
    )
    wait_for_line(process, home.root / "started.log", "rep-1: iteration 2")
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    assert [r["status"] for r in home.records()] == ["ok"]

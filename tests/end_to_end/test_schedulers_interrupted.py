"""`perfdb run schedulers`, killed and interrupted in the middle: the same command ends the same plan, and counts nothing twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time

import psutil
import pyarrow.parquet

from tests.end_to_end.conftest import Home

# mini-slurm's jobs sleep for seconds, in which it can be cut off; the simulator's take no time.
JOBS = 6
RUN = ("run", "schedulers", "size-2", "--jobs", str(JOBS), "--compress", "3", "--no-server")
COMMAND = (*RUN, "--arms", "mini-slurm,simulated:fifo", "--iters", "2")
TURNS = [(1, 1), (1, 2), (2, 2), (2, 1)]


def started_until(home: Home, child: str, *command: str) -> subprocess.Popen[bytes]:
    """The command, once that child's scheduler has its first job."""
    run = home.start("perfdb", *command)
    deadline = time.monotonic() + 120
    while True:
        logs = [path.read_text() for path in (home.root / ".perfdb" / "journal").glob(f"*/logs/*-{child}.jsonl")]
        if any('"begin\\"' in log.replace(" ", "") for log in logs):
            return run
        assert run.poll() is None and time.monotonic() < deadline, (home.root / "started.log").read_text()
        time.sleep(0.02)  # a file tells nobody that it grew


def rows(home: Home) -> list[tuple[int, int, int, int]]:
    """Iteration, batch, arm and job of every row that is a job's."""
    (folder,) = home.folders
    columns = pyarrow.parquet.read_table(folder / "samples.parquet").to_pydict()
    keys = zip(columns["iteration"], columns["batch"], columns["arm"], columns["job"], strict=True)
    return sorted(key for key in keys if key[3] > 0)


def nothing_is_left(home: Home) -> None:
    _, alive = psutil.wait_procs(home.processes(), timeout=60)
    assert alive == []
    assert home.journals() == [] and not list((home.root / ".perfdb" / "sittings").glob("*"))


def test_a_run_that_is_killed_in_the_middle_is_completed_with_no_job_counted_twice(home):
    killed = started_until(home, f"iter-{random.Random().choice((1, 2))}-arm-1", *COMMAND)  # either must do
    killed.kill()
    killed.wait(60)
    assert home.records() == [] and len(home.journals()) == 1
    again = home.perfdb(*COMMAND)
    assert again.returncode == 0 and "going on with the run" in again.stderr, again.stderr
    (record,) = home.records()
    assert record["status"] == "ok", record["reason"]
    assert rows(home) == sorted((i, 1, arm, job) for i, arm in TURNS for job in range(1, JOBS + 1))
    logs = sorted(path.name for path in (home.folders[0] / "artifacts").glob("??-*.log") if path.name.count(".") == 1)
    assert logs == ["01-workload.log", *(f"{n:02}-iter-{i}-arm-{a}.log" for n, (i, a) in enumerate(TURNS, start=2))]
    nothing_is_left(home)


def test_ctrl_c_says_what_to_type_and_what_was_measured_can_be_made_a_record(home):
    run = started_until(home, "iter-1-arm-1", *COMMAND)
    run.send_signal(signal.SIGINT)
    assert run.wait(120) == 130
    said = (home.root / "started.log").read_text()
    assert "same command again" in said and "perfdb run schedulers --drop" in said and "Traceback" not in said
    assert home.records() == []
    dropped = home.perfdb("run", "schedulers", "--drop", "--json")
    assert json.loads(dropped.stdout) == {"dropped": 1, "left_alone": 0}, dropped.stderr
    (record,) = home.records()
    assert record["status"] == "interrupted"
    nothing_is_left(home)

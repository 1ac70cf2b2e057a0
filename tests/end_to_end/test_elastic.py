"""`perfdb run elastic` as a user types it: to its end, cut off in the middle, killed, and two at once."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from perfdb.platforms.pocket import Options
from tests.end_to_end.conftest import Home, wait_for_line
from tests.end_to_end.pocket_faults import Cluster, pocket, until

# One elastic job, for which two urgent ones are let in. Units that sleep: other tests use the CPUs meanwhile.
JOBS = ("--seed", "3", "--elastic-jobs", "1", "--rigid-jobs", "0", "--urgent-jobs", "2", "--work", "sleep")
MIX = (*JOBS, "--unit-s", "0.05", "--arrive-within-s", "2", "--reps", "1", "--no-server")
SHORT = (*MIX, "--elastic-units", "60")
# Several seconds in each arm, in any of which it can be cut off.
LONG = (*MIX, "--elastic-units", "120")
# What a machine that others use as well cannot promise.
OF_THE_MACHINE = {"machine_idle_but_for_this", "arrivals_on_time"}


def values(record: dict[str, Any]) -> dict[str, list[float]]:
    return {metric["name"]: metric.get("values") or [metric["value"]] for metric in record["metrics"]}


def failed(record: dict[str, Any]) -> set[str]:
    return {check["name"] for check in record["checks"] if not check["passed"]}


def cgroups(home: Home) -> set[str]:
    """What the cgroups of every job of the schedulers that run begin with."""
    found = set()
    for process in home.processes():
        with contextlib.suppress(psutil.Error):
            if group := process.environ().get("MINI_SLURM_GROUP"):
                found.add("-".join(group.split("-")[:-2]) + "-")
    return found


def is_left_alone(home: Home) -> None:
    """Nothing of it runs, or waits to be filed, and what is filed is sound."""
    _, alive = psutil.wait_procs(home.processes(), timeout=60)
    assert alive == []
    assert home.journals() == []
    assert home.perfdb("validate").returncode == 0


def test_a_run_says_what_elasticity_brought(home: Home) -> None:
    done = home.perfdb("run", "elastic", "mini-slurm", *SHORT)
    (record,) = home.records()
    assert failed(record) <= OF_THE_MACHINE, done.stderr
    assert (done.returncode == 0) == (record["status"] == "ok")
    found = values(record)
    assert found["on_grows"][0] >= 2
    assert found["on_shrinks"][0] >= 1
    assert found["off_grows"] == found["off_shrinks"] == [0]
    assert found["on_elastic_turnaround_s"] < found["off_elastic_turnaround_s"]
    assert found["on_shrink_to_freed_p50_s"][0] > 0
    assert "rep 1/1, by threshold: 3 jobs" in done.stderr
    assert "on less off" in done.stdout
    is_left_alone(home)


def in_its_second_arm(home: Home) -> tuple[subprocess.Popen[bytes], set[str]]:
    """The run, and what its jobs' cgroups begin with."""
    process = home.start("perfdb", "run", "elastic", "mini-slurm", *LONG)
    wait_for_line(process, home.root / "started.log", "rep 1/1, elasticity on: ")
    groups = cgroups(home)
    assert groups
    return process, groups


def holds_its_first_arm(home: Home, groups: set[str]) -> None:
    (record,) = home.records()
    assert record["status"] == "interrupted"
    found = values(record)
    assert found["off_completed_share"] == [1.0]
    assert "on_makespan_s" not in found
    is_left_alone(home)
    left = [name for _, names, _ in os.walk("/sys/fs/cgroup") for name in names if name.startswith(tuple(groups))]
    assert left == []


def test_ctrl_c_in_an_arm_keeps_what_was_measured_and_ends_its_scheduler_and_jobs(home: Home) -> None:
    process, groups = in_its_second_arm(home)
    process.send_signal(signal.SIGINT)
    assert process.wait(90) == 130
    assert "Traceback" not in (home.root / "started.log").read_text()
    holds_its_first_arm(home, groups)


def test_the_next_sync_files_a_run_that_was_killed_and_nothing_of_it_goes_on(home: Home) -> None:
    process, groups = in_its_second_arm(home)
    process.kill()
    process.wait()
    told = json.loads(home.perfdb("sync", "--json").stdout)
    assert (told["troubles"], len(told["recovered"])) == ([], 1)
    holds_its_first_arm(home, groups)


def test_two_runs_at_once_have_a_scheduler_each(home: Home) -> None:
    running = [home.start("perfdb", "run", "elastic", "mini-slurm", *SHORT, log=f"{place}.log") for place in (1, 2)]
    for process in running:
        process.wait(180)
    records = home.records()
    assert len(records) == 2
    for record in records:
        assert failed(record) <= OF_THE_MACHINE
        assert values(record)["on_completed_share"] == [1.0]
    is_left_alone(home)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    if shutil.which("slurmctld") is None or shutil.which("slurmdbd") is None:
        pytest.skip("no Slurm with accounting is installed here")
    with pocket("elastic", Options(nodes=2, accounting=True)) as started:
        yield started


ON_SLURM = (*JOBS, "--unit-s", "0.2", "--arrive-within-s", "5", "--urgent-units", "4", "--reps", "1", "--no-server")


def test_on_slurm_a_node_is_what_a_cpu_is_on_mini_slurm(home: Home, cluster: Cluster) -> None:
    home.env.update(cluster.places.exports())
    done = home.perfdb("run", "elastic", "slurm", *ON_SLURM, "--elastic-units", "50")
    assert cluster.queue() == ""
    (record,) = home.records()
    assert failed(record) <= OF_THE_MACHINE, done.stderr
    found = values(record)
    assert found["on_grows"][0] >= 1
    assert found["on_shrinks"][0] >= 1
    # Slurm takes the node when the job has let go of it.
    assert found["on_shrink_to_freed_p50_s"][0] > found["on_shrink_to_applied_p50_s"][0]
    checks = {check["name"]: check["detail"] for check in record["checks"]}
    assert checks["machine_idle_but_for_this"].startswith("not known")
    assert not list(home.root.rglob("slurm_job_*_resize.*"))
    is_left_alone(home)


def test_a_kill_leaves_nothing_at_slurm(home: Home, cluster: Cluster) -> None:
    home.env.update(cluster.places.exports())
    process = home.start("perfdb", "run", "elastic", "slurm", *ON_SLURM, "--elastic-units", "50000")
    wait_for_line(process, home.root / "started.log", "1 running on 1 CPU")
    assert cluster.queue() != ""
    process.kill()
    process.wait()
    until(lambda: cluster.queue() == "", "its jobs go on")
    assert json.loads(home.perfdb("sync", "--json").stdout)["troubles"] == []
    (record,) = home.records()
    assert record["status"] == "interrupted"
    is_left_alone(home)

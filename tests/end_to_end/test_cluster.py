"""Runs whose workers are a batch system's jobs. Slurm's commands are a stand-in (see stand_in_slurm.py)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.conftest import CHECKOUT, QUICK, Home, wait_for_line

SLURM = str(CHECKOUT / "parsl-configs" / "slurm_hopper.py")


@pytest.fixture
def cluster(home: Home) -> Iterator[Home]:
    """A home whose PATH begins with the stand-in's commands."""
    commands = home.root / "slurm"
    commands.mkdir()
    program = commands / "stand_in_slurm.py"
    text = Path(__file__).with_name("stand_in_slurm.py").read_text()
    program.write_text(f"#!{sys.executable}\n{text}")
    program.chmod(0o755)
    for name in ("sbatch", "squeue", "scontrol", "scancel", "sinfo", "sacct", "srun"):
        (commands / name).symlink_to(program)
    (commands / "srun").unlink()
    # Of srun's work only the last part is needed: run the command, the rest of the line.
    (commands / "srun").write_text('#!/bin/bash\nwhile [[ $1 != bash ]]; do shift; done\nexec "$@"\n')
    (commands / "srun").chmod(0o755)
    state = home.root / "slurm-state"
    state.mkdir()
    home.env |= {
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "STAND_IN_SLURM": str(state),
        "PERFDB_SITE_ADDRESS": "127.0.0.1",
    }
    yield home
    for process in home.processes():
        process.kill()


def active_jobs(home: Home) -> list[str]:
    """Ids of the jobs that the stand-in still has waiting or running."""
    done = []
    for path in (home.root / "slurm-state").glob("[0-9]*[0-9]"):
        fields = dict(line.split("=", 1) for line in path.read_text().splitlines())
        alive = fields["state"] == "PENDING" or (fields["state"] == "RUNNING" and psutil.pid_exists(int(fields["pid"])))
        if alive:
            done.append(path.name)
    return done


def test_the_wait_in_the_queue_is_apart_from_the_start_up(cluster: Home) -> None:
    done = cluster.perf(SLURM, *QUICK, "--no-probe")
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = cluster.records()
    value = {m["name"]: m["values"][0] for m in record["metrics"] if "values" in m}
    assert 1.0 <= value["queue_wait_s"] <= 4.0  # the stand-in's 2 s at a resolution of 1 s
    assert value["start_up_s"] == pytest.approx(value["cold_start_s"] - value["queue_wait_s"])
    assert record["environment"]["scheduler"] == "slurm"
    assert record["environment"]["scheduler_version"] == "stand-in 1.0"
    assert record["params"]["provider.partition"] == "hopper-cpu"
    assert active_jobs(cluster) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_ended_run_leaves_no_job_in_the_queue(cluster: Home, how: signal.Signals) -> None:
    process = cluster.start("run-parsl-perf.py", SLURM, "--time", "60", "--reps", "1", "--no-server")
    wait_for_line(process, cluster.root / "started.log", "rep-1: iteration 2")
    assert active_jobs(cluster) != []
    process.send_signal(how)
    process.wait(60)
    told = json.loads(cluster.perfdb("sync", "--json").stdout)
    assert told["troubles"] == []
    assert active_jobs(cluster) == []
    assert [record["status"] for record in cluster.records()] == ["interrupted"]


def test_after_a_sigkill_the_supervisor_cancels_the_job_without_any_later_command(cluster: Home) -> None:
    process = cluster.start("run-parsl-perf.py", SLURM, "--time", "60", "--reps", "1", "--no-server")
    wait_for_line(process, cluster.root / "started.log", "rep-1: iteration 2")
    process.kill()
    process.wait()
    psutil.wait_procs(cluster.supervisors(), timeout=60)
    assert active_jobs(cluster) == []


def test_a_job_that_was_pending_when_all_of_us_were_killed_is_cancelled_by_the_next_sync(cluster: Home) -> None:
    process = cluster.start("run-parsl-perf.py", SLURM, "--time", "60", "--reps", "1", "--no-server")
    wait_for_line(process, cluster.root / "started.log", "rep-1: 10 tasks")
    while not active_jobs(cluster):
        assert process.poll() is None
    # Everything of ours at once, the supervisor too: only the queue still knows of the job.
    for victim in cluster.processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            command = " ".join(victim.cmdline())
            if "stand_in_slurm" not in command and "sbatch" not in command:
                victim.kill()
    process.wait()
    told = json.loads(cluster.perfdb("sync", "--json").stdout)
    assert told["troubles"] == []
    assert active_jobs(cluster) == []
    assert (cluster.root / "slurm-state" / "cancelled.log").exists()

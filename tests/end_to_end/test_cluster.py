"""Runs that are ended while their workers are a batch system's jobs: no job is left in the queue. Slurm is a real one."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator

import psutil
import pytest

from perfdb.platforms.pocket.daemons import start
from perfdb.platforms.pocket.programs import Programs
from tests.end_to_end.conftest import CHECKOUT, Home, wait_for_line
from tests.platforms.clusters import Cluster, pocket, within

pytestmark = pytest.mark.usefixtures("unmirrored")

SLURM = str(CHECKOUT / "parsl-configs" / "slurm_hopper.py")
LONG = ("--time", "60", "--reps", "1", "--no-server", "--no-probe")


@pytest.fixture(scope="module")
def slurm() -> Iterator[Cluster]:
    with pocket("ended", nodes=1) as cluster:
        yield cluster


@pytest.fixture
def cluster(home: Home, slurm: Cluster) -> Iterator[Home]:
    """A home whose commands speak to a cluster with nothing to do."""
    home.env |= slurm.env | {"PERFDB_SITE_PARTITION": "pocket", "PERFDB_SITE_ADDRESS": "127.0.0.1"}
    yield home
    kill(home.processes())
    if jobs := slurm.active():
        slurm.ask("scancel", *jobs)
    within(30, lambda: not slurm.active())


def kill(processes: list[psutil.Process]) -> None:
    """Those of them that have not ended by themselves meanwhile."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def begun(home: Home) -> psutil.Popen:
    """A long run whose workers are at work."""
    process = home.start("run-parsl-perf.py", SLURM, *LONG)
    wait_for_line(process, home.root / "started.log", "rep-1: iteration 2")
    return process


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_ended_run_leaves_no_job_in_the_queue(cluster: Home, slurm: Cluster, how: signal.Signals) -> None:
    process = begun(cluster)
    assert slurm.active() != []
    process.send_signal(how)
    process.wait(60)
    told = json.loads(cluster.perfdb("sync", "--no-mlflow", "--json").stdout)
    assert told["troubles"] == []
    within(20, lambda: not slurm.active())
    (folder,) = cluster.folders
    (record,) = cluster.records()
    assert record["status"] == "interrupted"
    assert record["params"]["provider.partition"] == "pocket"
    (job,) = json.loads((folder / "artifacts" / "jobs.json").read_text())["jobs"]
    assert job["state"] in ("CANCELLED", "COMPLETING")
    assert job["allocated"]["resolution_s"] == 0.001


def test_after_a_sigkill_the_supervisor_cancels_the_job_without_any_later_command(
    cluster: Home, slurm: Cluster
) -> None:
    process = begun(cluster)
    process.kill()
    process.wait()
    psutil.wait_procs(cluster.supervisors(), timeout=60)
    within(20, lambda: not slurm.active())


def test_a_job_that_was_pending_when_all_of_us_were_killed_is_cancelled_by_the_next_sync(
    cluster: Home, slurm: Cluster
) -> None:
    before = slurm.submit("sleep 300", "--exclusive", "--job-name=somebody.elses")
    process = cluster.start("run-parsl-perf.py", SLURM, *LONG)
    within(60, lambda: len(slurm.active()) == 2 or process.poll() is not None)
    # Everything of ours at once, the supervisor too: only the queue still knows of the job.
    kill(cluster.processes())
    process.wait()
    assert len(slurm.active()) == 2
    told = json.loads(cluster.perfdb("sync", "--no-mlflow", "--json").stdout)
    assert told["troubles"] == []
    assert slurm.active() == [before]


@pytest.mark.drill
def test_jobs_that_a_dead_controller_could_not_cancel_are_cancelled_once_it_is_back(
    cluster: Home, slurm: Cluster
) -> None:
    process = begun(cluster)
    for daemon in psutil.process_iter(["cmdline"]):
        words = daemon.info["cmdline"] or [""]
        if words[0].endswith("slurmctld") and str(slurm.places.conf) in words:
            daemon.kill()
            daemon.wait(10)
    process.send_signal(signal.SIGINT)
    process.wait(180)
    (record,) = cluster.records()
    assert record["status"] == "interrupted"
    assert "could not be cancelled now, `perfdb sync` tries again" in (cluster.root / "started.log").read_text()
    assert "Is the scheduler there?" in "".join(
        json.loads(cluster.perfdb("sync", "--no-mlflow", "--json").stdout)["troubles"]
    )
    start(slurm.places, "slurmctld", [Programs.found().slurmctld, "-D", "-f", str(slurm.places.conf)])
    within(30, slurm.active)
    assert json.loads(cluster.perfdb("sync", "--no-mlflow", "--json").stdout)["troubles"] == []
    within(30, lambda: not slurm.active())
    assert list((cluster.root / ".perfdb" / "left").iterdir()) == []

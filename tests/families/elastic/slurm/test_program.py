"""Whole arms on a real Slurm, and what becomes of them when things go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from perfdb.families.elastic.events import Allocation, Begin, JobEvent, Note, Work
from perfdb.platforms.pocket import daemons
from perfdb.platforms.pocket.programs import find
from tests.families.elastic.slurm.arms import CHILD, arm, job, plan
from tests.platforms.clusters import Cluster, within

LONG = 100_000


def test_urgent_jobs_get_nodes_that_elastic_ones_give_and_give_them_back(cluster: Cluster, tmp_path: Path) -> None:
    mix = (job(1, "elastic", 0, 1, 4, 700), job(2, "rigid", 0, 1, 1, 10), job(3, "urgent", 5, 3, 3, 4))
    with arm(cluster, tmp_path / "run", plan(*mix)) as child:
        assert child.wait().outcome == "all"
        answers = child.answers
        assert isinstance(answers[0], Begin)
        assert (answers[0].unit, answers[0].cpus, answers[0].real_cpus) == ("node", 4, 4)
        milestones = ("arrived", "submitted", "allocated", "started", "ended")
        at = {(a.job, a.what): a for a in answers if isinstance(a, JobEvent)}
        assert set(at) == {(number, what) for number in (1, 2, 3) for what in milestones}
        assert {at[number, "ended"].state for number in (1, 2, 3)} == {"COMPLETED"}
        assert all((at[number, "ended"].cpu_s or 0) > 0 for number in (1, 2, 3))
        done = {answer.job: (answer.units, answer.done) for answer in answers if isinstance(answer, Work)}
        assert done == {1: (700, 700), 2: (10, 10), 3: (4, 4)}
        [shrink] = [r for r in child.resizes() if r["decided"].cpus_to < r["decided"].cpus_from]
        assert at[3, "submitted"].ns < shrink["decided"].ns < shrink["granted"].ns < at[3, "ended"].ns
        assert child.resizes()[-1]["decided"].cpus_to == 4
        assert "granted" in child.resizes()[-1]
        assert max(_promised(answers)) == 4
        assert _promised(answers)[-1] == 0
    within(30, lambda: not cluster.active())


def test_with_elasticity_off_nothing_is_resized(cluster: Cluster, tmp_path: Path) -> None:
    mix = (job(1, "elastic", 0, 1, 4, 40), job(2, "urgent", 1, 2, 2, 4))
    with arm(cluster, tmp_path / "run", plan(*mix, elastic=False, arm="off")) as child:
        assert child.wait().outcome == "all"
        assert not child.resizes()
        assert max(_promised(child.answers)) == 3


def test_only_so_many_nodes_are_used_as_the_plan_says(cluster: Cluster, tmp_path: Path) -> None:
    mix = (job(1, "elastic", 0, 1, 2, 60), job(2, "rigid", 0, 1, 1, 10), job(3, "rigid", 0, 1, 1, 10))
    with arm(cluster, tmp_path / "run", plan(*mix, cpus=2)) as child:
        assert child.wait().outcome == "all"
        assert max(_promised(child.answers)) == 2


def test_a_plan_for_more_nodes_than_there_are_says_what_to_ask_for(cluster: Cluster, tmp_path: Path) -> None:
    with arm(cluster, tmp_path / "run", plan(job(1, "elastic", 0, 1, 5, 1), cpus=5)) as child:
        end = child.wait()
        assert (end.outcome, end.trouble) == ("failed", "the partition has 4 nodes: give --cpus 4, or less")


def test_a_job_never_gets_a_node_before_the_one_that_its_script_runs_on(cluster: Cluster, tmp_path: Path) -> None:
    """Slurm would end it as lost when that node registers again."""
    mix = (job(1, "elastic", 0, 1, 4, 20), job(2, "elastic", 0, 1, 4, LONG))
    with arm(cluster, tmp_path / "run", plan(*mix)) as child:
        child.until(lambda answer: isinstance(answer, Allocation) and (answer.job, answer.cpus) == (2, 3))
        assert "n[1-3]" in cluster.ask("squeue", "--noheader", "--format=%N").split()
        child.process.terminate()
        assert child.wait().outcome == "stopped"
        assert max(a.cpus for a in child.answers if isinstance(a, Allocation) and a.job == 2) == 3


def test_a_job_that_its_user_cancels_ends_so(cluster: Cluster, tmp_path: Path) -> None:
    with arm(cluster, tmp_path / "run", plan(job(1, "elastic", 0, 1, 4, LONG))) as child:
        child.until_resize("decided")
        cluster.ask("scancel", "--name=" + _name(child.process.pid))
        assert child.wait().outcome == "all"
        [ended] = [a for a in child.answers if isinstance(a, JobEvent) and a.what == "ended"]
        assert ended.state == "CANCELLED"
        assert _promised(child.answers)[-1] == 0
    within(30, lambda: not cluster.active())


def test_jobs_get_no_secret_of_ours(cluster: Cluster, tmp_path: Path) -> None:
    with arm(cluster, tmp_path / "run", plan(job(1, "elastic", 0, 1, 1, LONG))) as child:
        child.until(lambda answer: isinstance(answer, JobEvent) and answer.what == "started")
        environment = Path(f"/proc/{_pid(cluster)}/environ").read_bytes()
        assert b"MINI_SLURM_ELASTIC=1" in environment
        assert b"PERFDB_HOST_KEY" not in environment


def test_what_is_told_to_stop_leaves_nothing_behind(cluster: Cluster, tmp_path: Path) -> None:
    with arm(cluster, tmp_path / "run", plan(job(1, "elastic", 0, 1, 4, LONG), job(2, "rigid", 0, 4, 4, 1))) as child:
        child.until(lambda answer: isinstance(answer, JobEvent) and answer.what == "started")
        child.process.terminate()
        assert child.wait().outcome == "stopped"
        within(30, lambda: not cluster.active())
        ended = [answer.job for answer in child.answers if isinstance(answer, JobEvent) and answer.what == "ended"]
        assert ended == [1, 2]


def test_a_kill_in_the_middle_of_a_growth_leaves_nothing_behind(cluster: Cluster, tmp_path: Path) -> None:
    with arm(cluster, tmp_path / "run", plan(job(1, "elastic", 0, 1, 4, LONG))) as child:
        child.until_resize("decided", cpus_to=4)
        child.process.kill()
        child.process.wait()
        within(60, lambda: not cluster.active())


def test_what_a_killed_run_left_is_ended_by_the_next(cluster: Cluster, tmp_path: Path) -> None:
    names = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(CHILD)!r}); import names; print(names.of_this_process())",
    ]
    orphan = subprocess.run(names, capture_output=True, text=True, check=True).stdout.strip()
    left = cluster.submit("sleep 600", f"--job-name={orphan}-grow")
    others = cluster.submit("sleep 600", "--job-name=perfdb-elastic-elsewhere-01234567-1-1", "--nodelist=n3")
    try:
        with arm(cluster, tmp_path / "run", plan(job(1, "elastic", 0, 1, 1, 1), cpus=2)) as child:
            assert child.wait().outcome == "all"
        within(30, lambda: cluster.active() == [others])
    finally:
        cluster.ask("scancel", left, others)


def test_a_restart_of_the_controller_in_the_middle_is_lived_through(cluster: Cluster, tmp_path: Path) -> None:
    mix = (job(1, "elastic", 0, 1, 4, LONG), job(2, "urgent", 5, 3, 3, 4))
    with arm(cluster, tmp_path / "run", plan(*mix)) as child:
        child.until_resize("applied")
        pid = int((cluster.places.folder / "slurmctld.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        child.until(lambda answer: isinstance(answer, Note) and "away" in answer.text)
        argv = [find("slurmctld") or "", "-D", "-f", str(cluster.places.conf)]
        started = daemons.start(cluster.places, "slurmctld", argv)
        child.until(lambda answer: isinstance(answer, JobEvent) and (answer.job, answer.what) == (2, "ended"))
        cluster.ask("scancel", "--name=" + _name(child.process.pid))
        assert child.wait().outcome == "all"
        assert started.process.poll() is None
        states = {a.job: a.state for a in child.answers if isinstance(a, JobEvent) and a.what == "ended"}
        assert states == {1: "CANCELLED", 2: "COMPLETED"}
        assert max(_promised(child.answers)) == 4
        assert any(r["decided"].cpus_to == 1 and "granted" in r for r in child.resizes())
    within(30, lambda: not cluster.active())


def _promised(answers: list[object]) -> list[int]:
    """The nodes that all jobs held after each change."""
    held: dict[int, int] = {}
    found = []
    for change in sorted((a for a in answers if isinstance(a, Allocation)), key=lambda a: (a.ns, a.cpus)):
        held[change.job] = change.cpus
        found.append(sum(held.values()))
    return found


def _pid(cluster: Cluster) -> int:
    """Of the first process of the one job's script."""
    rows = cluster.ask("scontrol", "listpids", *cluster.active()).splitlines()[1:]
    return next(int(row.split()[0]) for row in rows if row.split()[2] == "batch")


def _name(pid: int) -> str:
    """Of the jobs of the run whose process that is."""
    code = f"import os, sys; sys.path.insert(0, {str(CHILD)!r}); os.getpid = lambda: {pid}; import names; print(names.of_this_process())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

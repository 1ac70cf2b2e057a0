"""Arms on real pocket clusters."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.families.schedulers.events import Answer, Begin, Nodes, Note, Progress
from perfdb.platforms.pocket import Places
from tests.families.schedulers.child.slurm.arms import CHILD, Child, arm, in_order, listed, plan
from tests.platforms.clusters import Cluster, pocket, within

pytestmark = pytest.mark.skipif(shutil.which("slurmctld") is None, reason="no Slurm is installed here")

MILESTONES = ("submitted", "eligible", "allocated", "started", "inside_began", "inside_ended", "ended", "released")
# A long one that leaves a node, one that wants all of them, and one that fits beside the long one and ends before it.
HEAD = (
    {"nodes": 3, "run_s": 4, "limit_s": 180, "arrival_s": 0, "user": 1},
    {"nodes": 4, "run_s": 0.2, "limit_s": 60, "arrival_s": 0.1, "user": 2},
    {"nodes": 1, "run_s": 0.2, "limit_s": 60, "arrival_s": 0.2, "user": 1},
)

# Brings a cluster up as a child does, and is gone.
_UP = """
import sys
sys.path.insert(0, sys.argv[1])
import names
from perfdb.platforms.pocket import Options, Places, up
up(Places.of(names.of_cluster()), Options(nodes=1, cpus=1), lambda _: None)
print(names.of_cluster())
"""
ORPHAN = [sys.executable, "-c", _UP, str(CHILD / "slurm")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One that runs, for the arms that name it."""
    with pocket("arms", nodes=2, cpus=2) as started:
        yield started


def begin_of(child: Child) -> Begin:
    found = child.until(lambda answer: isinstance(answer, Begin))
    assert isinstance(found, Begin)
    return found


def states_of(child: Child) -> dict[str, dict[str, int]]:
    return {answer.when: answer.states for answer in child.answers if isinstance(answer, Nodes)}


def is_running(answer: Answer) -> bool:
    return isinstance(answer, Progress) and answer.running > 0


def places_of(child: Child) -> Places:
    """The files of the cluster that this child brought up."""
    (found,) = [each for each in Places.all() if each.name.startswith(f"sched{child.process.pid}_")]
    return found


def test_backfill_lets_a_short_job_pass_one_that_waits_for_all_nodes(tmp_path: Path) -> None:
    # Of these, one works longer than it said, in a second and not in Slurm's minute.
    late = {"nodes": 1, "run_s": 60, "limit_s": 0.3, "arrival_s": 0.3, "user": 1}
    with arm(tmp_path / "run", plan("slurm:backfill", listed(tmp_path, *HEAD, late))) as child:
        end = child.wait()
        name = child.process.pid
    assert (end.outcome, end.trouble, end.left) == ("all", None, "")
    begin, jobs = begin_of(child), child.jobs()
    assert (begin.arm, begin.jobs, begin.nodes, begin.fresh) == ("slurm:backfill", 4, 4, True)
    assert begin.settings["SchedulerType"] == "sched/backfill" and begin.settings["SelectType"] == "select/cons_tres"
    assert (begin.clock.offset_s, begin.clock.uncertainty_s, begin.clock.resolution_s) == (0.0, 0.0, 0.001)
    assert {number: job.state for number, job in jobs.items()} == {
        1: "COMPLETED",
        2: "COMPLETED",
        3: "COMPLETED",
        4: "TIMEOUT",
    }
    assert all(in_order(job, MILESTONES) for job in jobs.values())
    assert jobs[1].submitted is not None and jobs[1].submitted >= begin.ns - 10**6
    assert (jobs[1].node_list, jobs[2].node_list, jobs[3].node_list) == ("0-2", "0-3", "3")
    assert jobs[3].ended < jobs[2].started and jobs[2].started >= jobs[1].released  # type: ignore[operator]
    assert states_of(child) == {"before": {"idle": 4}, "after": {"idle": 4}}
    assert any("1 of 4 jobs have a longer one" in note.text for note in child.answers if isinstance(note, Note))
    assert not [each for each in Places.all() if each.name.startswith(f"sched{name}_")]
    kept = {path.name: path.read_text() for path in (tmp_path / "run" / "artifacts").iterdir()}
    assert set(kept) == {"nodes.txt", "slurm.conf", "slurmctld.log"}
    assert "SchedulerType=sched/backfill" in kept["slurm.conf"] and "JobId=4" in kept["slurmctld.log"]
    private = (f" {socket.gethostname().partition('.')[0]}(", "127.0.0.1", str(tmp_path), f"perfdb-{os.getuid()}-")
    assert not [word for word in private if any(word in text for text in kept.values())]


def test_the_builtin_scheduler_keeps_the_order_of_arrival(tmp_path: Path) -> None:
    with arm(tmp_path / "run", plan("slurm:builtin+linear", listed(tmp_path, *HEAD))) as child:
        assert child.wait().outcome == "all"
    settings, jobs = begin_of(child).settings, child.jobs()
    assert (settings["SchedulerType"], settings["SelectType"]) == ("sched/builtin", "select/linear")
    assert jobs[3].started >= jobs[2].started  # type: ignore[operator]


def test_nothing_is_left_of_a_child_that_was_killed_and_of_one_whose_patience_was_over(tmp_path: Path) -> None:
    """The first is killed; of another one, whose guard was as well, the second finds the cluster, and then waits in vain."""
    stuck = (
        {"nodes": 2, "run_s": 600, "limit_s": 660, "arrival_s": 0, "user": 1},
        {"nodes": 1, "run_s": 600, "limit_s": 660, "arrival_s": 0.1, "user": 1},
    )
    source = listed(tmp_path, *stuck)
    with arm(tmp_path / "one", plan("slurm:backfill", source, nodes=2)) as child:
        child.until(is_running)
        guarded = places_of(child)
    within(60, lambda: not os.path.lexists(guarded.folder))
    orphan = Places.of(subprocess.run(ORPHAN, capture_output=True, text=True, check=True).stdout.strip())
    with arm(tmp_path / "two", plan("slurm:backfill", source, nodes=2, patience_s=2.0, batches=2)) as child:
        end = child.wait()
        assert not os.path.lexists(orphan.folder)
    assert (end.outcome, end.trouble, end.left) == ("timeout", None, "")
    told = [(job.batch, job.job, job.state, job.ended, job.inside_ended) for job in child.told]
    assert told == [
        (batch, job, state, None, None) for batch in (1, 2) for job, state in ((1, "RUNNING"), (2, "PENDING"))
    ]
    running, pending = child.jobs()[1], child.jobs()[2]
    assert in_order(running, MILESTONES[:5]) and in_order(pending, MILESTONES[:2]) and pending.started is None
    assert states_of(child)["after"] == {"idle": 2}


def test_a_stopped_child_takes_its_cluster_down(tmp_path: Path) -> None:
    job = {"nodes": 1, "run_s": 600, "limit_s": 660, "arrival_s": 0, "user": 1}
    with arm(tmp_path / "run", plan("slurm", listed(tmp_path, job), nodes=1)) as child:
        begin_of(child)
        places = places_of(child)
        child.process.send_signal(signal.SIGINT)
        assert child.wait().outcome == "stopped"
        assert not os.path.lexists(places.folder)


def test_a_list_that_has_changed_since_is_refused_before_anything_starts(tmp_path: Path) -> None:
    source = listed(tmp_path, *HEAD)
    asked = plan("slurm:backfill", source)
    listed(tmp_path, *HEAD[:2])
    with arm(tmp_path / "run", asked) as child:
        end = child.wait()
    assert end.outcome == "failed" and "another list of jobs" in (end.trouble or "")
    assert end.given == {}


def test_a_running_pocket_cluster_is_used_and_left_as_it_was(cluster: Cluster, tmp_path: Path) -> None:
    jobs = [{"nodes": 1, "run_s": 0.2, "limit_s": 60, "arrival_s": 0, "user": user} for user in (1, 2)]
    before = cluster.submit("true", "--time=1")
    within(30, lambda: before not in cluster.active())
    name = f"slurm={cluster.places.name}"
    with arm(tmp_path / "run", plan(name, listed(tmp_path, *jobs), nodes=2)) as child:
        assert child.wait().outcome == "all"
    begin = begin_of(child)
    assert (begin.arm, begin.fresh, begin.clock.name) == (name, False, "slurmctld.log")
    assert sorted(job.node_list for job in child.jobs().values()) == ["0", "1"]
    assert all(in_order(job, MILESTONES) for job in child.jobs().values())
    assert "JobId=1 " not in (tmp_path / "run" / "artifacts" / "slurmctld.log").read_text()
    assert cluster.active() == [] and cluster.ask("scontrol", "ping")


def test_the_slurm_of_this_host_tells_seconds_and_its_clock_is_measured(cluster: Cluster, tmp_path: Path) -> None:
    """A copy of its slurm.conf elsewhere, so that it is no pocket cluster to us; one rank a node burns."""
    conf = shutil.copy(cluster.places.conf, tmp_path / "slurm.conf")
    job = {"nodes": 2, "run_s": 0.3, "limit_s": 60, "arrival_s": 0, "user": 1}
    asked = plan("slurm=here", listed(tmp_path, job), nodes=2, job="burn")
    with arm(tmp_path / "run", asked, SLURM_CONF=str(conf)) as child:
        assert child.wait().outcome == "all"
    clock, told = begin_of(child).clock, child.jobs()[1]
    assert clock.resolution_s == 1.0 and abs(clock.offset_s) <= clock.uncertainty_s < 0.5
    assert told.state == "COMPLETED" and told.released is None and told.node_list == "0-1"
    assert in_order(told, ("submitted", "eligible", "allocated", "started", "ended"))
    assert told.started is not None and told.started % 10**9 == 0
    assert told.inside_began is not None and told.inside_ended is not None
    assert told.inside_ended - told.inside_began >= 0.3e9


def test_a_cluster_on_which_somebody_works_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    other = cluster.submit("sleep 60", "--time=2")
    with contextlib.ExitStack() as stack:
        stack.callback(cluster.ask, "scancel", other)
        within(30, lambda: cluster.ask("squeue", "--noheader", "--format=%T").split() == ["RUNNING"])
        job = {"nodes": 2, "run_s": 0.2, "limit_s": 60, "arrival_s": 0, "user": 1}
        with arm(tmp_path / "run", plan(f"slurm={cluster.places.name}", listed(tmp_path, job), nodes=2)) as child:
            end = child.wait()
        assert end.outcome == "failed" and "only 1 of its 2 nodes are idle" in (end.trouble or "")
        assert cluster.active() == [other]

"""A real Slurm's own times, on pocket clusters."""

from __future__ import annotations

import subprocess

import pytest

from perfdb.platforms.slurm import SLURM
from tests.platforms.clusters import pocket, within


@pytest.fixture(scope="module")
def plain():
    with pocket("times", nodes=2) as cluster:
        yield cluster


@pytest.fixture
def slurm(plain, monkeypatch):
    """A cluster whose nodes are up, and which perfdb's commands speak to."""
    for name, value in plain.env.items():
        monkeypatch.setenv(name, value)
    yield plain
    subprocess.run(["scancel", *plain.active()], check=False)


def in_order(*stamps):
    assert None not in stamps
    assert [stamp.at for stamp in stamps] == sorted(stamp.at for stamp in stamps)


def test_a_job_has_every_time_to_the_millisecond(slurm):
    job_id = slurm.submit("sleep 0.5")
    within(20, lambda: SLURM.over((job_id,)))
    (job,) = SLURM.times_of((job_id,))
    in_order(job.pending, job.allocated, job.started, job.ended)
    assert {s.resolution_s for s in (job.pending, job.allocated, job.started, job.ended)} == {0.001}
    assert (job.ended.at - job.started.at).total_seconds() >= 0.5
    assert (job.state, job.why, job.boots) == ("COMPLETED", None, ())
    assert job.nodes[0] in ("n0", "n1")


def test_slurms_own_seconds_agree_with_its_log(slurm, monkeypatch):
    job_id = slurm.submit("sleep 1")
    within(20, lambda: SLURM.over((job_id,)))
    (exact,) = SLURM.times_of((job_id,))
    monkeypatch.setattr("perfdb.platforms.slurm._controller_log", lambda: None)
    (coarse,) = SLURM.times_of((job_id,))
    for name in ("pending", "allocated", "started", "ended"):
        # Cut to a second; the end is stamped a moment before the nodes are given back.
        ahead = (getattr(exact, name).at - getattr(coarse, name).at).total_seconds()
        assert 0 <= ahead < 1.2, name
        assert getattr(coarse, name).resolution_s == 1.0


def test_waiting_running_and_cancelled_are_told_apart_and_all_are_cancelled_at_once(slurm):
    running = slurm.submit("sleep 100", "--nodes=2", "--exclusive")
    waiting = slurm.submit("sleep 100", "--nodes=2", "--exclusive")
    within(20, lambda: SLURM.times_of((running,))[0].state == "RUNNING")
    one, other = SLURM.times_of((running, waiting))
    assert (one.ended, sorted(one.nodes)) == (None, ["n0", "n1"])
    assert (other.state, other.allocated, other.started, other.nodes) == ("PENDING", None, None, ())
    assert other.why in ("Resources", "Priority")
    assert not SLURM.over((running, waiting))
    assert SLURM.cancel((running, waiting, "99999")) == ()
    within(20, lambda: SLURM.over((running, waiting)))
    one, other = SLURM.times_of((running, waiting))
    assert (one.state, other.state) == ("CANCELLED", "CANCELLED")
    assert one.ended is not None
    assert (other.started, other.allocated) == (None, None)


def test_a_partition_that_is_down_is_the_reason_even_after_the_job_was_given_up(slurm):
    slurm.ask("scontrol", "update", "PartitionName=pocket", "State=DOWN")
    try:
        job_id = slurm.submit("true")
        within(20, lambda: SLURM.times_of((job_id,))[0].why == "PartitionDown")
        assert SLURM.cancel((job_id,)) == ()
        (job,) = SLURM.times_of((job_id,))
        assert (job.state, job.why, job.started) == ("CANCELLED", "PartitionDown", None)
    finally:
        slurm.ask("scontrol", "update", "PartitionName=pocket", "State=UP")


def test_a_requeued_job_is_told_by_its_last_way(slurm):
    job_id = slurm.submit("sleep 100")
    within(20, lambda: SLURM.times_of((job_id,))[0].state == "RUNNING")
    (first,) = SLURM.times_of((job_id,))
    slurm.ask("scontrol", "requeuehold", job_id)
    within(20, lambda: SLURM.times_of((job_id,))[0].state == "PENDING")
    (job,) = SLURM.times_of((job_id,))
    assert job.pending == first.pending
    assert (job.allocated, job.started, job.ended) == (None, None, None)
    assert job.why.endswith("requeued 1 time")


def test_an_old_id_is_cancelled_only_if_its_job_has_the_name(slurm):
    job_id = slurm.submit("sleep 100", "--job-name=somebody.elses")
    assert SLURM.cancel((job_id,), ("parsl.htex.block-0.1",)) == ()
    assert slurm.active() == [job_id]
    assert SLURM.cancel((job_id,), ("somebody.elses",)) == ()
    within(20, lambda: SLURM.over((job_id,)))


def test_nodes_that_are_always_up_are_not_powered_on_demand(slurm):
    assert SLURM.nodes_up() is None
    assert SLURM.version() == slurm.ask("sinfo", "--version").split()[-1]


def test_how_it_is_set_is_told_without_where_it_is(slurm):
    found = SLURM.settings([None])
    assert found == SLURM.settings(["pocket"])
    told = {"SchedulerType": "sched/backfill", "SelectType": "select/cons_tres", "SelectTypeParameters": "CR_CPU"}
    partition = {"TotalNodes": "2", "TotalCPUs": "4", "OverSubscribe": "NO", "PriorityTier": "1"}
    assert found.items() >= (told | {f"partition.{name}": value for name, value in partition.items()}).items()
    assert "permit_job_expansion" in found["SchedulerParameters"].split(",")
    assert not [name for name in found if name.startswith(("Resume", "Suspend", "boot"))]
    everything = str(found)
    for personal in (str(slurm.places.folder), slurm.places.cluster_name, "127.0.0.1", "(0)", "n0", "n["):
        assert personal not in everything


def test_what_somebody_writes_into_its_options_gets_in_as_that_there_is_something(slurm):
    conf = slurm.places.conf
    before = conf.read_text()
    try:
        conf.write_text(
            before.replace("SchedulerParameters=", "SchedulerParameters=x=/home/fakeperson,y=a.fake.invalid,")
        )
        slurm.ask("scontrol", "reconfigure")
        found = within(20, lambda: (s := SLURM.settings([None])) and "x=" in s["SchedulerParameters"] and s)
    finally:
        conf.write_text(before)
        slurm.ask("scontrol", "reconfigure")
    assert {"x=?", "y=?"} <= set(found["SchedulerParameters"].split(","))
    assert "fake" not in str(found)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"scheduler": "builtin", "select": "linear", "priority": "multifactor"},
            {"SchedulerType": "sched/builtin", "SelectType": "select/linear", "PriorityType": "priority/multifactor"},
        ),
        (
            {"preempt": "suspend"},
            {
                "PreemptType": "preempt/partition_prio",
                "PreemptMode": "GANG,SUSPEND",
                "partition.OverSubscribe": "FORCE:1",
            },
        ),
        (
            {"cloud": True, "boot_s": 6.0},
            {"ResumeProgram": "set", "ResumeTimeout": "36 sec", "SuspendTime": "12 sec", "boot_s": "6"},
        ),
    ],
    ids=["scheduler", "preempt", "cloud"],
)
def test_clusters_that_are_set_differently_say_so(options, told, monkeypatch):
    with pocket("settings", nodes=1, **options) as cluster:
        for name, value in cluster.env.items():
            monkeypatch.setenv(name, value)
        assert SLURM.settings([None]).items() >= told.items()


def test_a_node_that_boots_for_a_job_is_told_and_is_up_until_it_is_powered_down(monkeypatch):
    with pocket("boots", nodes=1, cloud=True, boot_s=1.0) as cluster:
        for name, value in cluster.env.items():
            monkeypatch.setenv(name, value)
        assert SLURM.nodes_up() == ()
        job_id = cluster.submit("true")
        within(20, lambda: any(boot.registered for boot in SLURM.times_of((job_id,))[0].boots))
        (job,) = SLURM.times_of((job_id,))
        if job.state == "CONFIGURING":
            assert job.started is None
            assert SLURM.nodes_up() == ()  # it has something to do
        within(60, lambda: SLURM.over((job_id,)))
        (job,) = SLURM.times_of((job_id,))
        (boot,) = job.boots
        in_order(job.pending, job.allocated, boot.asked, boot.registered, job.started, job.ended)
        assert (boot.registered.at - boot.asked.at).total_seconds() >= 1.0
        assert SLURM.nodes_up() == ("n0",)
        warm = cluster.submit("true")
        within(20, lambda: SLURM.over((warm,)))
        (job,) = SLURM.times_of((warm,))
        assert job.boots == ()
        assert (job.started.at - job.allocated.at).total_seconds() < 1.0
        within(60, lambda: SLURM.nodes_up() == ())

"""Delays from what an arm did, and the simulator held against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings

from perfdb.families.schedulers.arms import Policy, parse
from perfdb.families.schedulers.outcome import ArmRun, Outcome
from perfdb.families.schedulers.plan import Delays
from perfdb.families.schedulers.simulator.against import against, policy_of
from perfdb.families.schedulers.simulator.fit import fitted
from perfdb.families.schedulers.simulator.policies import POLICIES
from perfdb.families.schedulers.simulator.simulate import simulate
from perfdb.families.schedulers.workload.job import WorkJob
from tests.families.schedulers.simulator.lists import LONG_S, listed, lists, quarters

# One after another: no two fit beside each other on 3 nodes.
IN_TURN = listed(*((number / 2, 2 + number % 2, 3.0, 60.0) for number in range(8)))


def ran(
    jobs: Sequence[WorkJob], schedule_s: float, release_s: float, policy: Policy = "fifo", nodes: int = 3
) -> ArmRun:
    """An arm whose delays are known."""
    delays = Delays(schedule_s=schedule_s, release_s=release_s)
    return ArmRun(1, 1, "slurm:builtin", nodes, tuple(simulate(jobs, nodes, POLICIES[policy], delays, LONG_S)))


def changed(run: ArmRun, **changes: float | None) -> ArmRun:
    return replace(run, outcomes=tuple(replace(one, **changes) for one in run.outcomes))


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=30)
@given(jobs=lists(widest=3), schedule_s=quarters(0, 8), release_s=quarters(0, 8))
def test_delays_of_an_arm_that_has_the_same_ones_always_are_found_again(
    policy: Policy, jobs: tuple[WorkJob, ...], schedule_s: float, release_s: float
) -> None:
    assert fitted([ran(jobs, schedule_s, release_s, policy)]).delays == Delays(
        schedule_s=schedule_s, release_s=release_s
    )


def test_the_median_of_all_iterations_is_taken() -> None:
    runs = [ran(IN_TURN, 0.25, 0.5), ran(IN_TURN, 0.75, 0.0), ran(IN_TURN, 9.0, 0.25)]
    assert fitted(runs).delays == Delays(schedule_s=0.75, release_s=0.25)


def test_a_scheduler_that_looks_every_so_often_has_a_cycle() -> None:
    """A program begins 0.05 s after a look; after 3 s of it and 0.02 s more its nodes wait 0.93 s for the next."""
    delays = Delays(schedule_s=0.05, release_s=0.02, cycle_s=1.0)
    runs = [ArmRun(1, 1, "slurm", 3, tuple(simulate(IN_TURN, 3, POLICIES["fifo"], delays, LONG_S)))]
    found = fitted(runs).delays
    assert (found.schedule_s, found.release_s) == (0.05, 0.02)
    assert found.cycle_s == pytest.approx(1.0, abs=0.002)


def test_a_rhythm_of_the_jobs_is_no_cycle_of_the_scheduler() -> None:
    """Each begins 0.9 s after the one before gave up its nodes, so every 4 s."""
    assert fitted([ran(IN_TURN, 0.9, 0.1), ran(IN_TURN, 0.9, 0.1)]).cycle_s == 0.0
    late = ran(IN_TURN, 0.9, 0.1)
    given = tuple(replace(one, allocated_s=one.started_s) for one in late.outcomes)
    assert fitted([replace(late, outcomes=given)]).delays == Delays(schedule_s=0.9, release_s=0.1)


def test_a_job_that_was_cut_off_does_not_count() -> None:
    run = ran(IN_TURN[:1], 0.25, 0.5)
    late = replace(ran(IN_TURN[:1], 5.0, 5.0).outcomes[0], state="NODE_FAIL")
    assert fitted([run, replace(run, outcomes=(late,))]).schedule_s == (0.25,)


def test_where_nobody_knows_when_nodes_are_free_it_all_counts_as_schedule_delay() -> None:
    """The first of the jobs waited for nobody."""
    found = fitted([changed(ran(IN_TURN, 0.25, 0.5), released_s=None)])
    assert (found.schedule_s, found.release_s) == ((0.25, *[0.75] * 7), ())
    assert found.delays == Delays(schedule_s=0.75, release_s=0.0)


def test_where_nobody_knows_when_nodes_were_given_it_is_the_same() -> None:
    assert fitted([changed(ran(IN_TURN, 0.25, 0.5), allocated_s=None)]).delays == Delays(schedule_s=0.25, release_s=0.5)


def test_what_the_job_says_itself_comes_first() -> None:
    """It is 0.25 s later than the scheduler thinks."""
    run = ran(IN_TURN[:1], 0.5, 0.5)
    (one,) = run.outcomes
    inside = changed(run, inside_began_s=(one.started_s or 0.0) + 0.25, inside_ended_s=(one.ended_s or 0.0) + 0.125)
    assert fitted([inside]).delays == Delays(schedule_s=0.75, release_s=0.375)


def test_an_arm_that_tells_nothing_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="no job of it"):
        fitted([changed(ran(IN_TURN, 0.5, 0.5), started_s=None)])


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_the_simulated_makespan_is_set_against_the_median_of_the_measured_ones(factor: float) -> None:
    """8 jobs in turn, 3.5 s each, of which the last one's release is nobody's: 8 times 3.5 less 0.25."""
    real = [ran(IN_TURN, 0.25, 0.25), ran(IN_TURN, 0.25, 0.25), ran(IN_TURN, 9.0, 9.0)]
    found = against(real, "fifo", Delays(schedule_s=0.25 * factor, release_s=0.25 * factor))
    took = 8 * (3 + factor * 0.5) - factor * 0.25
    assert (found.simulated_s, found.measured_s) == (took, (27.75, 27.75, 159.0))
    assert found.off_percent == pytest.approx(100 * (took / 27.75 - 1))


def test_a_list_that_an_arm_got_twice_is_simulated_once() -> None:
    run = ran(IN_TURN, 0.25, 0.25)
    twice = replace(run, outcomes=(*run.outcomes, *(replace(one, batch=2) for one in run.outcomes)))
    found = against([twice], "fifo", Delays(schedule_s=0.25, release_s=0.25))
    assert (found.simulated_s, found.measured_s) == (27.75, (27.75, 27.75))


def test_an_arm_that_never_finished_is_held_against_nothing() -> None:
    cut = ran(IN_TURN, 0.25, 0.25)
    first: Outcome = replace(cut.outcomes[0], ended_s=None, state="RUNNING", seen_until_s=99.0)
    with pytest.raises(ValueError, match="never finished"):
        against([replace(cut, outcomes=(first, *cut.outcomes[1:]))], "fifo", Delays(schedule_s=0, release_s=0))


@pytest.mark.parametrize(
    ("arm", "policy"),
    [
        ("slurm", "easy"),
        ("slurm:builtin+linear", "fifo"),
        ("mini-slurm", "mini-slurm"),
        ("slurm:backfill+requeue", None),
        ("slurm=here", None),
        ("kubernetes:default", None),
        ("simulated:easy", None),
    ],
)
def test_each_arm_has_its_policy_or_none(arm: str, policy: Policy | None) -> None:
    assert policy_of(parse(arm)[0]) == policy

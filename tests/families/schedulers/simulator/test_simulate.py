"""The simulator, by cases that can be followed by hand."""

from __future__ import annotations

import pytest

from perfdb.families.schedulers.arms import Policy
from perfdb.families.schedulers.outcome import Outcome
from perfdb.families.schedulers.plan import Delays
from perfdb.families.schedulers.simulator.policies import POLICIES
from perfdb.families.schedulers.simulator.simulate import simulate
from perfdb.families.schedulers.workload.job import WorkJob
from tests.families.schedulers.simulator.lists import LONG_S, NONE, listed

# 3 of 4 nodes for 10 s, a job as wide as the machine, and two short ones behind it.
CLOG = listed((0.0, 3, 10.0, 10.0), (1.0, 4, 2.0, 2.0), (2.0, 1, 3.0, 3.0), (3.0, 1, 3.0, 6.0))
EVERY_SECOND = Delays(schedule_s=0.0, release_s=0.0, cycle_s=1.0)


def seen(
    jobs: tuple[WorkJob, ...], policy: Policy, delays: Delays = NONE, patience_s: float = LONG_S
) -> dict[int, Outcome]:
    """By their numbers, on 4 nodes."""
    return {one.work.job: one for one in simulate(jobs, 4, POLICIES[policy], delays, patience_s)}


def starts(jobs: tuple[WorkJob, ...], policy: Policy, delays: Delays = NONE) -> list[float | None]:
    """When each program begins."""
    found = seen(jobs, policy, delays)
    return [found[number].started_s for number in sorted(found)]


def test_first_come_first_served_the_wide_job_keeps_the_short_ones_waiting() -> None:
    assert starts(CLOG, "fifo") == [0.0, 10.0, 12.0, 12.0]


@pytest.mark.parametrize("policy", ["easy", "mini-slurm"])
def test_what_is_over_before_the_wide_job_can_start_is_filled_in(policy: Policy) -> None:
    """The first short one ends at 5; the second could last until 11 then, after the wide one's turn."""
    assert starts(CLOG, policy) == [0.0, 10.0, 2.0, 12.0]


@pytest.mark.parametrize("policy", ["easy", "mini-slurm"])
def test_what_the_head_leaves_over_is_filled_in_for_any_time(policy: Policy) -> None:
    """At 10 the head takes 3 of 4 nodes; one job of one node may hold the fourth as long as it likes, and not two."""
    jobs = listed((0.0, 2, 10.0, 10.0), (1.0, 3, 1.0, 1.0), (2.0, 1, 50.0, 50.0), (2.0, 1, 50.0, 50.0))
    assert starts(jobs, policy) == [0.0, 10.0, 2.0, 11.0]


@pytest.mark.parametrize("policy", ["easy", "mini-slurm"])
def test_what_becomes_free_at_one_moment_is_free_together(policy: Policy) -> None:
    """At 10 all 4 nodes are free, of which the head takes 3."""
    jobs = listed((0.0, 2, 10.0, 10.0), (0.0, 1, 10.0, 10.0), (1.0, 3, 1.0, 1.0), (2.0, 1, 50.0, 50.0))
    assert starts(jobs, policy) == [0.0, 0.0, 10.0, 2.0]


@pytest.mark.parametrize("policy", ["easy", "mini-slurm"])
def test_a_job_that_ends_before_its_limit_lets_the_head_start_then(policy: Policy) -> None:
    jobs = listed((0.0, 3, 4.0, 10.0), (1.0, 4, 1.0, 1.0))
    assert starts(jobs, policy) == [0.0, 4.0]


@pytest.mark.parametrize("policy", list(POLICIES))
def test_a_job_that_is_not_over_at_its_limit_is_ended_then(policy: Policy) -> None:
    (one,) = seen(listed((0.0, 1, 5.0, 3.0)), policy).values()
    assert (one.state, one.started_s, one.ended_s) == ("TIMEOUT", 0.0, 3.0)


@pytest.mark.parametrize("policy", list(POLICIES))
def test_a_job_that_ends_at_its_limit_completed(policy: Policy) -> None:
    (one,) = seen(listed((0.0, 1, 3.0, 3.0)), policy).values()
    assert one.state == "COMPLETED"


@pytest.mark.parametrize("policy", list(POLICIES))
def test_delays_lie_before_the_program_and_after_it(policy: Policy) -> None:
    """Two jobs as wide as the machine: 0.5 s until the first begins, 2 s of it, 0.25 s until its nodes are free."""
    delays = Delays(schedule_s=0.5, release_s=0.25)
    first, second = seen(listed((1.0, 4, 2.0, 9.0), (1.0, 4, 2.0, 9.0)), policy, delays).values()
    assert (
        first.submitted_s,
        first.eligible_s,
        first.allocated_s,
        first.started_s,
        first.ended_s,
        first.released_s,
    ) == (1.0, 1.0, 1.0, 1.5, 3.5, 3.75)
    assert (second.allocated_s, second.started_s, second.ended_s, second.released_s) == (3.75, 4.25, 6.25, 6.5)


def test_a_scheduler_that_looks_every_second_does_so_in_the_middle_of_it() -> None:
    """Nodes are free again at 2.25, and again at 5.25: the next looks are at 2.5 and 5.5."""
    jobs = listed((0.0, 4, 1.75, 9.0), (0.0, 4, 2.75, 9.0), (0.5, 4, 1.0, 9.0))
    assert starts(jobs, "fifo", EVERY_SECOND) == [0.5, 2.5, 5.5]


def test_backfill_looks_when_the_others_are_looked_for() -> None:
    assert starts(CLOG[:3], "easy", EVERY_SECOND) == [0.5, 10.5, 2.5]


def test_backfill_looks_after_who_is_in_front_was_started() -> None:
    """At 1.5 the second job starts, and the fourth, which it leaves room for, behind the third, which waits for it."""
    jobs = listed((0.0, 4, 0.25, 1.0), (0.25, 3, 8.0, 8.0), (0.25, 4, 1.0, 1.0), (0.25, 1, 5.0, 5.0))
    assert starts(jobs, "easy", EVERY_SECOND) == [0.5, 1.5, 9.5, 1.5]


def test_a_job_beside_one_that_was_just_started_is_over_later_by_the_same_limit() -> None:
    """The wide job could start as soon as either has gone, so it is delayed by the one that is filled in; without cycles it is not."""
    jobs = listed((0.0, 2, 8.0, 9.0), (0.0, 3, 1.0, 9.0), (0.0, 2, 8.0, 9.0))
    assert starts(jobs, "easy", EVERY_SECOND) == [0.5, 8.5, 9.5]
    assert starts(jobs, "easy") == [0.0, 8.0, 0.0]


@pytest.mark.parametrize("policy", list(POLICIES))
def test_what_is_not_over_when_patience_is_stays_with_what_is_known_of_it(policy: Policy) -> None:
    """Watched until 1 + 4: the first ended, the second runs, the third waits."""
    jobs = listed((0.0, 4, 2.0, 9.0), (1.0, 4, 9.0, 9.0), (1.0, 4, 1.0, 9.0))
    first, second, third = seen(jobs, policy, patience_s=4.0).values()
    assert (first.state, first.seen_until_s) == ("COMPLETED", None)
    assert (second.state, second.started_s, second.ended_s, second.seen_until_s) == ("RUNNING", 2.0, None, 5.0)
    assert (third.state, third.submitted_s, third.allocated_s, third.seen_until_s) == ("PENDING", 1.0, None, 5.0)


@pytest.mark.parametrize("policy", list(POLICIES))
def test_a_program_that_had_not_begun_when_patience_was_over_has_no_start(policy: Policy) -> None:
    (one,) = seen(listed((0.0, 1, 1.0, 1.0)), policy, Delays(schedule_s=5.0, release_s=0.0), patience_s=2.0).values()
    assert (one.state, one.allocated_s, one.started_s, one.nodes) == ("RUNNING", 0.0, None, "0")


@pytest.mark.parametrize("policy", list(POLICIES))
def test_a_job_that_is_wider_than_the_machine_is_in_nobodys_way(policy: Policy) -> None:
    wide, other = seen(listed((0.0, 5, 1.0, 1.0), (0.0, 4, 1.0, 1.0)), policy, patience_s=9.0).values().__reversed__()
    assert (wide.state, wide.seen_until_s) == ("PENDING", 9.0)
    assert other.started_s == 0.0


@pytest.mark.parametrize("policy", list(POLICIES))
def test_a_job_gets_the_lowest_numbers_that_are_free(policy: Policy) -> None:
    """0-1 and 3 are free when the last one comes."""
    jobs = listed((0.0, 2, 1.0, 1.0), (0.0, 1, 9.0, 9.0), (0.0, 1, 1.0, 1.0), (2.0, 3, 1.0, 1.0))
    assert [one.nodes for _, one in sorted(seen(jobs, policy).items())] == ["0-1", "2", "3", "0-1,3"]


def test_a_long_queue_is_kept_in_its_order() -> None:
    """1,500 jobs that arrive at once, each as wide as the machine; every third is narrow, and fits nowhere."""
    jobs = listed(*((0.0, 4 - (number % 3 == 0), 1.0, 1.0) for number in range(1500)))
    assert [float(number) for number in range(1500)] == starts(jobs, "easy")


def test_gaps_in_a_long_queue_are_closed() -> None:
    """A job holds one node for 10,000 s, and the next wants all 4; of 1,500 behind them every one but those of 4 fits."""
    narrow = [(1.0, 4 if number % 10 == 0 else 3, 1.0, 1.0) for number in range(1500)]
    jobs = listed((0.0, 1, 10_000.0, 10_000.0), (0.5, 4, 1.0, 1.0), *narrow)
    assert starts(jobs, "easy") == starts(jobs, "mini-slurm")
    begun = starts(jobs, "easy")
    filled = [at_s for at_s, job in zip(begun, jobs, strict=True) if job.nodes == 3]
    waited = [at_s for at_s, job in zip(begun, jobs, strict=True) if job.nodes == 4]
    assert [1.0 + number for number in range(1350)] == filled
    assert [10_000.0 + number for number in range(151)] == waited

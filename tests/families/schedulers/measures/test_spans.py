"""Times of one job."""

from __future__ import annotations

import pytest

from perfdb.families.schedulers.measures.spans import (
    bounded_slowdown,
    is_settled,
    run_s,
    slowdown_of,
    stamps_off,
    total_time_s,
    turnaround_s,
    wait_s,
)
from tests.families.schedulers.done import job


def test_a_job_submitted_at_5_that_runs_from_20_to_50_waited_15_ran_30_and_took_45() -> None:
    done = job(1, 5, 20, 50)
    assert (wait_s(done), run_s(done), turnaround_s(done), total_time_s(done)) == (15, 30, 45, 45)
    assert slowdown_of(done) == 1.5


def test_a_jobs_own_stamps_go_before_the_schedulers_except_in_its_total_time() -> None:
    done = job(1, 5, 20, 50, inside=(21, 48))
    assert (wait_s(done), run_s(done), turnaround_s(done), total_time_s(done)) == (16, 27, 43, 45)


def test_slowdown_of_a_job_that_never_waited_is_one_however_short_it_is() -> None:
    assert bounded_slowdown(60, 60) == 1.0
    assert bounded_slowdown(0.1, 0.1) == 1.0
    assert bounded_slowdown(0.0, 0.0) == 1.0


@pytest.mark.parametrize(
    ("wait", "run", "slowdown"),
    # The bound: a 1 s job that waits 99 s has slowdown 100, and bounded slowdown 10; from 10 s on both are the same.
    [(99, 1, 10.0), (90, 10, 10.0), (100, 100, 2.0), (5, 1, 1.0)],
)
def test_short_jobs_count_as_ten_seconds_long(wait: float, run: float, slowdown: float) -> None:
    assert bounded_slowdown(wait + run, run) == slowdown


def test_a_job_that_was_cut_off_has_waited_but_has_no_turnaround() -> None:
    running = job(1, 0, 4, watched=100)
    assert wait_s(running) == 4
    assert (run_s(running), turnaround_s(running), total_time_s(running), slowdown_of(running)) == (None,) * 4


def test_a_job_that_never_began_has_no_wait() -> None:
    assert wait_s(job(1, 0, watched=100)) is None


def test_a_job_that_failed_at_once_is_not_a_quick_one() -> None:
    failed = job(1, 0, 1, 1.1, state="FAILED")
    assert not is_settled(failed)
    assert turnaround_s(failed) is None


def test_a_time_out_that_the_list_planned_is_an_end_and_any_other_is_none() -> None:
    assert is_settled(job(1, 0, 0, 30, state="TIMEOUT", run=90, limit=30))
    assert not is_settled(job(1, 0, 0, 30, state="TIMEOUT", run=20, limit=30))


def test_a_clock_that_is_behind_makes_no_wait_of_less_than_nothing() -> None:
    assert wait_s(job(1, 5, 5, 9, inside=(4.99, 9))) == 0.0


def test_a_job_that_says_itself_that_it_was_over_is_censored_where_its_scheduler_never_did() -> None:
    lost = job(1, 0, 4, watched=90, state="COMPLETED", inside=(4, 9))
    assert not is_settled(lost)
    assert turnaround_s(lost) is None


@pytest.mark.parametrize(
    ("stamps", "inside", "off_s"),
    [
        ({}, (21, 48), 0),
        ({}, (None, None), 0),
        ({"allocated": 18, "released": 52}, (18, 52), 0),
        ({}, (17, 48), 3),
        ({}, (21, 54), 4),
        ({}, (-50, 48), 70),
        ({"released": 52}, (21, 54), 2),
        ({}, (48, 21), 27),
        ({"allocated": 3}, (21, 48), 2),
        ({"allocated": 26}, (30, 48), 6),
        ({"eligible": 22}, (21, 48), 2),
        ({"released": 49}, (21, 48), 1),
    ],
)
def test_stamps_that_contradict_each_other_say_by_how_much(
    stamps: dict[str, float], inside: tuple[float | None, float | None], off_s: float
) -> None:
    assert stamps_off(job(1, 5, 20, 50, inside=inside, **stamps)) == off_s


def test_what_is_not_known_of_a_clock_excuses_the_jobs_own_stamps_and_not_the_schedulers() -> None:
    assert stamps_off(job(1, 5, 20, 50, inside=(17, 48)), 1) == 2
    assert stamps_off(job(1, 5, 20, 50, inside=(17, 48)), 5) == 0
    assert stamps_off(job(1, 5, 20, 50, allocated=3), 5) == 2


def test_of_a_job_that_waits_no_stamp_is_off() -> None:
    assert stamps_off(job(1, 5, watched=100)) == 0

"""All that an arm says in one iteration, on the clog that everybody knows."""

from __future__ import annotations

import pytest

from perfdb.families.schedulers.measures.figures import figures
from tests.families.schedulers.done import arm, job

# Four nodes; a 3-wide job of 30 s, a 4-wide of 20 s, and a short one of 10 s behind it. First come, first served:
FIFO = arm(job(1, 0, 0, 30, nodes=3), job(2, 0, 30, 50, nodes=4), job(3, 0, 50, 60, user=1))
# Backfill puts the short one beside the first.
EASY = arm(job(1, 0, 0, 30, nodes=3), job(2, 0, 30, 50, nodes=4), job(3, 0, 0, 10, user=1))


def test_first_come_first_served_by_hand() -> None:
    found = figures(FIFO)
    assert found["makespan_s"] == 60
    assert found["wait_s"] == pytest.approx(80 / 3)
    assert found["wait_p50_s"] == 30
    assert found["turnaround_s"] == found["total_time_s"] == pytest.approx(140 / 3)
    # 30/30, 50/20, 60/10
    assert found["bounded_slowdown"] == pytest.approx((1 + 2.5 + 6) / 3)
    assert found["utilisation"] == pytest.approx((90 + 80 + 10) / 240)
    assert found["held_idle_node_s"] == 0
    # Users: 1.75 and 6. Sizes: 1, 2.5 and 6.
    assert found["jain_users"] == pytest.approx(7.75**2 / (2 * (1.75**2 + 36)))
    assert found["jain_sizes"] == pytest.approx(9.5**2 / (3 * (1 + 6.25 + 36)))
    assert found["completed_share"] == 1
    assert found["longest_clog_s"] == 30
    assert (found["queue_node_s"], found["run_node_s"]) == (4 * 30 + 50, 180)


def test_backfill_by_hand() -> None:
    found = figures(EASY)
    assert (found["makespan_s"], found["wait_s"]) == (50, 10)
    assert found["utilisation"] == pytest.approx(180 / 200)
    assert found["longest_clog_s"] == 30


def test_with_a_stuck_job_only_what_it_cannot_spoil_is_stated() -> None:
    found = figures(arm(job(1, 0, 0, 30, nodes=3), job(2, 0, 40, 50, nodes=4), job(3, 0, watched=300)))
    assert set(found) == {"wait_p50_s", "turnaround_p50_s", "completed_share", "longest_clog_s"}
    assert (found["wait_p50_s"], found["turnaround_p50_s"]) == (40, 50)
    assert found["completed_share"] == pytest.approx(2 / 3)
    assert found["longest_clog_s"] == 260


def test_a_job_that_failed_is_neither_a_value_nor_a_bound() -> None:
    found = figures(arm(job(1, 0, 0, 30), job(2, 0, 0, 1, state="FAILED"), job(3, 0, 0, 40)))
    assert set(found) == {"wait_s", "wait_p50_s", "completed_share", "longest_clog_s"}


def test_an_arm_without_jobs_says_nothing() -> None:
    assert figures(arm()) == {}

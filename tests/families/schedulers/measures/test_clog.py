"""No start although jobs wait."""

from __future__ import annotations

from perfdb.families.schedulers.measures.clog import longest_clog
from tests.families.schedulers.done import job


def test_a_wide_job_that_shorts_wait_behind_is_the_one_that_blocks() -> None:
    # Three of four nodes are busy until 30; the 4-wide job 2 waits for all, and 3 and 4 wait behind it, though one node is free.
    clog = longest_clog(
        (
            job(1, 0, 0, 30, nodes=3),
            job(2, 1, 30, 40, nodes=4),
            job(3, 2, 40, 42),
            job(4, 3, 40, 42),
            job(5, 31, 40, 42),
        )
    )
    assert clog is not None
    assert (clog.from_s, clog.until_s, clog.head, clog.waiting, clog.is_open) == (1, 30, (1, 2), 3, False)
    assert clog.lasted_s == 29


def test_shorts_that_slip_past_a_wide_job_break_the_clog() -> None:
    clog = longest_clog((job(1, 0, 0, 30, nodes=3), job(2, 1, 30, 40, nodes=4), job(3, 2, 12, 14), job(4, 3, 24, 26)))
    assert clog is not None
    assert (clog.from_s, clog.until_s, clog.head) == (12, 24, (1, 2))


def test_a_stuck_job_clogs_for_as_long_as_it_was_watched() -> None:
    clog = longest_clog((job(1, 0, 0, 10), job(2, 4, watched=304), job(3, 5, 6, 7)))
    assert clog is not None
    assert (clog.from_s, clog.until_s, clog.head, clog.is_open) == (6, 304, (1, 2), True)


def test_an_empty_queue_is_no_clog() -> None:
    assert longest_clog((job(1, 0, 0, 10), job(2, 500, 500, 510))) is None
    assert longest_clog(()) is None


def test_a_clog_begins_when_a_job_comes_not_at_a_start_long_before() -> None:
    clog = longest_clog((job(1, 0, 0, 10), job(2, 500, 507, 510)))
    assert clog is not None
    assert (clog.from_s, clog.until_s) == (500, 507)


def test_a_job_waits_only_once_it_may_run() -> None:
    clog = longest_clog((job(1, 0, 95, 99, eligible=90),))
    assert clog is not None
    assert (clog.from_s, clog.until_s) == (90, 95)


def test_a_job_that_leaves_the_queue_without_a_start_ends_its_wait() -> None:
    # 1 is cancelled at 20 without having begun; 2 came at 15 and began at 40. Nothing began from 0 to 40.
    cancelled = job(1, 0, None, 20, state="CANCELLED")
    clog = longest_clog((cancelled, job(2, 15, 40, 50)))
    assert clog is not None
    assert (clog.from_s, clog.until_s, clog.head) == (0, 40, (1, 2))
    alone = longest_clog((cancelled, job(2, 30, 31, 50)))
    assert alone is not None
    assert (alone.from_s, alone.until_s, alone.is_open) == (0, 20, False)


def test_the_head_of_a_later_batch_is_told_with_its_batch() -> None:
    clog = longest_clog((job(7, 0, 1, 2), job(7, 100, 130, 140, batch=2)))
    assert clog is not None
    assert clog.head == (2, 7)


def test_a_clog_that_a_start_ended_is_over_though_watching_ended_then_too() -> None:
    clog = longest_clog((job(1, 0, 50, 60), job(2, 0, watched=50)))
    assert clog is not None
    assert (clog.until_s, clog.waiting, clog.is_open) == (50, 2, False)

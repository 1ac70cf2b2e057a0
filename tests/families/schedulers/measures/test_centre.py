"""Means and medians, with jobs that were cut off among them."""

from __future__ import annotations

from perfdb.families.schedulers.measures.centre import mean_of, median_of


def test_a_mean_with_an_unknown_value_is_not_stated() -> None:
    assert mean_of([1, 2, 6]) == 3
    assert mean_of([1, 2, None]) is None
    assert mean_of([]) is None


def test_a_median_stands_where_the_longest_half_was_cut_off_above_it() -> None:
    # Whatever above 50 the last two took, the middle one of five is 30.
    assert median_of([10, 20, 30], [50, 50]) == 30
    assert median_of([10, 20, 30, 40], []) == 25


def test_a_median_is_left_out_where_a_bound_lies_below_it() -> None:
    # The one that was cut off at 15 may have taken 16 or 60.
    assert median_of([10, 20, 30, 40], [15]) is None


def test_a_median_is_left_out_where_half_of_the_jobs_were_cut_off() -> None:
    assert median_of([10, 20], [50, 50]) is None
    assert median_of([], [50]) is None
    assert median_of([], []) is None

"""What an interval means in the metric's own direction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.compare.comparison import Interval
from perfdb.compare.statistics import mann_whitney_p, ratio_interval
from perfdb.compare.verdict import verdict

OPPOSITE = {"better": "worse", "worse": "better"}


def interval(low: float, high: float) -> Interval:
    return Interval(ratio=(low * high) ** 0.5, low=low, high=high, confidence=0.95, method="by hand")


@pytest.mark.parametrize(
    ("low", "high", "direction", "expected"),
    [
        (1.06, 1.20, "higher", "better"),
        (1.06, 1.20, "lower", "worse"),
        (0.80, 0.94, "higher", "worse"),
        (0.80, 0.94, "lower", "better"),
        (0.96, 1.04, "higher", "equivalent"),
        (0.96, 1.04, "none", "equivalent"),
        (1.04, 1.20, "higher", "undecided"),
        (0.80, 1.20, "lower", "undecided"),
        (1.06, 1.20, "none", "undecided"),
    ],
)
def test_a_verdict_follows_from_where_the_interval_lies(low: float, high: float, direction: str, expected: str):
    assert expected == verdict(interval(low, high), 0.01, direction)  # type: ignore[arg-type]


def test_a_direction_takes_a_small_p_too():
    assert verdict(interval(1.06, 1.20), 0.051, "higher") == "undecided"
    assert verdict(interval(1.06, 1.20), None, "higher") == "undecided"


def test_without_an_interval_nothing_is_decided():
    assert verdict(None, 0.001, "higher") == "undecided"


def test_a_wider_band_makes_of_a_difference_what_does_not_matter():
    assert verdict(interval(1.06, 1.09), 0.01, "higher") == "better"
    assert verdict(interval(1.06, 1.09), 0.01, "higher", band=0.10) == "equivalent"


@given(
    st.lists(st.floats(0.5, 2.0), min_size=5, max_size=10),
    st.lists(st.floats(0.5, 2.0), min_size=5, max_size=10),
    st.sampled_from(["higher", "lower"]),
)
def test_swapping_the_sides_turns_the_verdict_around(one: list[float], other: list[float], direction: str):
    p = mann_whitney_p(one, other)
    there = verdict(ratio_interval(one, other), p, direction)  # type: ignore[arg-type]
    back = verdict(ratio_interval(other, one), p, direction)  # type: ignore[arg-type]

    assert OPPOSITE.get(there, there) == back


@given(st.floats(0.01, 10), st.floats(1.0, 10), st.sampled_from(["better", "worse"]))
def test_what_is_better_higher_is_worse_lower(low: float, width: float, _wanted: str):
    found = interval(low, low * width)

    assert OPPOSITE.get(h := verdict(found, 0.01, "higher"), h) == verdict(found, 0.01, "lower")

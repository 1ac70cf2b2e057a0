"""Ratios, their intervals, and how sure they are: against scipy, against known truths, and under changes of scale."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.calibration import CHOSEN, lines
from perfdb.compare.stability import instability
from perfdb.compare.statistics import (
    blocked_mann_whitney_p,
    blocked_ratio_interval,
    cliffs_delta,
    false_discovery,
    mann_whitney_p,
    ratio_interval,
)

POSITIVE = st.floats(1e-3, 1e6, allow_nan=False)
SAMPLE = st.lists(POSITIVE, min_size=4, max_size=12)
DISTINCT = st.lists(POSITIVE, min_size=8, max_size=20, unique=True)


def test_the_ratio_is_the_median_of_all_ratios_of_one_to_the_other():
    # The nine ratios are 1/4, 1/2, 1, 1/2, 1, 2, 1, 2, 4: the middle one is 1.
    interval = ratio_interval([1.0, 2.0, 4.0], [1.0, 2.0, 4.0], confidence=0.8)

    assert interval is not None
    assert math.isclose(1.0, interval.ratio)


def test_three_against_three_never_give_a_95_percent_interval_and_four_do():
    assert ratio_interval([1, 2, 3], [4, 5, 6]) is None
    assert ratio_interval([1, 2, 3, 4], [5, 6, 7, 8]) is not None


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_what_is_zero_or_below_has_no_ratio_but_a_test(value: float):
    assert ratio_interval([value, 1, 2, 3, 4], [5, 6, 7, 8, 9]) is None
    assert mann_whitney_p([value, 1, 2, 3, 4], [5, 6, 7, 8, 9]) < 0.01


@given(DISTINCT, st.data())
def test_p_is_scipys_exact_one_where_no_values_are_equal(values: list[float], data: st.DataObject):
    cut = data.draw(st.integers(3, len(values) - 3))
    expected = stats.mannwhitneyu(values[:cut], values[cut:], method="exact").pvalue

    assert math.isclose(expected, mann_whitney_p(values[:cut], values[cut:]), rel_tol=1e-9)


@given(st.lists(st.integers(1, 4), min_size=5, max_size=20), st.lists(st.integers(1, 4), min_size=5, max_size=20))
def test_p_is_scipys_corrected_one_where_values_are_equal(one: list[int], other: list[int]):
    assume(len(set(one + other)) > 1)
    assume(len(set(one + other)) < len(one + other))
    expected = stats.mannwhitneyu(one, other, method="asymptotic").pvalue

    assert math.isclose(expected, mann_whitney_p(one, other), rel_tol=1e-9, abs_tol=1e-12)


@given(SAMPLE, SAMPLE)
def test_swapping_the_sides_turns_ratio_interval_and_delta_around_and_leaves_p(one: list[float], other: list[float]):
    there, back = ratio_interval(one, other), ratio_interval(other, one)

    assert there is not None
    assert back is not None
    assert math.isclose(there.ratio, 1 / back.ratio, rel_tol=1e-9)
    assert math.isclose(there.low, 1 / back.high, rel_tol=1e-9)
    assert math.isclose(there.high, 1 / back.low, rel_tol=1e-9)
    assert mann_whitney_p(one, other) == mann_whitney_p(other, one)
    assert cliffs_delta(one, other) == -cliffs_delta(other, one)


@given(SAMPLE, SAMPLE, st.floats(1e-3, 1e3))
def test_the_unit_of_the_values_does_not_matter(one: list[float], other: list[float], scale: float):
    before, after = ratio_interval(one, other), ratio_interval([v * scale for v in one], [v * scale for v in other])

    assert before is not None
    assert after is not None
    assert math.isclose(before.low, after.low, rel_tol=1e-9)
    assert math.isclose(before.high, after.high, rel_tol=1e-9)


@given(SAMPLE, SAMPLE, st.randoms())
def test_the_order_of_the_values_does_not_matter(one: list[float], other: list[float], rnd: random.Random):
    mixed = (rnd.sample(one, len(one)), rnd.sample(other, len(other)))

    assert ratio_interval(one, other) == ratio_interval(*mixed)
    assert mann_whitney_p(one, other) == mann_whitney_p(*mixed)


@given(SAMPLE, SAMPLE)
def test_the_ratio_lies_within_its_interval(one: list[float], other: list[float]):
    interval = ratio_interval(one, other)

    assert interval is not None
    assert interval.low <= interval.ratio <= interval.high


def test_what_a_sitting_does_to_both_sides_cancels_out():
    rng = random.Random(3)
    blocks = []
    for level in (100.0, 150.0, 60.0):
        baseline = [level * rng.lognormvariate(0, 0.01) for _ in range(4)]
        blocks.append((baseline, [1.1 * level * rng.lognormvariate(0, 0.01) for _ in range(4)]))
    apart = ratio_interval([v for b, _ in blocks for v in b], [v for _, o in blocks for v in o])
    interval = blocked_ratio_interval(blocks)

    assert interval is not None
    assert 1.08 < interval.low < interval.ratio < interval.high < 1.12
    assert blocked_mann_whitney_p(blocks) < 0.001
    # Thrown together, the sittings hide it.
    assert apart is not None
    assert apart.low < 1 < apart.high


def test_blocks_of_one_pair_each_are_a_sign_test():
    # All of six pairs one way: 2 in 2^6.
    assert math.isclose(2 / 64, blocked_mann_whitney_p([([float(i)], [i + 0.5]) for i in range(6)]))


def test_many_values_give_the_interval_that_few_hundreds_of_pairs_would(monkeypatch: pytest.MonkeyPatch):
    rng = random.Random(5)
    one = [rng.lognormvariate(0, 0.1) for _ in range(300)]
    other = [rng.lognormvariate(0.02, 0.1) for _ in range(200)]
    kept = ratio_interval(one, other)
    monkeypatch.setattr("perfdb.compare.statistics._MOST_KEPT_PAIRS", 10)
    counted = ratio_interval(one, other)

    assert kept is not None
    assert counted is not None
    for name in ("ratio", "low", "high"):
        assert math.isclose(getattr(kept, name), getattr(counted, name), rel_tol=1e-12)


@given(DISTINCT, st.data())
def test_what_the_test_tells_apart_the_interval_does_too(values: list[float], data: st.DataObject):
    cut = data.draw(st.integers(4, len(values) - 4))
    interval = ratio_interval(values[:cut], values[cut:])

    assert interval is not None
    assert mann_whitney_p(values[:cut], values[cut:]) > 0.05 or not interval.low <= 1 <= interval.high


def test_false_discovery_leaves_one_p_and_raises_many():
    assert false_discovery([0.04]) == (0.04,)
    assert all(math.isclose(0.04, p) for p in false_discovery([0.01, 0.02, 0.03, 0.04]))
    assert false_discovery([]) == ()


@settings(max_examples=20)
@given(SAMPLE)
def test_a_sample_against_itself_differs_in_nothing(values: list[float]):
    interval = ratio_interval(values, values)

    assert interval is not None
    assert math.isclose(1.0, interval.ratio)
    assert cliffs_delta(values, values) == 0.0


def test_the_chosen_interval_keeps_its_promises_on_a_seeded_share_of_the_benchmark():
    found = list(lines([CHOSEN], cases=1000, seed=4))

    assert len(found) == 36
    assert [(line, broken) for line in found if (broken := list(line.broken()))] == []


EXTREME = st.one_of(
    st.sampled_from([5e-324, 1e-308, 1.0, 1e308, 1.7976931348623157e308]),
    st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.lists(EXTREME, min_size=1, max_size=8), st.lists(EXTREME, min_size=1, max_size=8))
@example([5e-324] * 5, [1e308] * 5)
@example([1e308] * 5, [5e-324] * 5)
def test_no_finite_values_are_too_large_or_too_small_to_be_compared(baseline: list[float], other: list[float]):
    found = ratio_interval(baseline, other)
    assert found is None or 0 < found.low <= found.ratio <= found.high < math.inf
    assert 0 <= mann_whitney_p(baseline, other) <= 1
    told = instability([*baseline, *other])
    assert told is None or ("nan" not in told and "inf" not in told)

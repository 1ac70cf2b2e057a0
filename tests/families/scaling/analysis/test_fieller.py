"""The interval of a ratio of two means."""

from __future__ import annotations

import math
import random
from statistics import fmean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_1samp, ttest_ind

from perfdb.families.scaling.analysis.fieller import fieller

values = st.lists(st.floats(1, 1000), min_size=2, max_size=8)


def score(numerator: list[float], denominator: list[float], ratio: float) -> float:
    """How many standard errors the difference at that ratio is from zero."""
    error = variance(numerator) / len(numerator) + ratio**2 * variance(denominator) / len(denominator)
    return (fmean(numerator) - ratio * fmean(denominator)) / math.sqrt(error)


@given(values, values)
def test_at_its_ends_the_t_test_just_does_not_reject(numerator: list[float], denominator: list[float]) -> None:
    if variance(numerator) < 1e-3 or variance(denominator) < 1e-3:
        return
    low, high = fieller(numerator, denominator)
    ratio = fmean(numerator) / fmean(denominator)
    assert low <= ratio <= high
    if low > 0 and high < math.inf:
        # The same t on either side.
        assert score(numerator, denominator, low) == pytest.approx(-score(numerator, denominator, high), rel=1e-6)


def test_against_a_constant_it_is_students_interval_of_a_mean() -> None:
    numerator = [3.0, 4.0, 5.0]
    low, high = fieller(numerator, [2.0, 2.0, 2.0])
    expected = ttest_1samp(numerator, 0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((expected.low / 2, expected.high / 2))


def test_the_degrees_of_freedom_are_welchs_for_the_denominator_times_the_ratio() -> None:
    numerator, denominator = [9.0, 10.0, 11.0, 14.0], [4.0, 5.0, 7.5]
    ratio = fmean(numerator) / fmean(denominator)
    welch = ttest_ind(numerator, [ratio * value for value in denominator], equal_var=False)
    low, high = fieller(numerator, denominator)
    assert score(numerator, denominator, low) == pytest.approx(t(welch.df).ppf(0.975))
    assert score(numerator, denominator, high) == pytest.approx(-t(welch.df).ppf(0.975))


def test_a_ratio_to_noise_has_no_upper_end() -> None:
    assert fieller([100.0, 101.0, 102.0], [1.0, 50.0, 100.0])[1] == math.inf


def test_values_that_do_not_vary_leave_nothing_open() -> None:
    assert fieller([6.0, 6.0], [2.0, 2.0, 2.0]) == (3.0, 3.0)


def test_it_holds_the_truth_as_often_as_it_says() -> None:
    """95 % of 400 is 380; below 360 falls one in thousands."""
    draw = random.Random(3)
    held = 0
    for _ in range(400):
        many = [draw.gauss(1500, 150) for _ in range(3)]
        one = [draw.gauss(500, 50) for _ in range(3)]
        low, high = fieller(many, one)
        held += low <= 3 <= high
    assert held >= 360

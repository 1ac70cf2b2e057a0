"""The interval that a headline is told with."""

from __future__ import annotations

import math
import random
import statistics
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from perfdb.compare.median import MedianInterval, interval_of_median


def test_three_repetitions_give_all_they_have_and_say_how_little_it_is():
    """The median lies outside when all three fall on one side of it: 2 x 1/8."""
    assert MedianInterval(1.0, 3.0, 0.75) == interval_of_median([3.0, 1.0, 2.0])


def test_six_repetitions_are_the_first_that_are_sure_enough():
    assert interval_of_median([1, 2, 3, 4, 5]).confidence == 1 - 2 / 32
    assert MedianInterval(1, 6, 1 - 2 / 64) == interval_of_median([6, 5, 4, 3, 2, 1])


def test_ten_repetitions_leave_out_one_at_each_end_as_a_binomial_table_says():
    assert MedianInterval(2, 9, 1 - 2 * 11 / 1024) == interval_of_median(range(1, 11))


def test_one_value_has_no_interval():
    assert interval_of_median([1.0]) is None


@pytest.mark.parametrize("count", [2, 3, 7, 20, 50, 101])
def test_it_is_the_narrowest_that_is_sure_enough(count):
    found = interval_of_median(range(1, count + 1))
    rank = int(found.low)
    assert found.high == count + 1 - rank
    assert found.confidence == pytest.approx(1 - 2 * binom.cdf(rank - 1, count, 0.5))
    assert found.confidence >= 0.95 or rank == 1
    assert 1 - 2 * binom.cdf(rank, count, 0.5) < 0.95 or 2 * (rank + 1) > count + 1


@given(st.integers(2, 200))
def test_it_is_what_its_definition_says(count):
    def confidence(rank):
        return 1.0 - 2 * sum(math.comb(count, below) for below in range(rank)) / (1 << count)

    rank = max((rank for rank in range(1, count // 2 + 1) if confidence(rank) >= 0.95), default=1)
    assert interval_of_median(range(1, count + 1)) == MedianInterval(rank, count + 1 - rank, confidence(rank))


def test_a_record_of_very_many_repetitions_keeps_nobody_waiting():
    begun = time.process_time()
    found = interval_of_median(range(1, 100_001))
    assert time.process_time() - begun < 5
    assert found.low == 49_690  # the table's normal approximation: 50,000 - 1.96 x sqrt(100,000) / 2
    assert 0.95 <= found.confidence < 0.951


def test_it_holds_the_true_median_as_often_as_it_says():
    draw = random.Random(7)
    held = 0
    for _ in range(4000):
        found = interval_of_median([draw.expovariate(1.0) for _ in range(10)])
        held += found.low <= 0.6931 <= found.high
    assert abs(held / 4000 - found.confidence) < 0.01


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=40))
def test_it_holds_the_median_of_the_repetitions_themselves(values):
    found = interval_of_median(values)
    assert found.low <= statistics.median(values) <= found.high

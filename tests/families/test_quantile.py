"""Quantiles as others compute them."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.quantile import quantile, supported

latencies = st.floats(0, 1e6)


@given(st.lists(latencies, min_size=1, max_size=200), st.floats(0, 1))
def test_quantiles_are_numpys(values, q):
    assert quantile(values, q) == pytest.approx(numpy.quantile(values, q), rel=1e-9, abs=1e-12)


@given(st.lists(latencies, min_size=1), st.floats(0, 1))
def test_a_quantile_lies_among_its_values(values, q):
    assert min(values) <= quantile(values, q) <= max(values)


@pytest.mark.parametrize(
    ("count", "q", "enough"), [(0, 0.5, False), (1, 0.5, False), (2, 0.5, True), (19, 0.95, False), (20, 0.95, True)]
)
def test_a_quantile_needs_a_value_beyond_it(count, q, enough):
    assert supported(count, q) == enough

"""Quantities as a person reads them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.units import bytes_, duration, quantity, significant


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (2.5e-6, "2.5 µs"),
        (0.00123456, "1.235 ms"),
        (0.25, "250 ms"),
        (1, "1 s"),
        (33.5, "33.5 s"),
        (119, "119 s"),
        (120, "2:00 min"),
        (125.4, "2:05 min"),
        (3599.6, "1:00:00"),
        (3661, "1:01:01"),
        (-0.25, "-250 ms"),
        (-130, "-2:10 min"),
        (-3661, "-1:01:01"),
        (math.inf, "inf s"),
        (math.nan, "nan s"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (733.142, "733.1"), (1234567.8, "1,234,568"), (0.00012345, "0.0001234"), (-2.5, "-2.5"), (100.0, "100")],
)
def test_significant_digits(value, text):
    assert significant(value) == text


@given(st.floats(1e-6, 1e12))
def test_rounding_for_reading_stays_close(value):
    assert float(significant(value).replace(",", "")) == pytest.approx(value, rel=1e-3)


@given(st.floats())
def test_any_number_can_be_read(value):
    assert duration(value).isprintable()
    assert quantity(value, "tasks/s").isprintable()
    assert bytes_(value).isprintable()


def test_a_quantity_carries_its_unit():
    assert quantity(733.142, "tasks/s") == "733.1 tasks/s"
    assert quantity(0.5, "s") == "500 ms"
    assert quantity(0.14, "1") == "0.14"
    assert quantity(3, "") == "3"
    assert quantity(1, "hosts") == "1 host"
    assert quantity(1, "sessions/s") == "1 sessions/s"
    assert quantity(1.5, "hosts") == "1.5 hosts"
    assert quantity(1536, "bytes") == "1.5 KiB"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (2**40, "1 TiB"), (2**60, "1,024 PiB")],
)
def test_bytes_have_binary_prefixes(count, text):
    assert bytes_(count) == text

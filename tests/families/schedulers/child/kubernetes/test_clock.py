"""A clock that shows whole seconds, known to better than a tenth of one by asking when they turn."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from perfdb.families.schedulers.child.kubernetes.clock import MOST_ASKED, measure, ns_of


@pytest.mark.parametrize("ahead_s", [0.0, 3.25, -86_400.4])
def test_an_offset_is_known_to_a_tenth_of_a_second_after_a_few_questions(ahead_s: float) -> None:
    asked = []

    def ask() -> tuple[str, float, float]:
        asked.append(time.time())
        return formatdate(asked[-1] + ahead_s, usegmt=True), asked[-1], asked[-1]

    found = measure(ask)
    assert found.uncertainty_s <= 0.1
    assert abs(found.seconds - ahead_s) <= found.uncertainty_s
    assert len(asked) <= MOST_ASKED


def test_a_server_that_is_slow_is_less_known_and_says_so() -> None:
    def ask() -> tuple[str, float, float]:
        now = time.time()
        return formatdate(now, usegmt=True), now - 1.0, now + 1.0

    found = measure(ask)
    assert found.uncertainty_s >= 1.0
    assert abs(found.seconds) <= found.uncertainty_s


def test_a_server_without_a_date_is_refused() -> None:
    with pytest.raises(ValueError, match="no Date"):
        measure(lambda: ("", 0.0, 0.0))


def test_a_clock_that_is_set_meanwhile_is_refused() -> None:
    dates = iter(["Thu, 01 Jan 1970 00:00:10 GMT", "Thu, 01 Jan 1970 01:00:00 GMT"])
    with pytest.raises(ValueError, match="set meanwhile"):
        measure(lambda: (next(dates), 0.0, 0.0))


@pytest.mark.parametrize(
    ("stamp", "ns"),
    [
        ("1970-01-01T00:00:07Z", 7_000_000_000),
        ("1970-01-01T00:00:07.000001Z", 7_000_001_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T00:00:00Z", None),
        ("soon", None),
        (None, None),
        (7, None),
    ],
)
def test_an_instant_is_read_as_kubernetes_writes_it(stamp: object, ns: int | None) -> None:
    assert ns_of(stamp) == ns

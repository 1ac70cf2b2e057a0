"""Faults that come as planned."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perfdb.services.lean.planned import Planned

shares = st.integers(0, 10_000).map(lambda number: number / 10_000)


def picked(share: float, seed: str, events: int) -> list[bool]:
    planned = Planned(share, seed)
    return [planned.next() for _ in range(events)]


@given(shares, st.text(max_size=5))
def test_of_ten_thousand_events_exactly_the_share_is_picked(share: float, seed: str):
    assert sum(picked(share, seed, 10_000)) == round(share * 10_000)


def test_one_in_a_hundred_is_one_in_every_hundred():
    events = picked(0.01, "7", 1000)
    assert [sum(events[at : at + 100]) for at in range(0, 1000, 100)] == [1] * 10


def test_the_same_seed_picks_the_same_and_another_picks_others():
    assert picked(0.1, "7", 1000) == picked(0.1, "7", 1000) != picked(0.1, "8", 1000)


def test_a_share_of_nothing_picks_none_and_a_share_of_all_picks_all():
    assert not any(picked(0, "7", 300))
    assert all(picked(1, "7", 300))

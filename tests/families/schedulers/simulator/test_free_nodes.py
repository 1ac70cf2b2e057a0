"""Ranges of free nodes, against a set of numbers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.schedulers.simulator.free_nodes import FreeNodes, Range, text_of
from tests.families.schedulers.simulator.lists import numbers


def test_ranges_read_like_lists_of_nodes() -> None:
    assert text_of(((0, 2), (5, 5), (7, 8))) == "0-2,5,7-8"


def test_more_than_there_are_cannot_be_had() -> None:
    free = FreeNodes(3)
    free.take(2)
    with pytest.raises(ValueError, match="not so many"):
        free.take(2)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=40))
def test_what_is_taken_is_what_a_set_would_give(steps: list[tuple[bool, int]]) -> None:
    free, as_set = FreeNodes(12), set(range(12))
    held: list[tuple[Range, ...]] = []
    for takes, count in steps:
        if takes and count <= len(as_set):
            taken = free.take(count)
            assert sorted(numbers(text_of(taken))) == sorted(as_set)[:count]
            assert all(before[1] + 1 < after[0] for before, after in pairwise(taken))
            as_set -= numbers(text_of(taken))
            held.append(taken)
        elif held and not takes:
            given_back = held.pop(count % len(held))
            free.give_back(given_back)
            as_set |= numbers(text_of(given_back))

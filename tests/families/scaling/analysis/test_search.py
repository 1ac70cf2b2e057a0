"""The next load to try."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from perfdb.families.scaling.analysis.ceiling import bracket_of
from perfdb.families.scaling.analysis.cells import Cell
from perfdb.families.scaling.analysis.search import Search, ending, next_try
from tests.families.scaling.analysis.oracle import BOUND_S, cell, fails, passes, searched

SEARCH = Search(start=32, largest=100_000, tries=300)
searches = st.builds(
    lambda start, growth, resolution, votes: Search(
        start=start, largest=100_000, growth=growth, resolution=resolution, votes=votes, tries=1000
    ),
    st.integers(1, 100_000),
    st.floats(1.1, 10),
    st.floats(0.01, 1),
    st.sampled_from([1, 3, 5]),
)


def exact(ceiling: int, load: int) -> Cell:
    return passes(load) if load <= ceiling else fails(load)


@given(searches, st.integers(1, 99_999))
def test_the_ceiling_of_a_service_without_noise_is_found_to_the_resolution(search: Search, ceiling: int) -> None:
    tried = searched(search, lambda load: exact(ceiling, load))
    bracket, above = bracket_of(tried, search.criterion)
    assert ending(search, tried) == "found"
    assert bracket.passed is not None
    assert bracket.failed is not None
    assert bracket.passed <= ceiling < bracket.failed
    assert bracket.failed - bracket.passed <= max(1, search.resolution * bracket.passed)
    assert above == ()


@given(searches, st.integers(20, 90_000), st.integers())
def test_the_ceiling_of_a_service_with_noise_within_the_margin_is_found_as_nearly(
    search: Search, ceiling: int, seed: int
) -> None:
    noise = random.Random(seed)

    def oracle(load: int) -> Cell:
        # Noise of up to 8 %, where 10 % are borderline: what is clear is true.
        return cell(load, BOUND_S * load / ceiling * noise.uniform(0.92, 1.08))

    tried = searched(search, oracle)
    bracket, _ = bracket_of(tried, search.criterion)
    assert ending(search, tried) == "found"
    assert bracket.passed is not None
    assert bracket.failed is not None
    assert bracket.passed <= ceiling * 1.09
    assert ceiling * 0.91 <= bracket.failed
    assert bracket.failed - bracket.passed <= max(1, search.resolution * bracket.passed)


@given(searches, st.lists(st.tuples(st.floats(0, 3 * BOUND_S), st.floats(0, 1), st.booleans()), min_size=1))
def test_a_search_ends_whatever_the_service_says(search: Search, answers: list[tuple[float, float, bool]]) -> None:
    count = 0

    def oracle(load: int) -> Cell:
        nonlocal count
        p99_s, success, valid = answers[count % len(answers)]
        count += 1
        return cell(load, p99_s, success, valid=valid)

    tried = searched(search, oracle)
    assert ending(search, tried) not in (None, "too many tries")
    assert max(Counter(one.load for one in tried).values()) <= max(2, search.votes)
    assert all(search.smallest <= one.load <= search.largest for one in tried)


@given(st.integers(1, 99_999))
def test_what_is_clear_is_never_asked_again_but_for_the_failure_that_ends_the_search(ceiling: int) -> None:
    tried = searched(SEARCH, lambda load: exact(ceiling, load))
    again = {load: times for load, times in Counter(one.load for one in tried).items() if times > 1}
    assert again == {bracket_of(tried, SEARCH.criterion)[0].failed: 2}


@given(st.integers(1, 99_999))
def test_a_search_takes_as_many_tries_as_growth_and_halving_ask_for(ceiling: int) -> None:
    tried = searched(SEARCH, lambda load: exact(ceiling, load))
    halvings = math.log2(math.log(2) / math.log(1.05))  # 3.8
    assert len(tried) <= abs(math.log2(ceiling / 32)) + halvings + 5


def test_a_grid_that_was_tried_is_where_the_search_goes_on() -> None:
    grid = [passes(32), passes(128), fails(512)]
    assert next_try(SEARCH, grid) == 256  # the geometric middle


def test_nothing_is_tried_twice_after_an_interruption() -> None:
    whole = searched(SEARCH, lambda load: exact(700, load))
    for end in range(len(whole)):
        assert searched(SEARCH, lambda load: exact(700, load), whole[:end]) == whole


def test_a_borderline_load_is_tried_until_most_agree() -> None:
    near_pass, near_fail = cell(32, BOUND_S * 0.97), cell(32, BOUND_S * 1.03)
    assert next_try(SEARCH, [near_pass]) == 32
    assert next_try(SEARCH, [near_pass, near_fail]) == 32
    assert next_try(SEARCH, [near_pass, near_fail, near_pass]) == 64
    assert next_try(SEARCH, [near_pass, near_pass]) == 64
    assert next_try(SEARCH, [near_fail, near_fail]) == 16


def test_two_clear_tries_that_disagree_are_decided_by_a_third() -> None:
    tried = [passes(32), passes(64), fails(64)]
    assert next_try(SEARCH, tried) == 64
    assert next_try(SEARCH, [*tried, passes(64)]) == 128


def test_a_success_share_near_its_bound_is_borderline_too() -> None:
    assert next_try(SEARCH, [cell(32, 1.1, 0.955)]) == 32
    assert next_try(SEARCH, [cell(32, 1.1, 0.945)]) == 32
    assert next_try(SEARCH, [cell(32, 1.1, 0.93)]) == 16


def test_borderline_loads_above_a_clear_failure_are_left_alone() -> None:
    assert next_try(SEARCH, [passes(32), fails(512), cell(1024, BOUND_S * 1.01)]) == 128


def test_a_pass_above_a_failure_does_not_end_a_search() -> None:
    assert next_try(SEARCH, [passes(32), fails(512), passes(1024)]) == 128


def test_a_hiccup_is_no_ceiling() -> None:
    hiccup = iter([fails(64)])
    tried = searched(SEARCH, lambda load: next(hiccup, passes(64)) if load == 64 else exact(1000, load))
    bracket, _ = bracket_of(tried, SEARCH.criterion)
    assert bracket.passed is not None
    assert 950 <= bracket.passed <= 1000


def test_the_largest_load_that_passes_ends_a_search_as_a_lower_bound() -> None:
    search = Search(start=32, largest=100)
    tried = searched(search, passes)
    assert [one.load for one in tried] == [32, 64, 100]
    assert ending(search, tried) == "above the largest"
    assert bracket_of(tried, search.criterion)[0].text() == "at least 100"


def test_the_smallest_load_that_fails_ends_it_too() -> None:
    search = Search(start=32, smallest=10, largest=100)
    tried = searched(search, fails)
    assert [one.load for one in tried] == [32, 16, 10, 10]
    assert ending(search, tried) == "below the smallest"


def test_loads_that_the_client_cannot_make_bound_the_search_and_are_no_failures() -> None:
    search = Search(start=32, largest=100_000)
    tried = searched(search, lambda load: cell(load, valid=load <= 300))
    bracket, _ = bracket_of(tried, search.criterion)
    assert ending(search, tried) == "not measurable"
    assert bracket.failed is None
    assert bracket.passed is not None
    assert 285 <= bracket.passed <= 300
    assert {times for load, times in Counter(one.load for one in tried).items() if load > 300} == {2}


def test_a_search_has_no_more_tries_than_it_may() -> None:
    search = Search(start=1, largest=100_000, growth=1.1, tries=7)
    tried = searched(search, passes)
    assert len(tried) == 7
    assert ending(search, tried) == "too many tries"


def test_a_search_that_goes_on_has_no_ending() -> None:
    assert ending(SEARCH, []) is None
    assert next_try(SEARCH, []) == 32


def test_a_search_over_broken_loads_is_refused() -> None:
    with pytest.raises(ValueError, match=r"whole loads, not 0\.5"):
        next_try(SEARCH, [passes(0.5)])


@pytest.mark.parametrize("odd", [{"start": 200}, {"smallest": 64}, {"votes": 2}])
def test_a_search_that_cannot_be_is_refused(odd: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Search(**{"start": 32, "largest": 100, **odd})

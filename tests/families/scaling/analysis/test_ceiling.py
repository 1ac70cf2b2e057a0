"""The largest load that a service bears."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.scaling.analysis.ceiling import Bracket, Ceiling, bracket_of, ceilings
from perfdb.families.scaling.analysis.cells import Cell, Criterion
from tests.families.scaling.analysis.oracle import cell, fails, passes

CRITERION = Criterion()
GRID = (32, 128, 512, 2048)


def repetition(number: int, ceiling: float, grid: tuple[int, ...] = GRID) -> list[Cell]:
    return [passes(n, repetition=number) if n <= ceiling else fails(n, repetition=number) for n in grid]


def of(*ceilings_: float, grid: tuple[int, ...] = GRID) -> Ceiling:
    cells = [one for number, ceiling in enumerate(ceilings_, 1) for one in repetition(number, ceiling, grid)]
    [found] = ceilings(cells, CRITERION)
    return found


def test_the_ceiling_is_the_largest_load_that_passed_and_lies_below_the_next_that_failed() -> None:
    assert of(512).bracket == Bracket(passed=512, failed=2048)
    assert of(512).search_text() == "from 512, which passed, to 2,048, which did not"


def test_a_load_that_passes_above_one_that_failed_does_not_raise_the_ceiling_and_is_told() -> None:
    bracket, above = bracket_of([passes(32), fails(128), passes(512), fails(2048)], CRITERION)
    assert bracket == Bracket(passed=32, failed=128)
    assert above == (512,)


def test_where_the_largest_load_passes_the_ceiling_is_a_lower_bound() -> None:
    assert of(math.inf).bracket.at_least
    assert of(math.inf).bracket.text() == "at least 2,048"
    assert (
        of(math.inf).search_text() == "the largest load that was tried passed: at least 2,048 sessions; try larger ones"
    )


def test_where_the_smallest_load_fails_the_ceiling_is_an_upper_bound() -> None:
    assert of(1).bracket == Bracket(passed=None, failed=32)
    assert of(1).search_text() == "already the smallest load failed (below 32 sessions)"


def test_a_load_without_a_valid_cell_neither_ends_a_ceiling_nor_raises_it() -> None:
    bracket, _ = bracket_of([passes(32), cell(128, 99.0, valid=False), passes(512), cell(2048, valid=False)], CRITERION)
    assert bracket == Bracket(passed=512, failed=None)


def test_three_repetitions_have_their_range_and_its_confidence() -> None:
    found = of(512, 2048, 128)
    assert found.bracket == Bracket(passed=512, failed=2048)
    assert (found.low, found.high) == (Bracket(passed=128, failed=512), Bracket(passed=2048, failed=None))
    assert found.confidence == 0.75
    assert found.only_a_range
    assert found.interval_text() == "128 to at least 2,048 (range of 3 repetitions: holds the median in 75 %)"


def test_nine_repetitions_have_order_statistics_for_95_percent() -> None:
    loads = tuple(range(10, 110, 10))
    found = of(*(10.0 * n for n in range(1, 10)), grid=loads)
    # Ranks 2 and 8 of 9: 1 - 2 (1 + 9) / 512 = 96.1 %.
    assert (found.low, found.high) == (Bracket(passed=20, failed=30), Bracket(passed=80, failed=90))
    assert found.bracket == Bracket(passed=50, failed=60)
    assert not found.only_a_range
    assert found.interval_text() == "20 to 80 (order statistics of 9 repetitions: holds the median in 96.1 %)"


def test_repetitions_that_agree_leave_no_wider_interval_than_themselves() -> None:
    found = of(*[512.0] * 7, 2048.0)
    assert found.low == found.bracket == Bracket(passed=512, failed=2048)


def test_one_repetition_has_no_interval() -> None:
    assert of(512).confidence is None
    assert of(512).interval_text() == "one repetition: no interval"


@given(st.lists(st.floats(1, 5000), min_size=1, max_size=12))
def test_the_median_of_the_true_ceilings_lies_in_the_bracket(truth: list[float]) -> None:
    found = of(*truth).bracket
    middle = sorted(truth)[(len(truth) - 1) // 2]
    assert (found.passed or 0) <= middle < (found.failed or math.inf)


def test_each_wait_has_its_own_ceiling() -> None:
    slow = [cell(n, 10.0 if n <= 32 else 12.0, wait_s=5.0) for n in GRID]
    one, five = ceilings([*slow, *repetition(1, 512)], CRITERION)
    assert (one.wait_s, one.bracket.passed) == (1.0, 512)
    assert (five.wait_s, five.bracket.passed) == (5.0, 32)


def test_invalid_cells_are_counted_and_a_wait_of_nothing_else_has_no_ceiling() -> None:
    [found] = ceilings([*repetition(1, 512), cell(9, valid=False), cell(1, wait_s=5.0, valid=False)], CRITERION)
    assert found.invalid_cells == 1


def test_a_load_that_was_voted_on_within_a_repetition_counts_once() -> None:
    bracket, _ = bracket_of([passes(32), passes(64), fails(64), passes(64), fails(128)], CRITERION)
    assert bracket == Bracket(passed=64, failed=128)

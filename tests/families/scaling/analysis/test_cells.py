"""When a service has borne a load."""

from __future__ import annotations

import pytest

from perfdb.families.scaling.analysis.cells import Cell, Criterion, by_load, pooled
from tests.families.scaling.analysis.oracle import cell, fails, passes

CRITERION = Criterion()


def test_the_bound_of_the_p99_is_twice_the_wait_and_half_a_second() -> None:
    assert CRITERION.p99_bound_s(1.0) == 3.0
    assert CRITERION.p99_bound_s(5.0) == 11.0
    assert Criterion(p99_factor=3, p99_slack_s=1).p99_bound_s(1.0) == 6.0


@pytest.mark.parametrize(
    ("tried", "met"),
    [
        (cell(32, 2.999, 1.0), True),
        (cell(32, 3.0, 1.0), False),  # below the bound, not at it
        (cell(32, 1.1, 0.95), True),  # at the share
        (cell(32, 1.1, 0.9499), False),
        (cell(32, None, 0.0), False),
        (cell(32, 10.9, 1.0, wait_s=5.0), True),
    ],
)
def test_a_load_is_borne_if_enough_succeed_and_are_quick_enough(tried: Cell, met: bool) -> None:
    assert CRITERION.met(tried) is met


def test_nineteen_of_twenty_are_95_percent_whatever_floats_do() -> None:
    for twenties in range(1, 500):
        assert CRITERION.met(cell(1, 1.1, 19 * twenties / (20 * twenties)))


def test_most_of_the_valid_cells_decide_and_a_tie_is_a_failure() -> None:
    assert CRITERION.verdict([passes(32), fails(32), passes(32)]) == "passed"
    assert CRITERION.verdict([passes(32), fails(32)]) == "failed"
    assert CRITERION.verdict([passes(32), cell(32, 99.0, valid=False)]) == "passed"
    assert CRITERION.verdict([cell(32, valid=False)]) == "unknown"


def test_cells_are_sorted_by_load() -> None:
    assert list(by_load([passes(64), passes(8), fails(64)])) == [8, 64]


def test_repetitions_of_several_runs_stay_apart() -> None:
    runs = [[passes(32), passes(64), passes(32, repetition=2)], [], [fails(32), fails(32, repetition=2)]]
    assert [(one.repetition, CRITERION.met(one)) for one in pooled(runs)] == [
        (1, True), (1, True), (2, True), (3, False), (4, False),
    ]  # fmt: skip

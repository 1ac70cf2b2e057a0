"""Rows for tables and charts."""

from __future__ import annotations

from perfdb.families.scaling.analysis.ceiling import Bracket, ceilings
from perfdb.families.scaling.analysis.cells import Cell, Criterion
from perfdb.families.scaling.analysis.tables import ceiling_rows, heat_squares, latency_rows
from tests.families.scaling.analysis.oracle import cell

CRITERION = Criterion()


def full(load: float, p99_s: float, repetition: int, **changes: object) -> Cell:
    numbers = {"p50_s": p99_s / 2, "p95_s": p99_s * 0.9, "sessions_per_s": load / p99_s, "success_share": 0.99}
    return cell(load, p99_s, repetition=repetition).model_copy(update=numbers | changes)


CELLS = (
    *[full(32, p99, n) for n, p99 in enumerate((1.0, 1.2, 1.1), 1)],
    *[full(64, p99, n) for n, p99 in enumerate((2.0, 4.0, 2.2), 1)],
    full(64, 50.0, 3, valid=False),
    full(64, 5.0, 1, wait_s=5.0),
)


def test_a_ceilings_row_says_how_the_service_did_there() -> None:
    one, five = ceiling_rows(ceilings(CELLS, CRITERION), CELLS)
    assert (one.wait_s, one.ceiling, one.repetitions) == (1.0, Bracket(passed=64, failed=None), 3)
    assert one.p99_s == 2.2  # of 2.0, 2.2 and 4.0; the invalid one is left out
    assert one.success_share == 0.99
    assert one.sessions_per_s == 64 / 2.2
    assert "range of 3 repetitions" in one.interval
    assert five.ceiling.text() == "at least 64"


def test_where_already_the_smallest_load_failed_nothing_is_told_of_it() -> None:
    cells = (full(32, 9.0, 1), full(64, 1.0, 1))
    [row] = ceiling_rows(ceilings(cells, CRITERION), cells)
    assert row.ceiling == Bracket(passed=None, failed=32)
    assert (row.p99_s, row.success_share, row.sessions_per_s) == (None, None, None)
    assert row.passed_above == (64,)


def test_latency_against_load_has_medians_and_how_many_passed() -> None:
    small, large, slow = latency_rows(CELLS, CRITERION)
    assert (small.wait_s, small.load, small.p50_s, small.p99_s) == (1.0, 32, 0.55, 1.1)
    assert (large.p99_low_s, large.p99_s, large.p99_high_s, large.p99_bound_s) == (2.0, 2.2, 4.0, 3.0)
    assert (large.passed, large.cells, large.invalid) == (2, 3, 1)
    assert (slow.wait_s, slow.p99_bound_s) == (5.0, 11.0)


def test_the_heat_map_has_a_square_for_each_load_and_wait_also_where_nothing_was_tried() -> None:
    squares = {(one.wait_s, one.load): one for one in heat_squares(CELLS, CRITERION)}
    assert set(squares) == {(1.0, 32), (1.0, 64), (5.0, 32), (5.0, 64)}
    empty = squares[5.0, 32]
    assert (empty.success_share, empty.p99_over_bound, empty.passed_share) == (None, None, None)
    assert squares[1.0, 64].passed_share == 2 / 3
    assert squares[1.0, 64].p99_over_bound == 2.2 / 3
    assert squares[5.0, 64].p99_over_bound == 5 / 11


def test_a_load_where_nothing_succeeded_has_no_latency() -> None:
    [row] = latency_rows([cell(9000, None, 0.0)], CRITERION)
    assert (row.p99_s, row.success_share, row.passed, row.cells) == (None, 0.0, 0, 1)

"""Cells and ceilings as the rows of tables and charts. Pure.

Of several valid cells of one load each number is their median; invalid cells are counted and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import Field

from perfdb.compare.median import median
from perfdb.families.scaling.analysis.ceiling import Bracket, Ceiling
from perfdb.families.scaling.analysis.cells import Cell, Criterion, Load, LoadUnit, Rate, Share
from perfdb.record.model import Frozen, Seconds

Count = Annotated[int, Field(ge=0)]


class CeilingRow(Frozen):
    """One wait: its ceiling, and how the service did there; without numbers where already the smallest load failed.

    Attributes:
        ceiling: Its bracket; `Bracket.text` says it.
        interval: Over repetitions, in words.
        p99_s: At the ceiling, like the next two.
        passed_above: Loads that passed above one that failed, in any repetition.
    """

    wait_s: Seconds
    unit: LoadUnit
    ceiling: Bracket
    interval: str
    repetitions: Count
    p99_s: Seconds | None
    success_share: Share | None
    sessions_per_s: Rate | None
    passed_above: tuple[Load, ...]


class LatencyRow(Frozen):
    """One load of one wait: a whole session's latency against it.

    Attributes:
        p99_low_s: Least p99 of any cell.
        p99_high_s: Greatest.
        p99_bound_s: What the criterion asks of the p99.
        passed: Valid cells that met the criterion, of `cells`.
        invalid: Cells that say nothing.
    """

    wait_s: Seconds
    load: Load
    p50_s: Seconds | None
    p95_s: Seconds | None
    p99_s: Seconds | None
    p99_low_s: Seconds | None
    p99_high_s: Seconds | None
    p99_bound_s: Seconds
    success_share: Share | None
    sessions_per_s: Rate | None
    passed: Count
    cells: Count
    invalid: Count


class HeatSquare(Frozen):
    """One square of load by wait; all None where that was not tried, or no cell is valid.

    Attributes:
        p99_over_bound: The p99 over what the criterion asks for: below 1 is fast enough.
        passed_share: Of the valid cells, those that met the criterion.
    """

    wait_s: Seconds
    load: Load
    success_share: Share | None
    p99_over_bound: Annotated[float, Field(ge=0)] | None
    passed_share: Share | None


def ceiling_rows(ceilings: Sequence[Ceiling], cells: Sequence[Cell]) -> tuple[CeilingRow, ...]:
    """The ceilings by wait, in their order.

    Args:
        cells: Those that the ceilings are of.
    """
    return tuple(_ceiling_row(ceiling, cells) for ceiling in ceilings)


def latency_rows(cells: Sequence[Cell], criterion: Criterion) -> tuple[LatencyRow, ...]:
    """Latency against load, by wait, then by load."""
    places = sorted({(cell.wait_s, cell.load) for cell in cells})
    return tuple(_latency_row(wait, load, _at(cells, wait, load), criterion) for wait, load in places)


def heat_squares(cells: Sequence[Cell], criterion: Criterion) -> tuple[HeatSquare, ...]:
    """Every load that was tried by every wait that was tried, whether both were tried together or not."""
    waits, loads = sorted({cell.wait_s for cell in cells}), sorted({cell.load for cell in cells})
    return tuple(_square(_latency_row(w, n, _at(cells, w, n), criterion)) for w in waits for n in loads)


def _at(cells: Sequence[Cell], wait_s: float, load: float) -> list[Cell]:
    return [cell for cell in cells if cell.wait_s == wait_s and cell.load == load]


def _ceiling_row(ceiling: Ceiling, cells: Sequence[Cell]) -> CeilingRow:
    load = ceiling.bracket.passed
    there = [] if load is None else [cell for cell in _at(cells, ceiling.wait_s, load) if cell.valid]
    above = {load for one in ceiling.repetitions for load in one.passed_above}
    return CeilingRow(
        wait_s=ceiling.wait_s,
        unit=ceiling.unit,
        ceiling=ceiling.bracket,
        interval=ceiling.interval_text(),
        repetitions=len(ceiling.repetitions),
        p99_s=_middle(there, lambda cell: cell.p99_s),
        success_share=_middle(there, lambda cell: cell.success_share),
        sessions_per_s=_middle(there, lambda cell: cell.sessions_per_s),
        passed_above=tuple(sorted(above)),
    )


def _latency_row(wait_s: float, load: float, there: Sequence[Cell], criterion: Criterion) -> LatencyRow:
    valid = [cell for cell in there if cell.valid]
    p99s = [cell.p99_s for cell in valid if cell.p99_s is not None]
    return LatencyRow(
        wait_s=wait_s,
        load=load,
        p50_s=_middle(valid, lambda cell: cell.p50_s),
        p95_s=_middle(valid, lambda cell: cell.p95_s),
        p99_s=_middle(valid, lambda cell: cell.p99_s),
        p99_low_s=min(p99s, default=None),
        p99_high_s=max(p99s, default=None),
        p99_bound_s=criterion.p99_bound_s(wait_s),
        success_share=_middle(valid, lambda cell: cell.success_share),
        sessions_per_s=_middle(valid, lambda cell: cell.sessions_per_s),
        passed=sum(map(criterion.met, valid)),
        cells=len(valid),
        invalid=len(there) - len(valid),
    )


def _square(row: LatencyRow) -> HeatSquare:
    return HeatSquare(
        wait_s=row.wait_s,
        load=row.load,
        success_share=row.success_share,
        p99_over_bound=None if row.p99_s is None or not row.p99_bound_s else row.p99_s / row.p99_bound_s,
        passed_share=row.passed / row.cells if row.cells else None,
    )


def _middle(cells: Sequence[Cell], of: Callable[[Cell], float | None]) -> float | None:
    values = [value for cell in cells if (value := of(cell)) is not None]
    return median(values) if values else None

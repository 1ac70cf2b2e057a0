"""The table beside a picture, which says the same in words. Pure."""

from __future__ import annotations

from perfdb.families.charts import Grid, Lines, PictureData, Stack
from perfdb.families.gantt import Gantt
from perfdb.families.spreads import Boxes, Curves, Differences, Staircases
from perfdb.report.charts.pictures.spread_tables import of_boxes, of_curves, of_differences, of_gantt, of_staircases
from perfdb.report.charts.pictures.table import Table
from perfdb.units import duration, quantity, significant


def table_of(data: PictureData) -> Table:
    """What the picture shows."""
    if isinstance(data, Lines):
        return _of_lines(data)
    if isinstance(data, Grid):
        return _of_grid(data)
    if isinstance(data, Stack):
        return _of_stack(data)
    if isinstance(data, Gantt):
        return of_gantt(data)
    if isinstance(data, Curves):
        return of_curves(data)
    if isinstance(data, Boxes):
        return of_boxes(data)
    if isinstance(data, Differences):
        return of_differences(data)
    if isinstance(data, Staircases):
        return of_staircases(data)
    total = sum(value for _, value in data.bars)
    return Table(
        (data.of, data.quantity, "share", "of the even share"),
        tuple((name, f"{value:,}", _percent(value, total), _percent(value, data.even)) for name, value in data.bars),
    )


def _of_lines(data: Lines) -> Table:
    """A row for each place where anything was measured; rules have no row of their own, and a column where they have a dot."""
    places = sorted({dot.x for line in data.lines if not line.rule for dot in line.dots})
    known = [{dot.x: dot for dot in line.dots} for line in data.lines]
    rows = []
    for x in places:
        cells = [f"{x:g}"]
        for at in known:
            dot = at.get(x)
            spread = ""
            if dot is not None and dot.low is not None and dot.high is not None and dot.low < dot.high:
                spread = f" ({quantity(dot.low, data.unit)} to {quantity(dot.high, data.unit)})"
            cells.append("" if dot is None else f"{quantity(dot.y, data.unit)}{spread}")
        rows.append(tuple(cells))
    return Table((data.x, *(line.name for line in data.lines)), tuple(rows))


def _of_grid(data: Grid) -> Table:
    known = {(square.row, square.column): square for square in data.squares}
    rows = []
    for row in data.rows:
        cells = [row]
        for column in data.columns:
            square = known.get((row, column))
            note = f" ({square.note})" if square is not None and square.note else ""
            cells.append("not tried" if square is None else f"{square.told}{note}")
        rows.append(tuple(cells))
    return Table((f"{data.down} \\ {data.across}", *data.columns), tuple(rows))


def _of_stack(data: Stack) -> Table:
    rows = []
    for layer in data.layers:
        steps = ", ".join(f"{held} from {duration(at)}" for at, held in layer.steps) or "none"
        rows.append((layer.label, layer.kind, "" if layer.arrived is None else duration(layer.arrived), steps))
    return Table(("of", "kind", "came at", data.quantity), tuple(rows))


def _percent(value: float, of: float) -> str:
    return f"{significant(100 * value / of, 3)} %" if of else ""

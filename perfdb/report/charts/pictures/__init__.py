"""What families have made for charts, as Vega-Lite documents and as tables that say the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from perfdb.families.charts import Grid, Lines, PictureData, Stack
from perfdb.families.gantt import Gantt
from perfdb.families.spreads import Boxes, Curves, Differences, Staircases
from perfdb.report.charts.ecdf import Samples, ecdf
from perfdb.report.charts.pictures.bars import bars
from perfdb.report.charts.pictures.boxes import boxes
from perfdb.report.charts.pictures.gantt import gantt
from perfdb.report.charts.pictures.grid import grid
from perfdb.report.charts.pictures.lines import lines
from perfdb.report.charts.pictures.stack import stack
from perfdb.report.charts.pictures.table import Table
from perfdb.report.charts.pictures.tables import table_of
from perfdb.report.charts.spec import WIDTH, Spec
from perfdb.report.charts.stages import Staircase, stages
from perfdb.report.charts.values import Group, repetitions

__all__ = ["Table", "bars", "boxes", "drawn", "gantt", "grid", "lines", "stack", "table_of"]


def drawn(data: PictureData, *, title: str = "", notes: Sequence[str] = (), width: int = WIDTH) -> Spec:
    """The chart of it."""
    if isinstance(data, Lines):
        return lines(data, title=title, notes=notes, width=width)
    if isinstance(data, Grid):
        return grid(data, title=title, notes=notes, width=width)
    if isinstance(data, Stack):
        return stack(data, title=title, notes=notes, width=width)
    if isinstance(data, Gantt):
        return gantt(data, title=title, notes=notes, width=width)
    if isinstance(data, Boxes):
        return boxes(data, title=title, notes=notes, width=width)
    notes = [*data.remarks, *notes]
    if isinstance(data, Curves):
        curves = [Samples(curve.label, curve.values, curve.larger) for curve in data.curves]
        return ecdf(
            curves,
            name=data.quantity,
            unit=data.unit,
            of=data.of,
            title=title,
            notes=notes,
            log=False,
            width=width,
        )
    if isinstance(data, Differences):
        groups = [Group(label, values) for label, values in data.rows]
        return repetitions(groups, name=data.quantity, unit=data.unit, title=title, notes=notes, zero=True, width=width)
    if isinstance(data, Staircases):
        cases = [Staircase(label, steps) for label, steps in data.groups]
        return stages(cases, name=data.quantity, unit=data.unit, title=title, notes=notes, width=width)
    return bars(data, title=title, notes=notes, width=width)

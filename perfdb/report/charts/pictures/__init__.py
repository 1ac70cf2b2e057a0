"""What families have made for charts, as Vega-Lite documents and as tables that say the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from perfdb.families.charts import Bars, Grid, Lines, Stack
from perfdb.report.charts.pictures.bars import bars
from perfdb.report.charts.pictures.grid import grid
from perfdb.report.charts.pictures.lines import lines
from perfdb.report.charts.pictures.stack import stack
from perfdb.report.charts.pictures.tables import Table, table_of
from perfdb.report.charts.spec import WIDTH, Spec

__all__ = ["Table", "bars", "drawn", "grid", "lines", "stack", "table_of"]


def drawn(data: Lines | Grid | Bars | Stack, *, title: str = "", notes: Sequence[str] = (), width: int = WIDTH) -> Spec:
    """The chart of it."""
    if isinstance(data, Lines):
        return lines(data, title=title, notes=notes, width=width)
    if isinstance(data, Grid):
        return grid(data, title=title, notes=notes, width=width)
    if isinstance(data, Stack):
        return stack(data, title=title, notes=notes, width=width)
    return bars(data, title=title, notes=notes, width=width)

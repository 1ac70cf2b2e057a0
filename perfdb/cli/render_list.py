"""Records as a list, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from perfdb.cli.printing import coloured, new_console, new_table, plain, shown_path
from perfdb.registry.index import spelled
from perfdb.units import quantity

if TYPE_CHECKING:
    from perfdb.registry.index import Cell, Column, Found

LIST_NAMES = {"record_id": "record", "started_at": "started (UTC)", "parsl_version": "parsl"}


def print_list(found: Found, columns: Sequence[Column], *, root: Path, default: bool) -> None:
    """A line a record.

    Args:
        root: The registry, named where nothing is found: it may be another than was thought.
        default: Nobody chose the columns: they get people's names, and the metrics share one, the headline.
    """
    console = new_console()
    if not found.view.rows:
        console.print(
            f"no records in {plain(shown_path(root))} yet. "
            "Make one: run-parsl-perf.py parsl-configs/local_htex.py --time 5"
        )
        return
    if not found.total:
        left_out = found.view.retracted and not found.retracted
        hint = " Withdrawn ones were not looked at: --retracted takes them in." if left_out else ""
        console.print(f"none of the {found.view.rows} records in {plain(shown_path(root))} matches.{hint}")
        return
    metrics = [column for column in columns if column.unit] if default else []
    others = [column for column in columns if column not in metrics]
    names = [LIST_NAMES.get(column.name, column.name) if default else column.name for column in others]
    table = new_table(*map(plain, names), *(["headline"] if default else []))
    headlines = found.rows(metrics) or [()] * len(found.places)
    for row, headline in zip(found.rows(others), headlines, strict=True):
        cells = [_cell(value, column) for value, column in zip(row, others, strict=True)]
        # Here a number stands without its metric's name, which would say so.
        told = (
            _cell(value, column) + (", simulated" if column.name.startswith("metric.simulated_") else "")
            for value, column in zip(headline, metrics, strict=True)
            if value is not None
        )
        table.add_row(*cells, *([next(told, "")] if default else []))
    console.print(table)
    if found.total > len(found.places):
        console.print(not_shown(found))


def not_shown(found: Found) -> str:
    """How many the limit left out, and how to see them."""
    more = found.total - len(found.places)
    return f"{more} more {'is' if more == 1 else 'are'} not shown: --limit {found.total} shows them."


def _cell(value: Cell, column: Column) -> str:
    """A value as people read it: a metric with its unit, an instant to the second, anything else as it is."""
    if column.name == "status":
        return coloured(str(value))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float) and (column.unit or column.name == "duration_s"):
        return plain(quantity(value, column.unit or "s"))
    return plain(spelled(value) or "")

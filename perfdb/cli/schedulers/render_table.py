"""What `perfdb schedulers table` found: as people read it, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from perfdb.cli.render_history import aligned
from perfdb.cli.terminal import printable

if TYPE_CHECKING:
    from perfdb.families.schedulers.analysis.table import By, Cell
    from perfdb.families.schedulers.analysis.warnings import Caveat

_WIDTH = 120
_SPREAD = "mean, and sample standard deviation (over n - 1), over jobs"


def print_table(
    cells: Sequence[Cell],
    metric: str,
    by: Sequence[By],
    caveats: Sequence[Caveat],
    left_out: Mapping[str, Sequence[str]],
) -> None:
    """A table for each run, or set of runs that are alike; then what to mind."""
    for (of, made, definition), group in groupby(cells, key=lambda cell: (cell.of, cell.made, cell.definition)):
        about = f"{made}: {of}" + (f"; total_time_s is {definition}" if definition else "")
        print(printable(about))
        for line in aligned([*_rows(list(group), metric, by)]):
            print(printable(f"  {line}"))
        print()
    for caveat in caveats:
        print(printable(f"{caveat.name}: {', '.join(caveat.of)}; {', '.join(caveat.runs)}"))
        for line in textwrap.wrap(caveat.evidence, _WIDTH - 2):
            print(printable(f"  {line}"))
    for why, ids in left_out.items():
        print(printable(f"left out, {why}: {', '.join(ids)}"))
    print(f"{_SPREAD}; no mean where a job has no value, which is one that was not seen to end")


def _rows(cells: Sequence[Cell], metric: str, by: Sequence[By]) -> Iterator[list[str]]:
    """Numbers to six decimals, under one another."""
    numbers = [[_number(value) for value in (cell.mean, cell.sd)] for cell in cells]
    heads = [f"{metric} mean", "deviation"]
    widths = [max(map(len, (head, *(row[place] for row in numbers)))) for place, head in enumerate(heads)]
    lacking = ["without value"] if any(cell.unknown for cell in cells) else []
    yield [*by, *(head.rjust(width) for head, width in zip(heads, widths, strict=True)), "jobs", *lacking]
    for cell, row in zip(cells, numbers, strict=True):
        told = [text.rjust(width) for text, width in zip(row, widths, strict=True)]
        yield [
            *(getattr(cell, name) for name in by),
            *told,
            f"{cell.jobs:>4}",
            str(cell.unknown) if cell.unknown else "",
        ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6f}"


def table_document(
    cells: Sequence[Cell], metric: str, caveats: Sequence[Caveat], left_out: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """For JSON; numbers whole."""
    return {
        "metric": metric,
        "spread": _SPREAD,
        "cells": [cell.document() for cell in cells],
        "warnings": [caveat.document() for caveat in caveats],
        "left_out": {why: list(ids) for why, ids in left_out.items()},
    }

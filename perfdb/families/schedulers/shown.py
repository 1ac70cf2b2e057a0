"""A record for people: mean and deviation by scheduler and experiment, as the seed of this family had them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from perfdb.families.base import Shown
from perfdb.families.schedulers.analysis.case import TOTAL, Case
from perfdb.families.schedulers.analysis.cases import cases_of
from perfdb.families.schedulers.analysis.table import By, Cell, table
from perfdb.record import Record
from perfdb.units import quantity

_UNKNOWN = "-"
# A trace may have jobs of hundreds of sizes: `perfdb schedulers table` shows them all.
_MOST_EXPERIMENTS = 12
HEADS = ("scheduler", "experiment", "jobs", "submit to end", "deviation", "wait")


def shown(record: Record, samples: Mapping[str, Sequence[Any]]) -> Shown:
    """A row for each scheduler and experiment, over all iterations; nothing of a record that no run could have made."""
    try:
        cases = cases_of(record, samples)
    except (ValueError, KeyError, TypeError):
        return Shown()
    rows = rows_of(cases)
    if not rows:
        return Shown()
    if len({experiment for _, experiment, *_ in rows}) > _MOST_EXPERIMENTS:
        rows = rows_of(cases, by=["scheduler"])
    further = (
        f"perfdb schedulers table {record.record_id}",
        f"perfdb report site 'record_id == {record.record_id}'",
    )
    return Shown((HEADS, *rows), further)


def rows_of(cases: Sequence[Case], by: Collection[By] = ("scheduler", "experiment")) -> list[tuple[str, ...]]:
    """The rows below HEADS, in the order of the arms; a line for each scheduler and experiment, or for each scheduler alone."""
    order = {name: place for place, name in reversed([*enumerate(case.scheduler for case in cases)])}
    waits = {(cell.scheduler, cell.experiment): cell for cell in table(cases, "wait_s", by)}
    cells = table(cases, TOTAL, by)
    found: list[tuple[str, ...]] = []
    for cell in sorted(cells, key=lambda cell: order[cell.scheduler]):
        wait = waits.get((cell.scheduler, cell.experiment))
        whose = f"{cell.scheduler} ({cell.made})" if cell.made != "measured" else cell.scheduler
        jobs = f"{cell.jobs}" + (f", {cell.unknown} not to their end" if cell.unknown else "")
        found.append((whose, cell.experiment or "all", jobs, _told(cell.mean), _told(cell.sd), _mean(wait)))
    return found


def _mean(cell: Cell | None) -> str:
    return _UNKNOWN if cell is None else _told(cell.mean)


def _told(seconds: float | None) -> str:
    return _UNKNOWN if seconds is None else quantity(seconds, "s")

"""A time of jobs by scheduler and experiment, as boxes for a figure. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from perfdb.errors import UsageError
from perfdb.families.charts import Picture
from perfdb.families.schedulers.analysis.case import TOTAL, Case
from perfdb.families.schedulers.analysis.table import By, natural
from perfdb.families.spreads import Box, Boxes
from perfdb.units import counted

# Of a job that was not over these are as long as it was watched, at least.
_WATCHED = (TOTAL, "turnaround_s", "wait_s")
_EVERY = "all"


def boxes_of(cases: Sequence[Case], metric: str, by: Collection[By]) -> Picture:
    """A box for each scheduler and experiment, or for each of either.

    Jobs that were not over when watching ended count as longer than all others. Those that failed have no time and no part.

    Args:
        metric: One that some case has values of.

    Raises:
        UsageError: the cases are of runs that are not to be drawn on one axis.
    """
    cases = [case for case in cases if case.values(metric) or any(row.is_censored for row in case.rows)]
    _must_be_alike(cases, metric)
    drawn: dict[tuple[str, str], list[Case]] = {}
    for case in sorted(cases, key=lambda case: (natural(case.experiment), natural(case.scheduler))):
        drawn.setdefault(_place(case, by), []).append(case)
    boxes = tuple(box for place, found in drawn.items() if (box := _box(place, found, metric)).values or box.at_least)
    definition = cases[0].definition if metric == TOTAL else ""
    quantity = definition or metric.removesuffix("_s").replace("_", " ")
    told_by = " and ".join(word for word in ("scheduler", "experiment") if word in by)
    return Picture(
        "table",
        f"{quantity[:1].upper()}{quantity[1:]}, by {told_by}",
        f"{metric} of jobs: quartiles with the median, the mean as a diamond, and whiskers to the farthest values within 1.5 "
        "times the box.",
        Boxes(
            "experiment",
            "scheduler",
            quantity,
            "s" if metric.endswith("_s") else "1",
            boxes,
            tuple(_said(cases, metric)),
        ),
    )


def _must_be_alike(cases: Sequence[Case], metric: str) -> None:
    """Raises UsageError unless there is one table, or the same records make all of them, as of measured and simulated arms."""
    tables: dict[str, set[str]] = {}
    for case in cases:
        definition = f" ({case.definition})" if metric == TOTAL else ""
        tables.setdefault(f"{case.made}: {case.of}{definition}", set()).add(case.record)
    if len({frozenset(records) for records in tables.values()}) > 1:
        told = "; ".join(f"{of}: {', '.join(sorted(records)[:3])}" for of, records in [*tables.items()][:5])
        raise UsageError(
            f"a figure is of one table, or of those that the same records make, and these are {len(tables)}, which are not to be "
            f"drawn on one axis. Name the records of one, such as perfdb schedulers table ID -o figure.svg. They are: {told}"
        )


def _place(case: Case, by: Collection[By]) -> tuple[str, str]:
    """Its group and series: experiments have rows and schedulers colours; where one is not told apart, the other has rows."""
    if "experiment" not in by:
        return case.scheduler, _EVERY
    return case.experiment, case.scheduler if "scheduler" in by else _EVERY


def _box(place: tuple[str, str], cases: Sequence[Case], metric: str) -> Box:
    values = tuple(value for case in cases for value in case.values(metric))
    return Box(*place, values, tuple(_at_least(cases, metric)))


def _at_least(cases: Sequence[Case], metric: str) -> Iterator[float]:
    for row in (row for case in cases for row in case.rows if metric not in row.values):
        if metric in _WATCHED and row.watched_s is not None:
            yield row.watched_s


def _said(cases: Sequence[Case], metric: str) -> Iterator[str]:
    """What was not measured here, and which jobs have no part, scheduler by scheduler."""
    for made, words in (("simulated", "Simulated, not measured"), ("imported", "Imported, not measured here")):
        if named := dict.fromkeys(case.scheduler for case in cases if case.made == made):
            yield f"{words}: {', '.join(sorted(named, key=natural))}."
    for scheduler in sorted({case.scheduler for case in cases}, key=natural):
        own = [case for case in cases if case.scheduler == scheduler]
        lacking = sum(metric not in row.values for case in own for row in case.rows)
        if without := lacking - sum(1 for _ in _at_least(own, metric)):
            yield f"{scheduler}: without {counted(without, 'job')} of which it is not known."

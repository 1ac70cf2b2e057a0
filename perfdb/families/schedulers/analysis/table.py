"""Mean and deviation by scheduler and experiment; unlike things are never one number. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal

from perfdb.families.schedulers.analysis.case import TOTAL, Case, Made

By = Literal["scheduler", "experiment"]


@dataclass(frozen=True)
class Cell:
    """The jobs of one line of the table.

    Attributes:
        scheduler, experiment: "" for one by which the table does not tell them apart.
        definition: Of `total_time_s`; "" in a table of anything else.
        jobs: How many there are; `unknown`: those of them without a value, since they were not seen to end as planned.
        mean, sd: Of the values, where no job is without one; the deviation is the sample's (over n - 1), from two on.
    """

    scheduler: str
    experiment: str
    made: Made
    definition: str
    of: str
    jobs: int
    unknown: int
    mean: float | None
    sd: float | None
    records: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For JSON."""
        told: dict[str, Any] = {"scheduler": self.scheduler, "experiment": self.experiment, "made": self.made}
        told |= {"definition": self.definition, "of": self.of, "jobs": self.jobs, "without_value": self.unknown}
        told |= {"mean": self.mean, "sd": self.sd, "records": list(self.records)}
        return {name: value for name, value in told.items() if value != ""}


def metrics_of(cases: Sequence[Case]) -> list[str]:
    """What the cases have values of, in their order."""
    return list(dict.fromkeys(name for case in cases for row in case.rows for name in row.values))


def table(cases: Sequence[Case], metric: str, by: Collection[By]) -> list[Cell]:
    """One cell for all cases of one scheduler, experiment, way of making, definition and run, ordered by those: names by the
    numbers in them.

    Cases that have no value of the metric at all are left out.
    """
    found: dict[tuple[str, str, Made, str, str], list[Case]] = {}
    for case in cases:
        if not any(metric in row.values for row in case.rows) and not any(row.is_censored for row in case.rows):
            continue
        key = (
            case.scheduler if "scheduler" in by else "",
            case.experiment if "experiment" in by else "",
            case.made,
            case.definition if metric == TOTAL else "",
            case.of,
        )
        found.setdefault(key, []).append(case)
    ordered = sorted(found, key=lambda key: (*key[4:], *key[2:4], *map(natural, key[:2])))
    return [_cell(key, found[key], metric) for key in ordered]


def natural(name: str) -> list[str | int]:
    """What to order names by: numbers in them count as numbers, so that size-10 comes after size-2."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", name))]


def _cell(key: tuple[str, str, Made, str, str], cases: Sequence[Case], metric: str) -> Cell:
    jobs = sum(len(case.rows) for case in cases)
    values = [value for case in cases for value in case.values(metric)]
    is_whole = bool(values) and len(values) == jobs
    records = tuple(dict.fromkeys(case.record for case in cases))
    mean = fmean(values) if is_whole else None
    sd = stdev(values) if is_whole and len(values) > 1 else None
    return Cell(*key, jobs, jobs - len(values), mean, sd, records)

"""A run's own files, for whoever has tools for them: the table, every job, and the list as SWF. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from perfdb.families.base import Around, ChildRun
from perfdb.families.schedulers.analysis.case import TOTAL
from perfdb.families.schedulers.analysis.cases import cases_of
from perfdb.families.schedulers.analysis.table import table
from perfdb.families.schedulers.assemble import heard
from perfdb.families.schedulers.samples import COLUMNS, columns
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.workload.swf import write_swf
from perfdb.families.schedulers.workload.trace import trace_of_jobs
from perfdb.record import Record

FILES = ("table.csv", "jobs.csv", "workload.swf")
_JOB = COLUMNS.index("job")
_HEADS = ("scheduler", "experiment", "made", "definition", "jobs", "without_value", "mean", "sd")


def outputs(spec: SchedulersSpec, _: str, record: Record, runs: Sequence[ChildRun], __: Around) -> dict[str, bytes]:
    """The files by name: mean and deviation of `total_time_s` by scheduler and experiment, the samples, and what every arm got."""
    run = heard(spec, runs)
    samples = columns(run.jobs, spec.batches, run.told)
    cells = table(cases_of(record, samples), TOTAL, ("scheduler", "experiment")) if samples else []
    rows = [
        (c.scheduler, c.experiment, c.made, c.definition, c.jobs, c.unknown, _number(c.mean), _number(c.sd))
        for c in cells
    ]
    # Without the rows of the batches themselves, which are no jobs.
    jobs = [row for row in zip(*(samples[name] for name in COLUMNS), strict=True) if row[_JOB]] if samples else ()
    return {
        "table.csv": _csv(_HEADS, rows),
        "jobs.csv": _csv(COLUMNS, jobs),
        "workload.swf": write_swf(trace_of_jobs(run.jobs, spec.nodes)).encode(),
    }


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


def _csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(heads)
    lines.writerows(rows)
    return text.getvalue().encode()

"""Records of this family, measured ones and imported ones, as cases. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from perfdb.families.schedulers.analysis.case import (
    RUNNING_TO_END,
    START_TO_END,
    SUBMISSION_TO_END,
    TOTAL,
    Case,
    Made,
    Row,
)
from perfdb.families.schedulers.arms import is_simulated
from perfdb.families.schedulers.measures import spans
from perfdb.families.schedulers.outcome import ArmRun, Outcome
from perfdb.families.schedulers.reading import read
from perfdb.families.schedulers.workload.job import digest
from perfdb.record import Record

_OF_JOB: Mapping[str, Callable[[Outcome], float | None]] = {
    TOTAL: spans.total_time_s,
    "turnaround_s": spans.turnaround_s,
    "wait_s": spans.wait_s,
    "run_s": spans.run_s,
    "bounded_slowdown": spans.slowdown_of,
}
_INSTANTS = ("submitted_s", "started_s", "ended_s")
_IMPORTED = (TOTAL, "wall_time_s", "wait_s", "turnaround_s")
_LONGEST_S = 1e9
_SAME_S = 0.01
_MOST_TURNS = 1_000_000


def cases_of(record: Record, samples: Mapping[str, Sequence[Any]]) -> tuple[Case, ...]:
    """What a record of this family holds.

    Raises:
        KeyError: a column is not there.
        ValueError: it is none that could have been measured, or imported.
    """
    if record.origin.kind == "imported":
        return (_imported(record, samples),)
    return tuple(_measured(record, read(samples)))


def _measured(record: Record, runs: Sequence[ArmRun]) -> Iterator[Case]:
    rows: dict[tuple[str, str], list[Row]] = {}
    of: dict[str, str] = {}
    sizes: dict[tuple[str, str], set[int]] = {}
    for run in runs:
        if run.label not in of:
            jobs = sorted({o.work.job: o.work for o in run.outcomes}.values(), key=lambda job: job.job)
            of[run.label] = _of(record, digest(jobs), run.nodes, run.label)
        for outcome in run.outcomes:
            key = (run.label, outcome.work.experiment)
            rows.setdefault(key, []).append(_row(run, outcome))
            sizes.setdefault(key, set()).add(outcome.work.nodes)
    for (label, experiment), found in rows.items():
        size = sizes[label, experiment]
        yield Case(
            scheduler=label,
            experiment=experiment,
            made=_made(label),
            definition=SUBMISSION_TO_END,
            of=of[label],
            record=record.record_id,
            size=min(size) if len(size) == 1 else None,
            rows=tuple(found),
            span=(record.started_at.timestamp(), record.ended_at.timestamp()),
            is_dated=False,
        )


def _made(label: str) -> Made:
    return "simulated" if is_simulated(label) else "measured"


def _row(run: ArmRun, outcome: Outcome) -> Row:
    values = {name: value for name, of in _OF_JOB.items() if (value := of(outcome)) is not None}
    turn = (outcome.batch, run.iteration)
    submitted_s, until_s = outcome.submitted_s, outcome.seen_until_s
    watched_s = None if submitted_s is None or until_s is None else max(0.0, until_s - submitted_s)
    return Row(turn, submitted_s, outcome.began_s, outcome.over_s, values, TOTAL not in values, watched_s)


def _of(record: Record, list_sha256: str, nodes: int, label: str) -> str:
    """What tells a record's runs from those of another: the list of jobs itself, and where and as what it ran."""
    workload = record.config.name if record.config else record.run_name
    where = "" if _made(label) == "simulated" else f" on {record.environment.machine}"
    delays = (record.spec.get(name) for name in ("schedule_delay_s", "release_delay_s", "schedule_cycle_s"))
    what = f"jobs that {record.spec.get('job')}" if where else f"delays of {', '.join(map(str, delays))} s"
    return f"{workload}{where}: {nodes} nodes, {what}, list {list_sha256[:8]}"


def _imported(record: Record, samples: Mapping[str, Sequence[Any]]) -> Case:
    scheduler, experiment = record.params.get("scheduler"), record.params.get("experiment")
    if not isinstance(scheduler, str) or not isinstance(experiment, str):
        raise ValueError("it names no scheduler and experiment")
    names = [name for name in _IMPORTED if name in samples]
    columns = {name: _numbers(samples[name]) for name in (*names, *(n for n in _INSTANTS if n in samples))}
    count = len(samples[TOTAL])
    began_s = record.started_at.timestamp()
    turns = _turns(samples, count)
    if any(len(column) != count for column in columns.values()):
        raise ValueError("its columns are not of one length")
    for name in names:
        stated = record.metric(name)
        if stated is not None and [*stated.all_values] != columns[name]:
            raise ValueError(f"its {name} is not that of its samples")
    rows = []
    for place in range(count):
        values = {name: value for name in names if (value := columns[name][place]) is not None}
        submitted, started, ended = (_at(began_s, columns.get(name), place) for name in _INSTANTS)
        rows.append(Row(turns[place], submitted, started, ended, values, TOTAL not in values))
    size = record.params.get("size")
    is_dated = bool(rows) and all(row.ended_s is not None for row in rows)
    source = (record.origin.source or record.run_name).partition("#")[0]
    return Case(
        scheduler=scheduler,
        experiment=experiment,
        made="imported",
        definition=_definition(rows),
        of=source if is_dated else f"{source}, {record.started_at:%Y-%m-%d}",
        record=record.record_id,
        size=size if isinstance(size, int) and not isinstance(size, bool) else None,
        rows=tuple(rows),
        span=(began_s, record.ended_at.timestamp()) if is_dated else None,
        is_dated=is_dated,
    )


def _numbers(column: Sequence[Any]) -> list[float | None]:
    # No comparison with what is no number holds.
    if not all(value is None or (isinstance(value, int | float) and abs(value) <= _LONGEST_S) for value in column):
        raise ValueError("a time is no number")
    return [None if value is None else float(value) for value in column]


def _turns(samples: Mapping[str, Sequence[Any]], count: int) -> list[tuple[int, int] | None]:
    if "batch" not in samples or "iteration" not in samples:
        return [None] * count
    turns = list(zip(samples["batch"], samples["iteration"], strict=True))
    if len(turns) != count or not all(type(n) is int and 0 <= n <= _MOST_TURNS for turn in turns for n in turn):
        raise ValueError("a row is of no iteration")
    return [*turns]


def _at(began_s: float, column: Sequence[float | None] | None, place: int) -> float | None:
    since_s = None if column is None else column[place]
    return None if since_s is None else began_s + since_s


def _definition(rows: Sequence[Row]) -> str:
    """What `total_time_s` is, as far as the rows' instants tell; a table without any has it from submission on."""
    known = [(row, row.values[TOTAL]) for row in rows if TOTAL in row.values and row.started_s and row.ended_s]
    if not known:
        return SUBMISSION_TO_END
    from_submission = [abs(s - total) for row, total in known if (s := row.submission_to_end_s) is not None]
    if len(from_submission) < len(known):
        return START_TO_END
    return SUBMISSION_TO_END if fmean(from_submission) <= _SAME_S else RUNNING_TO_END

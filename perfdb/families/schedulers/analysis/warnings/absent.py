"""Jobs that left no result, and means over those that did. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from perfdb.families.schedulers.analysis.case import TOTAL, Case, Row
from perfdb.families.schedulers.analysis.warnings.caveat import Caveat, by_scheduler, seconds
from perfdb.units import counted

_MOST_NAMED = 6


def absent(cases: Sequence[Case]) -> Iterator[Caveat]:
    """`missing_jobs`, and `dropped_clogs` where no job of that scheduler is kept as one that did not end."""
    planned = _planned(cases)
    whole = sum(planned.values())
    for scheduler, mine in by_scheduler(cases).items():
        there = _counts(mine)
        lacking = {name: count - there.get(name, 0) for name, count in planned.items() if there.get(name, 0) < count}
        missing = sum(lacking.values())
        if not missing:
            continue
        yield Caveat(
            "missing_jobs",
            (scheduler,),
            f"{whole - missing} of {counted(whole, 'job')}: {_told(lacking, planned, mine)}",
        )
        if not any(row.is_censored for case in mine for row in case.rows):
            yield Caveat("dropped_clogs", (scheduler,), _survivors(mine, missing))


def _planned(cases: Sequence[Case]) -> Mapping[str, int]:
    """How many jobs of each experiment there would be if each scheduler had had what any other had.

    Iterations that lie before the last one of any experiment were run, since each goes through all experiments.
    """
    schedulers = by_scheduler(cases).values()
    names = dict.fromkeys(case.experiment for case in cases)
    if all(row.turn is not None for case in cases for row in case.rows):
        turns = _turns(cases)
        each = {name: max(_each(case) for case in cases if case.experiment == name) for name in names}
        return {name: len(turns) * each[name] for name in names}
    return {name: max(_counts(mine).get(name, 0) for mine in schedulers) for name in names}


def _turns(cases: Sequence[Case]) -> set[tuple[int, int]]:
    """Of every batch, each iteration from the first one, which others count from 0, to the last that anything is known of."""
    found = {row.turn for case in cases for row in case.rows if row.turn is not None}
    first = 0 if all(case.made == "imported" for case in cases) else 1
    last: dict[int, int] = {}
    for batch, iteration in found:
        last[batch] = max(last.get(batch, first), iteration)
    return {(batch, iteration) for batch, until in last.items() for iteration in range(first, until + 1)}


def _each(case: Case) -> int:
    """Jobs of one turn."""
    turns = [row.turn for row in case.rows]
    return max(map(turns.count, set(turns)), default=0) if len(turns) < 1000 else round(len(turns) / len(set(turns)))


def _counts(cases: Sequence[Case]) -> dict[str, int]:
    found: dict[str, int] = {}
    for case in cases:
        found[case.experiment] = found.get(case.experiment, 0) + len(case.rows)
    return found


def _told(lacking: Mapping[str, int], planned: Mapping[str, int], mine: Sequence[Case]) -> str:
    turns = {case.experiment: {row.turn for row in case.rows} for case in mine}
    told = []
    for name, count in list(lacking.items())[:_MOST_NAMED]:
        last = max((turn for turn in turns.get(name, set()) if turn is not None), default=None)
        until = f", the last there is iteration {last[1]}" if last is not None else ""
        told.append(f"{name} lacks {count} of {planned[name]}{until}")
    more = len(lacking) - _MOST_NAMED
    return "; ".join(told) + (f"; and {counted(more, 'more experiment')}" if more > 0 else "")


def _survivors(mine: Sequence[Case], missing: int) -> str:
    rows = [row for case in mine for row in case.rows]
    values = [value for row in rows if (value := _took(row)) is not None]
    if not values:
        return f"{counted(missing, 'job')} left nothing, and no row says that a job did not end"
    mean, longest = fmean(values), max(values)
    if_so = (mean * len(values) + longest * missing) / (len(values) + missing)
    return (
        f"no row says that a job did not end, so the mean of {seconds(mean)} is over the {len(values)} that did; were "
        f"{counted(missing, 'missing job')} as long as the longest of those, {seconds(longest)}, it would be {seconds(if_so)}, and "
        "a job that clogs takes longer"
    )


def _took(row: Row) -> float | None:
    since = row.submission_to_end_s
    return row.values.get(TOTAL) if since is None else since

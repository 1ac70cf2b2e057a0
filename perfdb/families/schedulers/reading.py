"""Samples, which may be a stranger's, as what became of the jobs of each arm. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import ValidationError

from perfdb.families.schedulers.arms import MOST_ARMS, parse
from perfdb.families.schedulers.outcome import ArmRun, Outcome
from perfdb.families.schedulers.samples import COLUMNS, LONGEST_S, MILESTONES, NOT_OVER
from perfdb.families.schedulers.workload.job import MOST_JOBS, MOST_NODES, WorkJob

_WHOLE = {
    "iteration": (1, 10_000),
    "batch": (1, 10_000),
    "arm": (1, MOST_ARMS),
    "job": (0, MOST_JOBS),
    "size": (0, MOST_NODES),
}
_RANGES = re.compile(r"[0-9,-]{0,100000}")
_STATE = re.compile(r"[A-Z_]{0,40}")


def read(samples: Mapping[str, Sequence[Any]]) -> tuple[ArmRun, ...]:
    """What the samples say, by iteration and arm; jobs in the order of their rows.

    Raises:
        KeyError: a column is not there.
        ValueError: a row is none that a run could have.
    """
    if not samples:
        return ()
    columns = {name: samples[name] for name in COLUMNS}
    _see_that_they_could_be(columns)
    found: dict[tuple[int, int], _Reading] = {}
    lists = _Lists()
    for values in zip(*columns.values(), strict=True):
        row = _Row(*values)
        key = (row.iteration, row.arm)
        if row.job == 0:
            if key not in found:
                found[key] = _Reading(_label(row.arm_name), row.size, row.at_s)
            found[key].begin(row)
        elif key not in found:
            raise ValueError(f"arm {row.arm} was not begun in iteration {row.iteration}")
        else:
            found[key].take(row, lists.work_of(row))
    for (iteration, arm), one in found.items():
        if not one.has_all(len(lists)):
            raise ValueError(f"arm {arm} of iteration {iteration} lacks jobs that others have")
    return tuple(
        ArmRun(iteration, arm, one.label, one.nodes, tuple(one.outcomes))
        for (iteration, arm), one in sorted(found.items())
    )


class _Row(NamedTuple):
    """One row, in the order of the columns."""

    iteration: int
    batch: int
    arm: int
    arm_name: str
    job: int
    size: int
    user: int | None
    experiment: str
    arrival_s: float | None
    run_s: float | None
    limit_s: float | None
    submitted_s: float | None
    eligible_s: float | None
    allocated_s: float | None
    started_s: float | None
    ended_s: float | None
    released_s: float | None
    inside_began_s: float | None
    inside_ended_s: float | None
    state: str
    nodes: str
    censored: bool
    at_s: float
    offset_s: float | None
    uncertainty_s: float | None


class _Lists:
    """Every job of the list once: each arm and iteration has the same ones."""

    def __init__(self) -> None:
        self._known: dict[int, WorkJob] = {}

    def __len__(self) -> int:
        return len(self._known)

    def work_of(self, row: _Row) -> WorkJob:
        """Raises ValueError where it is no job, or another one than before under its number."""
        known = self._known.get(row.job)
        if known is None:
            try:
                known = self._known[row.job] = WorkJob.model_validate(
                    {
                        "job": row.job,
                        "arrival_s": row.arrival_s,
                        "nodes": row.size,
                        "run_s": row.run_s,
                        "limit_s": row.limit_s,
                        "user": row.user,
                        "experiment": row.experiment,
                    }
                )
            except ValidationError as error:
                raise ValueError(f"job {row.job} is none that a list could have") from error
        same = (known.arrival_s, known.nodes, known.run_s, known.limit_s, known.user, known.experiment)
        if same != (row.arrival_s, row.size, row.run_s, row.limit_s, row.user, row.experiment):
            raise ValueError(f"job {row.job} is another one in arm {row.arm} of iteration {row.iteration}")
        return known


@dataclass
class _Reading:
    """What was read of one arm in one iteration until now."""

    label: str
    nodes: int
    at_s: float
    outcomes: list[Outcome] = field(default_factory=list)
    _batches: set[int] = field(default_factory=set)
    _jobs: set[tuple[int, int]] = field(default_factory=set)

    def begin(self, row: _Row) -> None:
        self._see_that_it_is_alike(row)
        if row.batch in self._batches or row.size != self.nodes or not row.size:
            raise ValueError(f"batch {row.batch} of arm {row.arm} was begun twice, or on other nodes")
        self._batches.add(row.batch)

    def take(self, row: _Row, work: WorkJob) -> None:
        self._see_that_it_is_alike(row)
        if row.batch not in self._batches or (row.batch, row.job) in self._jobs:
            raise ValueError(f"job {row.job} of arm {row.arm} came before its batch, or twice")
        self._jobs.add((row.batch, row.job))
        if row.censored != (row.state in NOT_OVER or row.ended_s is None):
            raise ValueError(f"job {row.job} is {row.state or 'not known'} and censored, or neither")
        seen_until_s = row.at_s if row.censored else None
        self.outcomes.append(
            Outcome(
                work=work,
                batch=row.batch,
                submitted_s=row.submitted_s,
                eligible_s=row.eligible_s,
                allocated_s=row.allocated_s,
                started_s=row.started_s,
                ended_s=row.ended_s,
                released_s=row.released_s,
                inside_began_s=row.inside_began_s,
                inside_ended_s=row.inside_ended_s,
                state=row.state,
                nodes=row.nodes,
                seen_until_s=seen_until_s,
            )
        )

    def has_all(self, jobs: int) -> bool:
        """Whether each of its batches has all jobs of a list with so many."""
        return len(self._jobs) == jobs * len(self._batches)

    def _see_that_it_is_alike(self, row: _Row) -> None:
        if (row.arm_name, row.at_s) != (self.label, self.at_s):
            raise ValueError(f"arm {row.arm} is two in iteration {row.iteration}")


def _label(name: object) -> str:
    """Raises ValueError where that is no arm as `--arms` would name it."""
    if isinstance(name, str):
        try:
            if [arm.label for arm in parse(name)] == [name]:
                return name
        except ValueError:
            pass
    raise ValueError("an arm has no name that --arms could say")


def _see_that_they_could_be(columns: Mapping[str, Sequence[Any]]) -> None:
    """Column by column, which is several times as fast as row by row."""
    for name, (least, most) in _WHOLE.items():
        column = columns[name]
        if _types(column) - {int} or (column and not least <= min(column) <= max(column) <= most):
            raise ValueError("a row of no iteration, batch, arm, job or size")
    if _types(columns["state"]) - {str} or not all(map(_STATE.fullmatch, set(columns["state"]))):
        raise ValueError("a state is no word")
    if _types(columns["nodes"]) - {str} or not all(map(_RANGES.fullmatch, set(columns["nodes"]))):
        raise ValueError("nodes are no ranges")
    if _types(columns["censored"]) - {bool} or None in columns["at_s"] or not _are_times(columns["at_s"]):
        raise ValueError("nobody says how long the jobs were watched")
    for name in (*(f"{milestone}_s" for milestone in MILESTONES), "offset_s", "uncertainty_s"):
        if not _are_times(columns[name], least_s=0.0 if name == "uncertainty_s" else -LONGEST_S):
            raise ValueError(f"{name} has a stamp that is no time")


def _types(column: Sequence[Any]) -> Set[type]:
    return set(map(type, column))


def _are_times(column: Sequence[Any], least_s: float = -LONGEST_S) -> bool:
    known = [number for number in column if number is not None]
    if _types(known) - {float} or not all(map(math.isfinite, known)):
        return False
    return not known or least_s <= min(known) <= max(known) <= LONGEST_S

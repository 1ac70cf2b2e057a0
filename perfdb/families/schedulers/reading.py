"""Samples, which may be a stranger's, as what became of the jobs of each arm. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import ValidationError

from perfdb.families.schedulers.arms import MOST_ARMS
from perfdb.families.schedulers.outcome import ArmRun, Outcome
from perfdb.families.schedulers.samples import COLUMNS, LONGEST_S, MILESTONES, NOT_OVER
from perfdb.families.schedulers.workload.job import MOST_JOBS, MOST_NODES, WorkJob

_MOST_ITERATIONS = _MOST_BATCHES = 10_000
_RANGES = re.compile(r"[0-9,-]{0,100000}")
_STATE = re.compile(r"[A-Z_]{0,40}")


def read(samples: Mapping[str, Sequence[Any]]) -> tuple[ArmRun, ...]:
    """What the samples say, by iteration and arm; jobs in the order of their rows.

    Raises:
        KeyError: a column is not there.
        ValueError: a row is none that a run could have.
    """
    found: dict[tuple[int, int], _Reading] = {}
    lists = _Lists()
    for values in zip(*(samples[name] for name in COLUMNS), strict=True) if samples else ():
        row = _Row(*values)
        _see_that_it_could_be(row)
        key = (row.iteration, row.arm)
        if row.job == 0:
            found.setdefault(key, _Reading(row.arm_name, row.size, row.at_s)).begin(row)
        elif key not in found:
            raise ValueError(f"arm {row.arm} was not begun in iteration {row.iteration}")
        else:
            found[key].take(row, lists.work_of(row))
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

    def _see_that_it_is_alike(self, row: _Row) -> None:
        if (row.arm_name, row.at_s) != (self.label, self.at_s):
            raise ValueError(f"arm {row.arm} is two in iteration {row.iteration}")


def _see_that_it_could_be(row: _Row) -> None:
    whole = (
        (row.iteration, 1, _MOST_ITERATIONS),
        (row.batch, 1, _MOST_BATCHES),
        (row.arm, 1, MOST_ARMS),
        (row.job, 0, MOST_JOBS),
        (row.size, 0, MOST_NODES),
    )
    if not all(type(number) is int and least <= number <= most for number, least, most in whole):
        raise ValueError("a row of no iteration, batch, arm, job or size")
    if not (isinstance(row.arm_name, str) and row.arm_name.isprintable() and 0 < len(row.arm_name) <= 200):
        raise ValueError("an arm has no name")
    if not (isinstance(row.state, str) and _STATE.fullmatch(row.state)):
        raise ValueError("a state is no word")
    if not (isinstance(row.nodes, str) and _RANGES.fullmatch(row.nodes)):
        raise ValueError("nodes are no ranges")
    if type(row.censored) is not bool or not _could_be(row.at_s):
        raise ValueError("nobody says how long the jobs were watched")
    stamps = (getattr(row, f"{name}_s") for name in MILESTONES)
    if not _all_could_be((*stamps, row.offset_s, row.uncertainty_s)):
        raise ValueError(f"job {row.job} has a stamp that is no time")


def _all_could_be(numbers: Iterable[float | None]) -> bool:
    return all(number is None or _could_be(number) for number in numbers)


def _could_be(number: object) -> bool:
    return isinstance(number, float) and abs(number) <= LONGEST_S

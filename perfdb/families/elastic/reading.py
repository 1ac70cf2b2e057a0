"""Samples, which may be a stranger's, as what was seen of each arm. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from perfdb.families.elastic.events import MOST_CPUS, MOST_GENERATIONS, MOST_JOBS, Arm, Milestone, Stage
from perfdb.families.elastic.mix import CLASSES, Class
from perfdb.families.elastic.samples import COLUMNS, COSTS, LONGEST_S
from perfdb.families.elastic.seen import JobSeen, ResizeSeen, Seen, in_order

_ARMS, _MILESTONES, _STAGES = get_args(Arm), get_args(Milestone), get_args(Stage)
_MOST_REPETITIONS = 1000


def read(samples: Mapping[str, Sequence[Any]]) -> list[Seen]:
    """What the samples say, by repetition and arm.

    Raises:
        KeyError: a column is not there.
        ValueError: a row is none that a run could have.
    """
    found: dict[tuple[int, str], _Reading] = {}
    for values in zip(*(samples[name] for name in COLUMNS), strict=True) if samples else ():
        row = _Row(*values)
        _see_that_it_could_be(row)
        key = (row.repetition, row.arm)
        if row.event == "offered":
            if key in found:
                raise ValueError(f"{row.arm} was begun twice in repetition {row.repetition}")
            found[key] = _Reading(row)
        elif key not in found:
            raise ValueError(f"{row.arm} was not begun in repetition {row.repetition}")
        else:
            found[key].take(row)
    return [found[key].whole() for key in sorted(found)]


class _Row(NamedTuple):
    """One row, in the order of the columns."""

    repetition: int
    arm: Arm
    job: int
    of: Class
    event: Any
    word: str
    generation: int
    at_s: float | None
    since_s: float | None
    cpus: int | None
    cpus_from: int | None
    value: float | None


class _Reading:
    """What was read of one arm until now."""

    def __init__(self, row: _Row) -> None:
        given, there = _whole(row.cpus), _whole(row.cpus_from)
        if not given or not there:
            raise ValueError("nothing is offered")
        self._seen = Seen(row.repetition, row.arm, row.word, given, there, _there(row.value))
        self._resizes: dict[tuple[int, int], ResizeSeen] = {}

    def take(self, row: _Row) -> None:
        if row.event == "others":
            self._seen.others_share = _there(row.value)
        elif row.event == "planned":
            planned = JobSeen(row.job, row.of, _there(row.at_s), _whole(row.value), _whole(row.cpus))
            self._seen.jobs[row.job] = planned
        elif row.job not in self._seen.jobs or self._seen.jobs[row.job].of != row.of:
            raise ValueError(f"job {row.job} is none of the mix")
        elif row.event == "allocation":
            self._seen.steps.append((_there(row.at_s), row.job, _whole(row.cpus)))
        elif row.event in _STAGES or row.event in COSTS:
            self._of_resize(row)
        else:
            self._of_job(self._seen.jobs[row.job], row)

    def _of_job(self, job: JobSeen, row: _Row) -> None:
        if row.event == "done":
            job.done = _whole(row.value)
        elif row.event in _MILESTONES:
            job.at[row.event] = _there(row.at_s)
            if row.event == "ended":
                job.state, job.cpu_s = row.word, row.value
        else:
            raise ValueError(f"{row.event!r} is nothing that happens")

    def _of_resize(self, row: _Row) -> None:
        if row.generation < 1:
            raise ValueError("resizes are counted from 1")
        resize = self._resizes.setdefault(
            (row.job, row.generation), ResizeSeen(row.job, row.generation, _whole(row.cpus_from), _whole(row.cpus))
        )
        if row.event in _STAGES:
            resize.at[row.event] = _there(row.at_s)
            if row.event == "signalled":
                resize.processes = _whole(row.value)
        elif row.event == "lost_units":
            resize.lost_units = _whole(row.value)
        elif row.event == "lost_s":
            resize.lost_s = _there(row.value)
        else:
            resize.paused_s = _there(row.value)

    def whole(self) -> Seen:
        self._seen.steps = in_order(self._seen.steps)
        self._seen.resizes = list(self._resizes.values())
        return self._seen


def _there(value: float | None) -> float:
    if value is None:
        raise ValueError("a row lacks its number")
    return value


def _whole(value: float | None) -> int:
    there = _there(value)
    if there < 0 or there != int(there):
        raise ValueError(f"{there} is no count")
    return int(there)


def _see_that_it_could_be(row: _Row) -> None:
    whole = ((row.repetition, 1, _MOST_REPETITIONS), (row.job, 0, MOST_JOBS), (row.generation, 0, MOST_GENERATIONS))
    if not all(type(number) is int and least <= number <= most for number, least, most in whole):
        raise ValueError("a row of no repetition, job or resize")
    if row.arm not in _ARMS or (row.of not in CLASSES and (row.of, row.job) != ("", 0)):
        raise ValueError("a row of no arm or class")
    words = (row.event, row.word)
    if not all(isinstance(text, str) and text.isprintable() and len(text) <= 200 for text in words):
        raise ValueError("an event is no word")
    if not all(n is None or (type(n) is int and 0 <= n <= MOST_CPUS) for n in (row.cpus, row.cpus_from)):
        raise ValueError(f"{row.event} of no number of CPUs")
    for number in (row.at_s, row.since_s, row.value):
        if number is not None and not (isinstance(number, float) and abs(number) <= LONGEST_S):
            raise ValueError(f"{row.event} of no time or number")

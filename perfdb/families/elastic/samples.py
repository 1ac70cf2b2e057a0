"""Arms as one long table: a row for each thing that happened, none of them thrown away. Pure.

| column | |
|---|---|
| `repetition` | from 1 |
| `arm` | `off`, `on`, `threshold` |
| `job` | its number in the mix, from 1; 0 for what is of the arm |
| `class` | `elastic`, `rigid`, `urgent`; '' for what is of the arm |
| `event` | see below |
| `word` | of `ended` the state; of a resize `grow` or `shrink`; of `offered` what is given: `cpu` or `node` |
| `generation` | which resize of the job, from 1; else 0 |
| `at_s` | seconds since the arm's begin, monotonic |
| `since_s` | of a resize whose signal its job got: seconds since it was decided |
| `cpus` | of a resize, the number it leads to |
| `cpus_from` | of a resize, the number it comes from |
| `value` | see below |

Of the arm: `offered`: `cpus` that the scheduler gives, `cpus_from` those that there are, `value` the cooldown in seconds.
`others`: the share of the machine's CPU time that others used.

Of a job: `planned`: when it was to arrive, `cpus` that it asks for, `value` its units of work. `arrived`, `submitted`,
`allocated`, `started`, `ended`, the latter with the CPU seconds it used as `value`. `done`: units that it did. `allocation`: it is promised so many
`cpus` from then on.

Of a resize: `decided`, `granted`, `written`, `signalled`, `acknowledged`, `applied`, `overdue`, `withdrawn`; `value`: of
`signalled` how many processes got it, of the others 1 where the job says so itself. `lost_units`, `lost_s`, `paused_s`: what it cost the job.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from perfdb.families.elastic.events import (
    MOST_JOBS,
    Allocation,
    Answer,
    Arm,
    Begin,
    Cost,
    JobEvent,
    Machine,
    ResizeEvent,
    Work,
)
from perfdb.families.elastic.mix import MixJob

COLUMNS = (
    "repetition", "arm", "job", "class", "event", "word", "generation", "at_s", "since_s", "cpus", "cpus_from", "value",
)  # fmt: skip
LONGEST_S = 1e9
COSTS = ("lost_units", "lost_s", "paused_s")


@dataclass(frozen=True)
class Told:
    """What a child told of one arm."""

    repetition: int
    arm: Arm
    answers: Sequence[Answer]

    @property
    def begin(self) -> Begin | None:
        """None where it did not come so far."""
        return next((answer for answer in self.answers if isinstance(answer, Begin)), None)


def columns(mix: Sequence[MixJob], cooldown_s: float, arms: Sequence[Told]) -> dict[str, list[object]]:
    """The samples; {} where no arm was begun."""
    rows = [
        (told.repetition, told.arm, *row)
        for told in arms
        if (begin := told.begin) is not None
        for row in _rows(mix, cooldown_s, begin, told.answers)
    ]
    return {name: list(values) for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)} if rows else {}


_Row = tuple[int, str, str, str, int, float | None, float | None, int | None, int | None, float | None]


def _rows(mix: Sequence[MixJob], cooldown_s: float, begin: Begin, answers: Sequence[Answer]) -> Iterator[_Row]:
    def at(ns: int) -> float:
        return (ns - begin.ns) / 1e9

    classes = {job.job: job.of for job in mix}
    known = [one for one in answers if getattr(one, "job", None) in classes and _is_of_the_run(begin, one)]
    unready = {
        (a.job, a.generation)
        for a in known
        if isinstance(a, ResizeEvent) and a.what == "signalled" and a.processes == 0
    }
    decided = {(a.job, a.generation): a for a in reversed(known) if isinstance(a, ResizeEvent) and a.what == "decided"}
    yield 0, "", "offered", begin.unit, 0, 0.0, 0.0, begin.cpus, begin.real_cpus, cooldown_s
    for answer in answers:
        if isinstance(answer, Machine) and answer.wall_s > 0 and answer.cpus:
            share = min(LONGEST_S, max(0.0, answer.busy_s - answer.own_s) / (answer.wall_s * answer.cpus))
            yield 0, "", "others", "", 0, None, None, None, None, share
            break
    for job in mix:
        yield job.job, job.of, "planned", "", 0, job.arrival_s, None, job.cpus, None, float(job.units)
    told = set()
    for answer in known:
        if isinstance(answer, Allocation):
            yield answer.job, classes[answer.job], "allocation", "", 0, at(answer.ns), None, answer.cpus, None, None
            continue
        key = (type(answer), answer.job, getattr(answer, "generation", 0), getattr(answer, "what", ""))  # type: ignore[union-attr] # the known have a job
        if key in told:
            continue  # said twice: the first one counts
        told.add(key)
        if isinstance(answer, JobEvent):
            yield (
                answer.job, classes[answer.job], answer.what, answer.state, 0, at(answer.ns), None, answer.cpus, None, answer.cpu_s
            )  # fmt: skip
        elif isinstance(answer, Work):
            yield answer.job, classes[answer.job], "done", "", 0, None, None, None, None, float(answer.done)
        elif isinstance(answer, ResizeEvent | Cost):
            first = decided.get((answer.job, answer.generation))
            if first is not None:
                is_ready = (answer.job, answer.generation) not in unready
                yield from _of_resize(classes[answer.job], first, answer, at, is_ready)


def _is_of_the_run(begin: Begin, answer: Answer) -> bool:
    """Whether its time, if it has one, is any that a run can have."""
    ns = getattr(answer, "ns", begin.ns)
    return bool(abs(ns - begin.ns) <= LONGEST_S * 1e9)


def _of_resize(of: str, first: ResizeEvent, answer: ResizeEvent | Cost, at: Any, is_ready: bool) -> Iterator[_Row]:
    which = "grow" if first.cpus_to > first.cpus_from else "shrink"
    both = (first.cpus_to, first.cpus_from)
    if isinstance(answer, ResizeEvent):
        since = (answer.ns - first.ns) / 1e9 if is_ready else None
        by = float(answer.by == "job")
        if answer.what == "signalled":
            by = 1.0 if answer.processes is None else float(min(answer.processes, MOST_JOBS))
        yield answer.job, of, answer.what, which, answer.generation, at(answer.ns), since, *both, by
        return
    for name in COSTS:
        yield answer.job, of, name, which, answer.generation, None, None, *both, float(getattr(answer, name))

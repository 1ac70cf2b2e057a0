"""What became of every job of every arm, as one long table: a row a job, and one for each time that the list was given. Pure.

| column | |
|---|---|
| `iteration` | from 1 |
| `batch` | which time in that iteration that the list was given, from 1 |
| `arm` | its place in `--arms`, from 1; `arm_name`: as `arms.Arm.label` says it |
| `job` | its number in the list, from 1; 0 for the row of the batch itself |
| `size` | nodes that it asks for; of a batch, those that the scheduler has |
| `user`, `experiment` | whose it is, and what the like of it are called |
| `arrival_s` | when it was to be submitted, after the begin of its batch; of a batch, when that began |
| `run_s`, `limit_s` | how long it was to run, and how long it said that it would at most |
| `submitted_s`, `eligible_s`, `allocated_s`, `started_s`, `ended_s`, `released_s` | see `events`; null where nobody knows |
| `inside_began_s`, `inside_ended_s` | stamps taken by the job itself, on its node's clock |
| `state` | the scheduler's word; of a batch, the outcome of the child |
| `nodes` | the numbers of those it had, as ranges |
| `censored` | whether nobody saw its end |
| `at_s` | when watching was over; a job that is censored had waited, or run, until then |
| `offset_s`, `uncertainty_s` | of a batch: how far the scheduler's clock was ahead of ours, and how well that is known |

Seconds count from the begin of the arm in that iteration, on the scheduler's own clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from perfdb.families.schedulers.events import Answer, Batch, Begin, End, JobTold
from perfdb.families.schedulers.workload.job import WorkJob

COLUMNS = (
    "iteration", "batch", "arm", "arm_name", "job", "size", "user", "experiment", "arrival_s", "run_s", "limit_s",
    "submitted_s", "eligible_s", "allocated_s", "started_s", "ended_s", "released_s", "inside_began_s", "inside_ended_s",
    "state", "nodes", "censored", "at_s", "offset_s", "uncertainty_s",
)  # fmt: skip
MILESTONES = (
    "submitted", "eligible", "allocated", "started", "ended", "released", "inside_began", "inside_ended",
)  # fmt: skip
LONGEST_S = 1e9
# A job in one of these is not over, whatever else was told of it.
NOT_OVER = frozenset({"", "PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "COMPLETING"})
_NOTHING = (None,) * len(MILESTONES)


@dataclass(frozen=True)
class Told:
    """What a child told of one arm in one iteration.

    Attributes:
        arm: Its place in `--arms`, from 1; `label`: its name there.
    """

    iteration: int
    arm: int
    label: str
    answers: Sequence[Answer]

    @property
    def name(self) -> str:
        """For people."""
        return f"iteration {self.iteration}, {self.label}"

    @property
    def begin(self) -> Begin | None:
        """None where it did not come so far."""
        return next((answer for answer in self.answers if isinstance(answer, Begin)), None)

    @property
    def end(self) -> End | None:
        """None where it was cut off."""
        return next((answer for answer in self.answers if isinstance(answer, End)), None)


def columns(jobs: Sequence[WorkJob], batches: int, told: Sequence[Told]) -> dict[str, list[object]]:
    """The samples; {} where no arm came to its end. Of one that was cut off nobody knows how long its jobs were watched."""
    rows = [row for one in told for row in _rows(jobs, batches, one)]
    return {name: list(values) for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)} if rows else {}


def _rows(jobs: Sequence[WorkJob], batches: int, told: Told) -> Iterator[tuple[object, ...]]:
    begin, end = told.begin, told.end
    if begin is None or end is None:
        return

    def at(ns: int | None) -> float | None:
        since_s = None if ns is None else (ns - begin.ns) / 1e9
        return since_s if since_s is not None and abs(since_s) <= LONGEST_S else None

    begins = {1: begin.ns, **{answer.batch: answer.ns for answer in told.answers if isinstance(answer, Batch)}}
    found = {(a.batch, a.job): a for a in reversed(told.answers) if isinstance(a, JobTold)}
    over_s = at(end.ns) or 0.0
    for batch in range(1, batches + 1):
        if batch not in begins:
            return  # the one before it was not over in time
        which = (told.iteration, batch, told.arm, told.label)
        yield (
            *which, 0, begin.nodes, None, "", at(begins[batch]), None, None, *_NOTHING, end.outcome.upper(), "", False, over_s,
            begin.clock.offset_s, begin.clock.uncertainty_s,
        )  # fmt: skip
        for job in jobs:
            said = found.get((batch, job.job))
            stamps = _NOTHING if said is None else tuple(at(getattr(said, name)) for name in MILESTONES)
            state, nodes = ("", "") if said is None else (said.state, said.node_list)
            is_over = state not in NOT_OVER and stamps[MILESTONES.index("ended")] is not None
            yield (
                *which, job.job, job.nodes, job.user, job.experiment, job.arrival_s, job.run_s, job.limit_s, *stamps,
                state, nodes, not is_over, over_s, None, None,
            )  # fmt: skip

"""What a real scheduler takes, from what it did with a list: the delays that the simulator is given. Pure.

A job could start from the last thing that happened before it got its nodes, and let it start: its own arrival, or other jobs'
nodes becoming free, whichever came later. Its schedule delay is from then until its program begins; where the scheduler looks at
its queue in cycles (`cycle`), it is only from when the job got its nodes, for the wait for that is the cycle's. Its release delay
is from the end of its program until its nodes are free. Of each the median over all jobs that came to their planned ends is taken.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from perfdb.families.schedulers.measures.spans import is_settled
from perfdb.families.schedulers.outcome import ArmRun, Outcome
from perfdb.families.schedulers.plan import Delays
from perfdb.families.schedulers.simulator.cycle import Look, cycle_s


@dataclass(frozen=True)
class Fit:
    """Of one arm.

    Attributes:
        schedule_s, release_s: Delays of the jobs, in ascending order. The latter is empty where nobody knows when nodes were
            free again: they are taken to be free when the program ends, and all that it takes counts as schedule delay.
        cycle_s: 0 where the scheduler acts at once.
    """

    schedule_s: tuple[float, ...]
    release_s: tuple[float, ...]
    cycle_s: float

    @property
    def delays(self) -> Delays:
        """The medians, in whole milliseconds, which is what Slurm's log has."""
        return Delays(
            schedule_s=round(median(self.schedule_s), 3),
            release_s=round(median(self.release_s or (0.0,)), 3),
            cycle_s=round(self.cycle_s, 3),
        )


def fitted(runs: Sequence[ArmRun]) -> Fit:
    """The delays of an arm, from what it did in each iteration.

    Raises:
        ValueError: it says of no job when it came and when it began.
    """
    starts = [[*_starts(run.outcomes)] for run in runs]
    if not any(starts):
        raise ValueError("no job of it came to its end with all its times known")
    # A wait for nodes that nobody knows of would look like one for the scheduler.
    is_known = all(job.released_s is not None for run in runs for job in run.outcomes if is_settled(job))
    cycle = cycle_s([[Look(one.startable_s, one.allocated_s) for one in run] for run in starts]) if is_known else 0.0
    schedule_s = sorted(
        max(0.0, one.began_s - (one.allocated_s if cycle else one.startable_s)) for run in starts for one in run
    )
    release_s = sorted(
        max(0.0, job.released_s - job.over_s)
        for run in runs
        for job in run.outcomes
        if is_settled(job) and job.released_s is not None and job.over_s is not None
    )
    return Fit(tuple(schedule_s), tuple(release_s), cycle)


class _Start(NamedTuple):
    """Of one job: when it could start, when it got its nodes (or began, where nobody knows), and when its program began."""

    startable_s: float
    allocated_s: float
    began_s: float


def _starts(jobs: Sequence[Outcome]) -> Iterator[_Start]:
    freed_s = sorted(at for job in jobs if (at := _free_s(job)) is not None)
    for job in jobs:
        came_s = job.submitted_s if job.eligible_s is None else job.eligible_s
        if came_s is None or job.began_s is None or not is_settled(job):
            continue
        allocated_s = job.began_s if job.allocated_s is None else job.allocated_s
        earlier = bisect_right(freed_s, allocated_s)
        startable_s = max(came_s, freed_s[earlier - 1]) if earlier else came_s
        yield _Start(startable_s, max(allocated_s, startable_s), job.began_s)


def _free_s(job: Outcome) -> float | None:
    return job.over_s if job.released_s is None else job.released_s

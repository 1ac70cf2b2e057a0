"""Arms without instants, each as if its jobs had been submitted at one time: what does not fit was not. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from perfdb.families.schedulers.analysis.case import SUBMISSION_TO_END, TOTAL, Case
from perfdb.families.schedulers.analysis.warnings.caveat import Caveat, by_scheduler

# Arms are told apart by as many times of the nodes that would be busy at once.
TIMES = 1.5


def at_once(cases: Sequence[Case]) -> Iterator[Caveat]:
    """`unequal_load` and `spliced_arm`, of tables that have durations alone.

    Where total times are from submission, and each job's own run is known as well, a job ran for the last part of its total
    time. Had all jobs of an arm been submitted at one time, so many nodes would have been busy at once at the most; of k
    submissions, each of which fits on the nodes that there are, at most k times as many as there are.
    """
    busy = {scheduler: most for scheduler, mine in by_scheduler(cases).items() if (most := _busy(mine)) is not None}
    if len(busy) < 2:
        return
    low, high = min(busy, key=lambda scheduler: busy[scheduler]), max(busy, key=lambda scheduler: busy[scheduler])
    if busy[high] < TIMES * busy[low]:
        return
    told = ", ".join(
        f"{busy[scheduler]} nodes of {scheduler}" for scheduler in sorted(busy, key=lambda name: busy[name])
    )
    yield Caveat(
        "unequal_load",
        (low, high),
        f"had the jobs of each been submitted at one time, as many nodes would have been busy at once with their own runs: {told}",
    )
    # Of the arms that could have been one submission, the one that takes most nodes says how many there are.
    there = max(most for most in busy.values() if most < TIMES * busy[low])
    for scheduler, most in busy.items():
        if most >= TIMES * busy[low]:
            yield Caveat(
                "spliced_arm",
                (scheduler,),
                f"submitted at one time, its jobs would have kept {most} nodes busy at once, and those of others at most {there}: "
                f"unless there were more nodes for it, it is {math.ceil(most / there)} submissions at least",
            )


def _busy(cases: Sequence[Case]) -> int | None:
    """The most nodes at once, as if all were submitted at 0."""
    changes: list[tuple[float, int]] = []
    for case in cases:
        if case.is_dated or case.made != "imported" or case.definition != SUBMISSION_TO_END or case.size is None:
            return None
        for row in case.rows:
            total, run = row.values.get(TOTAL), row.values.get("wall_time_s")
            if total is None or run is None:
                return None
            changes += [(total - run, case.size), (total, -case.size)]
    busy = most = 0
    for _, change in sorted(changes):
        busy += change
        most = max(most, busy)
    return most or None

"""One arm that is two submissions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from perfdb.families.schedulers.analysis.case import TOTAL, Case
from perfdb.families.schedulers.analysis.warnings.caveat import Caveat, by_scheduler, mean_s, seconds, submitted
from perfdb.units import counted

# A gap between two submissions of one batch is long from here on, and from so many times the usual one.
LONG_S = 60.0
LONG_TIMES = 10.0


def spliced(cases: Sequence[Case]) -> Iterator[Caveat]:
    """`spliced_arm`: within a batch, nothing was submitted for long, and then it went on; with what changed between."""
    for scheduler, mine in by_scheduler(case for case in cases if case.is_dated).items():
        for of in dict.fromkeys(case.of for case in mine):
            yield from _of_arm(scheduler, [case for case in mine if case.of == of])


class _Job(NamedTuple):
    """`took_s`: from submission to end where that is known, else what its source calls total_time."""

    at_s: float
    iteration: int | None
    experiment: str
    took_s: float | None


def _of_arm(scheduler: str, cases: Sequence[Case]) -> Iterator[Caveat]:
    batches: dict[int | None, list[_Job]] = {}
    for case in cases:
        for row in case.rows:
            if (at_s := submitted(row)) is not None:
                batch, iteration = row.turn or (None, None)
                took_s = row.values.get(TOTAL) if row.submission_to_end_s is None else row.submission_to_end_s
                batches.setdefault(batch, []).append(_Job(at_s, iteration, case.experiment, took_s))
    for jobs in batches.values():
        jobs.sort(key=lambda job: job.at_s)
        gaps = [after.at_s - before.at_s for before, after in pairwise(jobs)]
        longest = max(gaps, default=0.0)
        if longest < LONG_S or longest < LONG_TIMES * median(gaps):
            continue
        cut = gaps.index(longest) + 1
        parts = (jobs[:cut], jobs[cut:])
        many = " and ".join(f"{counted(len(part), 'job')} ({_iterations(part)})" for part in parts)
        yield Caveat(
            "spliced_arm",
            (scheduler,),
            f"nothing was submitted for {seconds(longest)} between {many}, {seconds(median(gaps))} otherwise; from the one part to "
            f"the other the mean went {_changes(*parts)}",
        )


def _iterations(part: Sequence[_Job]) -> str:
    numbers = {job.iteration for job in part if job.iteration is not None}
    return counted(len(numbers), "iteration") if numbers else "iterations unknown"


def _changes(before: Sequence[_Job], after: Sequence[_Job]) -> str:
    told = []
    for experiment in sorted({job.experiment for job in before} & {job.experiment for job in after}):
        took = [
            [job.took_s for job in part if job.experiment == experiment and job.took_s is not None]
            for part in (before, after)
        ]
        if all(took):
            told.append(f"from {mean_s(took[0])} to {mean_s(took[1])} ({experiment})")
    return ", ".join(told) or "from one experiment's to another's"

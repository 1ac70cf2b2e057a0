"""Jobs on nodes, and the samples that say them: numbers that a reader can follow on a chart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from perfdb.families.schedulers.outcome import ArmRun, Outcome
from perfdb.families.schedulers.samples import COLUMNS
from perfdb.families.schedulers.workload.job import WorkJob


def ran(
    number: int,
    nodes: str,
    times: tuple[float | None, ...],
    *,
    size: int = 1,
    experiment: str = "",
    batch: int = 1,
    seen_until: float | None = None,
) -> Outcome:
    """A job that was submitted, allocated, started, over and released at these times, or as far as they go."""
    submitted, allocated, began, over, released = (*times, *[None] * (5 - len(times)))
    name = experiment or f"size-{size}"
    work = WorkJob(job=number, arrival_s=0.0, nodes=size, run_s=10.0, limit_s=60.0, experiment=name)
    state = "COMPLETED" if over is not None else "RUNNING" if began is not None else "PENDING"
    ends = None if over is not None else seen_until
    return Outcome(work, batch, submitted, submitted, allocated, began, over, released, None, None, state, nodes, ends)


def arm(*jobs: Outcome, label: str = "slurm:backfill", place: int = 1, iteration: int = 1, nodes: int = 4) -> ArmRun:
    """One arm in one iteration."""
    return ArmRun(iteration, place, label, nodes, jobs)


def clogged() -> list[ArmRun]:
    """A list of four on four nodes, twice: under backfill the short ones pass the wide one, under builtin they wait for it."""
    runs = []
    for iteration, more in ((1, 0.0), (2, 2.0)):
        long = ran(1, "0-2", (0.0, 0.0, 1.0, 11.0 + more, 12.0 + more), size=3)
        passing = [ran(n, "3", (1.0, *(at + 5.0 * (n - 3) for at in (2.0, 2.0, 6.0, 7.0)))) for n in (3, 4)]
        wide = ran(2, "0-3", (1.0, *(at + more for at in (12.0, 13.0, 23.0, 24.0))), size=4)
        after = [ran(n, str(n - 3), (1.0, *(at + more for at in (24.0, 25.0, 29.0, 30.0)))) for n in (3, 4)]
        runs += [
            arm(long, wide, *passing, iteration=iteration),
            arm(long, wide, *after, label="slurm:builtin", place=2, iteration=iteration),
        ]
    return runs


def columns_of(runs: Iterable[ArmRun]) -> dict[str, list[Any]]:
    """Samples that say these runs."""
    rows: list[tuple[Any, ...]] = []
    for run in runs:
        watched = [job.seen_until_s for job in run.outcomes if job.seen_until_s is not None]
        at_s = (
            watched[0] if watched else max((job.released_s or job.over_s or 0.0 for job in run.outcomes), default=0.0)
        )
        for batch in sorted({job.batch for job in run.outcomes}):
            which = (run.iteration, batch, run.arm, run.label)
            none = (None,) * 8
            rows.append((*which, 0, run.nodes, None, "", 0.0, None, None, *none, "ALL", "", False, at_s, 0.0, 0.0))
            rows += [(*which, *_row(job), at_s, None, None) for job in run.outcomes if job.batch == batch]
    return {name: list(values) for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)} if rows else {}


def _row(job: Outcome) -> tuple[Any, ...]:
    work = job.work
    return (
        work.job, work.nodes, work.user, work.experiment, work.arrival_s, work.run_s, work.limit_s,
        job.submitted_s, job.eligible_s, job.allocated_s, job.started_s, job.ended_s, job.released_s,
        job.inside_began_s, job.inside_ended_s, job.state, job.nodes, job.is_censored,
    )  # fmt: skip

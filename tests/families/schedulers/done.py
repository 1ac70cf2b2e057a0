"""Outcomes with numbers that a reader can check by hand."""

from __future__ import annotations

from perfdb.families.schedulers.outcome import ArmRun, Outcome
from perfdb.families.schedulers.samples import COLUMNS, MILESTONES
from perfdb.families.schedulers.workload.job import WorkJob

# Of arms by their places, where nobody says otherwise.
LABELS = (
    "slurm:backfill",
    "slurm:builtin",
    "mini-slurm",
    "slurm:backfill+linear",
    "slurm:builtin+linear",
    "simulated:easy",
)


def job(
    number: int,
    submitted: float | None = 0.0,
    began: float | None = None,
    over: float | None = None,
    *,
    nodes: int = 1,
    user: int = 0,
    batch: int = 1,
    state: str | None = None,
    run: float = 10.0,
    limit: float = 60.0,
    watched: float | None = None,
    allocated: float | None = None,
    released: float | None = None,
    eligible: float | None = None,
    inside: tuple[float | None, float | None] = (None, None),
) -> Outcome:
    """A job that held its nodes from `began` to `over`, unless it says otherwise; not over where `watched` is given."""
    work = WorkJob(
        job=number,
        arrival_s=max(0.0, submitted or 0.0),
        nodes=nodes,
        run_s=run,
        limit_s=limit,
        user=user,
        experiment=f"size-{nodes}",
    )
    word = "COMPLETED" if watched is None else "PENDING" if began is None else "RUNNING"
    return Outcome(
        work,
        batch,
        submitted,
        submitted if eligible is None else eligible,
        began if allocated is None else allocated,
        began,
        over,
        over if released is None else released,
        *inside,
        word if state is None else state,
        "",
        watched,
    )


def arm(*jobs: Outcome, nodes: int = 4, place: int = 1, iteration: int = 1) -> ArmRun:
    """One arm in one iteration."""
    return ArmRun(iteration, place, LABELS[place - 1], nodes, jobs)


def samples_of(*runs: ArmRun, names: dict[int, str] | None = None) -> dict[str, list[object]]:
    """The samples of a record in which these arms took turns; `names` of the arms by their places."""
    rows: list[dict[str, object]] = []
    for run in runs:
        watched = [job.seen_until_s for job in run.outcomes if job.seen_until_s is not None]
        child: dict[str, object] = {
            "iteration": run.iteration,
            "arm": run.arm,
            "arm_name": (names or {}).get(run.arm, run.label),
            "at_s": float(max(watched, default=1000)),
        }
        for batch in sorted({job.batch for job in run.outcomes}):
            state = "TIMEOUT" if watched else "ALL"
            begin = {"batch": batch, "job": 0, "size": run.nodes, "experiment": "", "arrival_s": 0.0, "state": state}
            rows.append({**child, **begin, "nodes": "", "censored": False, "offset_s": 0.0, "uncertainty_s": 0.0})
            rows += [{**child, **_row(job)} for job in run.outcomes if job.batch == batch]
    return {name: [row.get(name) for row in rows] for name in COLUMNS}


def _row(job: Outcome) -> dict[str, object]:
    work = job.work
    stamps = {f"{name}_s": getattr(job, f"{name}_s") for name in MILESTONES}
    return {
        "batch": job.batch,
        "job": work.job,
        "size": work.nodes,
        "user": work.user,
        "experiment": work.experiment,
        "arrival_s": work.arrival_s,
        "run_s": work.run_s,
        "limit_s": work.limit_s,
        **{name: None if at is None else float(at) for name, at in stamps.items()},
        "state": job.state,
        "nodes": job.nodes,
        "censored": job.is_censored,
    }

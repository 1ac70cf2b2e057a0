"""Everything that one arm says in one iteration, by the names of its metrics without the arm's. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from perfdb.families.schedulers.measures.centre import mean_of, median_of
from perfdb.families.schedulers.measures.clog import longest_clog
from perfdb.families.schedulers.measures.decomposition import decomposition
from perfdb.families.schedulers.measures.fairness import by_size, by_user, jain_by
from perfdb.families.schedulers.measures.machine import held_idle_node_s, makespan_s, utilisation
from perfdb.families.schedulers.measures.spans import slowdown_of, total_time_s, turnaround_s, wait_s
from perfdb.families.schedulers.outcome import ArmRun, Outcome

# Of a job that was suspended nobody knows how long it ran: these are not stated of an arm that suspends jobs.
OF_RUN_TIMES = frozenset({"bounded_slowdown", "utilisation", "jain_users", "jain_sizes", "run_part_s", "run_node_s"})


def figures(run: ArmRun) -> dict[str, float]:
    """What is known; see `metrics` for what each is."""
    unknown = OF_RUN_TIMES if run.suspends else frozenset()
    return {name: value for name, value in _figures(run) if value is not None and name not in unknown}


def _figures(run: ArmRun) -> Iterator[tuple[str, float | None]]:
    jobs = run.outcomes
    if not jobs:
        return
    waits = [wait_s(job) for job in jobs]
    turnarounds = [turnaround_s(job) for job in jobs]
    yield "wait_s", mean_of(waits)
    yield "wait_p50_s", _median(jobs, waits)
    yield "turnaround_s", mean_of(turnarounds)
    yield "turnaround_p50_s", _median(jobs, turnarounds)
    yield "total_time_s", mean_of([total_time_s(job) for job in jobs])
    yield "bounded_slowdown", mean_of([slowdown_of(job) for job in jobs])
    yield "makespan_s", makespan_s(jobs)
    yield "utilisation", utilisation(jobs, run.nodes)
    yield "held_idle_node_s", held_idle_node_s(jobs)
    yield "jain_users", jain_by(jobs, by_user)
    yield "jain_sizes", jain_by(jobs, by_size)
    yield "completed_share", sum(job.state == "COMPLETED" and not job.is_censored for job in jobs) / len(jobs)
    clog = longest_clog(jobs)
    yield "longest_clog_s", 0.0 if clog is None else clog.lasted_s
    for name, (mean_s, node_s) in decomposition(jobs).items():
        yield f"{name}_part_s", mean_s
        yield f"{name}_node_s", node_s


def _median(jobs: Sequence[Outcome], values: Sequence[float | None]) -> float | None:
    """Of jobs whose time is not known, how long they were watched is a bound of it; of one that failed, nothing is."""
    bounds = []
    for job, value in zip(jobs, values, strict=True):
        if value is None:
            if job.submitted_s is None or job.seen_until_s is None:
                return None
            bounds.append(max(0.0, job.seen_until_s - job.submitted_s))
    return median_of([value for value in values if value is not None], bounds)

"""Jobs and clusters for tests, in few words."""

from __future__ import annotations

from perfdb.minislurm.policy.cluster import Cluster, Running, Waiting


def waits(
    id: int,
    cpus: int,
    *,
    priority: int = 0,
    limit_s: float | None = None,
    mem_mb: int = 1,
    bounds: tuple[int, int] | None = None,
) -> Waiting:
    """A waiting job, elastic where it has `bounds`."""
    low, high = bounds or (cpus, cpus)
    return Waiting(id, priority, cpus, low, high, mem_mb, limit_s, bounds is not None)


def runs(
    id: int,
    cpus: int,
    *,
    priority: int = 0,
    ends_by_s: float | None = None,
    mem_mb: int = 1,
    bounds: tuple[int, int] | None = None,
    target: int | None = None,
    resized_s: float | None = None,
    is_ending: bool = False,
) -> Running:
    """A running job, elastic where it has `bounds`."""
    low, high = bounds or (cpus, cpus)
    return Running(
        id=id,
        priority=priority,
        cpus=cpus,
        target_cpus=cpus if target is None else target,
        min_cpus=low,
        max_cpus=high,
        mem_mb=mem_mb,
        is_elastic=bounds is not None,
        ends_by_s=ends_by_s,
        resized_s=resized_s,
        is_ending=is_ending,
    )


def cluster(cpus: int, *jobs: Waiting | Running, mem_mb: int = 1000, now_s: float = 0.0) -> Cluster:
    """A cluster with those jobs, the queue in its order."""
    waiting = sorted((job for job in jobs if isinstance(job, Waiting)), key=lambda job: job.order)
    return Cluster(cpus, mem_mb, waiting, [job for job in jobs if isinstance(job, Running)], now_s)

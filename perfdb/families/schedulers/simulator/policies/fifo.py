"""First in, first out: a job that does not fit keeps all behind it waiting, as under Slurm's `sched/builtin`."""

from __future__ import annotations

from perfdb.families.schedulers.simulator.cluster import Cluster


def fifo(cluster: Cluster) -> None:
    """Start who is in front, as far as there are nodes."""
    for job in front(cluster)[0]:
        cluster.start(job)


def front(cluster: Cluster) -> tuple[list[int], int | None, int]:
    """Those in front that fit, one after another; the first that does not; and the nodes that it finds free."""
    free = cluster.free
    fits: list[int] = []
    for job in cluster.queue:
        if cluster.asked[job] > free:
            return fits, job, free
        free -= cluster.asked[job]
        fits.append(job)
    return fits, None, free

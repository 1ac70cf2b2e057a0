"""What nobody waits for goes to elastic jobs, as long as the cluster is not busy."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace

from perfdb.minislurm.policy.cluster import Cluster, Resize, Rules, Running, Start


def grow(cluster: Cluster, starts: Sequence[Start], rules: Rules) -> tuple[Resize, ...]:
    """Hand out free CPUs one by one while less than the threshold is promised, `starts` included.

    Each goes to the highest priority, then to who has the fewest, then to who came first. A job that was resized less than
    `rules.cooldown_s` ago, that has still to let go or that was told to end gets none: so whatever made a job shrink or
    grow, it does not grow again at once.
    """
    promised = _promised(cluster) + sum(start.cpus for start in starts)
    queue = [
        (-job.priority, job.cpus, job.id, job.max_cpus)
        for job in cluster.running
        if _could_grow(job) and (job.resized_s is None or cluster.now_s >= job.resized_s + rules.cooldown_s)
    ]
    heapify(queue)
    grown: dict[int, int] = {}
    while queue and _is_below(promised, cluster, rules):
        priority, cpus, id, max_cpus = queue[0]
        promised += 1
        grown[id] = cpus + 1
        if cpus + 1 < max_cpus:
            heapreplace(queue, (priority, cpus + 1, id, max_cpus))
        else:
            heappop(queue)
    return tuple(Resize(id, cpus) for id, cpus in grown.items())


def growth_due_s(cluster: Cluster, rules: Rules) -> float | None:
    """When a cooldown ends that is all that keeps a job from growing; None where something else must happen first.

    Ask it of the cluster as a pass left it. At that moment, and not before, another pass grows something.
    """
    if not rules.elastic or cluster.waiting or not _is_below(_promised(cluster), cluster, rules):
        return None
    return min(
        (job.resized_s + rules.cooldown_s for job in cluster.running if _could_grow(job) and job.resized_s is not None),
        default=None,
    )


def _promised(cluster: Cluster) -> int:
    return sum(job.cpus for job in cluster.running)


def _could_grow(job: Running) -> bool:
    return job.is_elastic and not job.is_ending and job.cpus == job.target_cpus and job.cpus < job.max_cpus


def _is_below(promised: int, cluster: Cluster, rules: Rules) -> bool:
    # Of a threshold above 100 the CPUs that there are remain the end.
    return promised < cluster.cpus and promised * 100 < rules.threshold_percent * cluster.cpus

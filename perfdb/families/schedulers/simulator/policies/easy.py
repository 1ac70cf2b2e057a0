"""EASY backfill: the first job that does not fit gets a reservation, and later ones start only where they don't delay it.

It is done after `fifo`, which starts who is in front.

Source: Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995; the shadow time and the extra nodes are those of Mu'alem and
Feitelson, "Utilization, predictability, workloads, and user runtime estimates in scheduling the IBM SP2 with backfilling",
IEEE TPDS 12(6), 2001. Slurm's `sched/backfill` keeps not only the head from being delayed, but every job that it looked at.
"""

from __future__ import annotations

from perfdb.families.schedulers.simulator.cluster import Cluster


def backfill(cluster: Cluster) -> None:
    """Start whoever is not in the way of the head."""
    head = next(iter(cluster.queue), None)
    # Who was in front and fits is the business of `fifo`, and has come since it looked.
    if head is None or not 0 < cluster.free < cluster.asked[head]:
        return
    shadow_ns, spare = reservation(cluster.asked[head], cluster)
    window_ns = shadow_ns - cluster.now_ns
    for job in cluster.queue.allowed_behind(head, cluster.free, window_ns, spare):
        nodes = cluster.asked[job]
        if nodes > cluster.free:
            continue
        if cluster.limits_ns[job] > window_ns:
            if nodes > spare:
                continue
            spare -= nodes
        cluster.start(job)
        if not cluster.free:
            return


def reservation(nodes: int, cluster: Cluster) -> tuple[int, int]:
    """When so many nodes, more than are free, are expected to be; and how many there are then besides.

    Each job is taken to hold its nodes to its limit; one that is past it, to be over now.
    """
    free = cluster.free
    shadow_ns: int | None = None
    for expected_ns, job in cluster.expected:
        at_ns = max(expected_ns, cluster.now_ns)
        if shadow_ns is not None and at_ns > shadow_ns:
            break
        free += cluster.asked[job]
        if shadow_ns is None and free >= nodes:
            shadow_ns = at_ns
    assert shadow_ns is not None, "no job asks for more nodes than there are"
    return shadow_ns, free - nodes

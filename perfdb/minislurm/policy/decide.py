"""Who starts and who is resized, of all that is known now. One pass:

1. The queue, by priority, then by arrival. A job starts when its CPUs and its memory are free.
2. A job that does not fit, but would if jobs of strictly lower priority shrank (`shrinking`), is claimed room for; they are told.
3. The first that even so does not fit is the head. It gets a reservation (`reservation`), and later ones start only where
   they don't delay it: EASY backfill.
4. Where nothing is left waiting, elastic jobs grow (`growth`).

Jobs that this cluster could not hold if it were empty are passed over, so that they keep nobody from running.
"""

from __future__ import annotations

from collections.abc import Iterator

from perfdb.minislurm.policy.cluster import Cluster, Resize, Rules, Running, Start, Waiting
from perfdb.minislurm.policy.growth import grow
from perfdb.minislurm.policy.reservation import reserve
from perfdb.minislurm.policy.room import Room
from perfdb.minislurm.policy.shrinking import Shrinking


def decide(cluster: Cluster, rules: Rules) -> tuple[Start | Resize, ...]:
    """All that is to be done now: starts in the order of the queue, then resizes; no job is named twice."""
    room = Room.of(cluster)
    shrinking = Shrinking(cluster, rules)
    started: list[Waiting] = []
    queue = iter(cluster.waiting)
    head: Waiting | None = None
    anybody_waits = False
    for job in queue:
        if job.cpus > cluster.cpus or job.mem_mb > cluster.mem_mb:
            continue
        if room.fits(job):
            room.take(job)
            started.append(job)
            continue
        anybody_waits = True
        if not shrinking.serve(job, room):
            head = job
            break
    if head:
        started += _backfill(queue, head, started, room, cluster, rules)
    starts = tuple(Start(job.id, job.cpus) for job in started)
    if anybody_waits:
        return (*starts, *shrinking.resizes)
    return (*starts, *grow(cluster, starts, rules)) if rules.elastic else starts


def _backfill(
    queue: Iterator[Waiting], head: Waiting, started: list[Waiting], room: Room, cluster: Cluster, rules: Rules
) -> list[Waiting]:
    """Those behind `head` that start now and don't delay it."""
    if room.free <= 0:
        return []
    running = [*cluster.running, *(_as_running(job, cluster.now_s) for job in started)]
    reservation = reserve(head, running, room, rules, cluster.now_s)
    if reservation is None:
        return []
    backfilled: list[Waiting] = []
    for job in queue:
        if room.fits(job) and reservation.allows(job, cluster.now_s):
            room.take(job)
            reservation.take(job, cluster.now_s)
            backfilled.append(job)
            if room.free <= 0:
                break
    return backfilled


def _as_running(job: Waiting, now_s: float) -> Running:
    ends_by_s = None if job.limit_s is None else now_s + job.limit_s
    return Running(
        job.id, job.priority, job.cpus, job.cpus, job.min_cpus, job.max_cpus, job.mem_mb, job.is_elastic, ends_by_s
    )

"""When the job at the head of the queue can count on starting, by what is known of the running jobs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from perfdb.minislurm.policy.cluster import Rules, Running, Waiting
from perfdb.minislurm.policy.room import Room
from perfdb.minislurm.policy.shrinking import may_give


@dataclass(slots=True)
class Reservation:
    """The head's claim on the future.

    Attributes:
        at_s: The first moment at which it starts, or shrinks begin that let it start.
        cpus: What others may still hold then, and for ever, without the head's noticing. `mem_mb` likewise.
    """

    at_s: float
    cpus: int
    mem_mb: int

    def allows(self, job: Waiting, now_s: float) -> bool:
        """Whether `job`, started now, keeps out of the head's way: it is over by then, or is no more than what is left over."""
        if job.limit_s is not None and now_s + job.limit_s <= self.at_s:
            return True
        return job.cpus <= self.cpus and job.mem_mb <= self.mem_mb

    def take(self, job: Waiting, now_s: float) -> None:
        """`job` starts now, as `allows` said that it may."""
        if job.limit_s is None or now_s + job.limit_s > self.at_s:
            self.cpus -= job.cpus
            self.mem_mb -= job.mem_mb


@dataclass(frozen=True, slots=True)
class _Change:
    """What the head gains at one moment: CPUs that are free then, and CPUs that are free or can be made so by shrinking."""

    at_s: float
    free: int = 0
    reachable: int = 0
    mem_mb: int = 0


def reserve(head: Waiting, running: Iterable[Running], room: Room, rules: Rules, now_s: float) -> Reservation | None:
    """The reservation of `head`, which does not fit into `room`; None where jobs are in its way whose end nobody knows.

    Shrinks may be answered at once, or only `rules.release_s` later. What is left over is what the head needs in neither
    case: neither for shrinks to suffice when they begin, nor, where it would fit without any before they had to be
    answered, for fitting then.

    Source: Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995; the shadow time and the extra nodes of Mu'alem and
    Feitelson, IEEE TPDS 12(6), 2001, with shrinking added.
    """
    free, reachable, mem_mb = room.free, room.free + room.coming, room.mem_mb
    changes: list[_Change] = []
    for job in running:
        to_give = job.target_cpus - job.min_cpus if rules.elastic and may_give(job, head) else 0
        if job.cpus == job.target_cpus:
            reachable += to_give
        changes += _changes(job, to_give, rules, now_s)
    changes.sort(key=lambda change: change.at_s)
    found: Reservation | None = None
    for at_s, at_once in groupby(changes, key=lambda change: change.at_s):
        if found and at_s > found.at_s + rules.release_s:
            break
        for change in at_once:
            free += change.free
            reachable += change.reachable
            mem_mb += change.mem_mb
        if found is None and reachable >= head.cpus and mem_mb >= head.mem_mb:
            found = Reservation(at_s, reachable - head.cpus, mem_mb - head.mem_mb)
        if found and free >= head.cpus:
            found.cpus = min(found.cpus, free - head.cpus)
            break
    return found


def _changes(job: Running, to_give: int, rules: Rules, now_s: float) -> Iterable[_Change]:
    """What becomes free of `job` and when; the CPUs that can be had of it now are counted already."""
    ends_s = None if job.ends_by_s is None else max(job.ends_by_s, now_s)
    held, reached = job.cpus, to_give
    if job.cpus != job.target_cpus:
        released_s = max((now_s if job.resized_s is None else job.resized_s) + rules.release_s, now_s)
        reached = job.cpus - job.target_cpus
        if ends_s is None or released_s < ends_s:
            yield _Change(released_s, free=job.cpus - job.target_cpus, reachable=to_give)
            held, reached = job.target_cpus, to_give
    if ends_s is not None:
        yield _Change(ends_s, free=held, reachable=held - reached, mem_mb=job.mem_mb)

"""The simulator: events in the order of time, and after those of one moment what the policy makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from perfdb.families.schedulers.outcome import Outcome
from perfdb.families.schedulers.plan import Delays
from perfdb.families.schedulers.simulator.cluster import Cluster, Policy
from perfdb.families.schedulers.simulator.free_nodes import FreeNodes, Range, text_of
from perfdb.families.schedulers.workload.job import WorkJob


def simulate(
    jobs: Sequence[WorkJob], nodes: int, policy: Policy, delays: Delays, patience_s: float
) -> Iterator[Outcome]:
    """What becomes of each job of the list, as they end; then of those that have not ended `patience_s` after the last arrival.

    A job is in the queue when it arrives, and gets the lowest free numbers at the moment at which the policy starts it. Its
    program begins `delays.schedule_s` later, and ends by itself after `run_s` (COMPLETED) or is ended after `limit_s` (TIMEOUT);
    `delays.release_s` after that its nodes are free. Policies expect the nodes back `limit_s` after they gave them. A job that
    asks for more nodes than there are is in nobody's way, and never starts. Times are kept in whole nanoseconds.

    The policy looks whenever a job comes or nodes become free; with a `delays.cycle_s`, at the next of its looks, which are so far
    apart, the first of them half a cycle after the begin, since nobody knows where a real one's lie.
    """
    play = _Play(sorted(jobs, key=lambda job: job.arrival_s), nodes, delays)
    yield from play.through(_Looks(policy, _ns(delays.cycle_s)), play.last_arrival_ns + _ns(patience_s))


class _Looks:
    """When the policy looks next. Whatever `happened` since it looked last is seen then."""

    def __init__(self, policy: Policy, cycle_ns: int) -> None:
        self._steps, self._cycle_ns = policy, cycle_ns
        # Slurm's backfill comes after its main scheduler, so who started in the same look has begun before: a job with the same
        # limit is not over as soon as that one.
        self._apart_ns = 1 if cycle_ns else 0
        self.next_ns: int | None = None

    def happened(self, now_ns: int) -> None:
        """There is something to see from now on."""
        if self.next_ns is not None:
            return
        if not self._cycle_ns:
            self.next_ns = now_ns
            return
        first_ns = self._cycle_ns // 2
        passed = max(0, -(-(now_ns - first_ns) // self._cycle_ns))
        self.next_ns = first_ns + passed * self._cycle_ns

    def look(self, cluster: Cluster) -> list[int]:
        """Do so, if it is time; returns who was started."""
        if self.next_ns != cluster.now_ns:
            return []
        self.next_ns = None
        for step in self._steps:
            step(cluster)
            cluster.now_ns += self._apart_ns
        return cluster.take_started()


@dataclass(slots=True)
class _Held:
    """A job that has its nodes."""

    allocated_ns: int
    started_ns: int
    ended_ns: int
    released_ns: int
    ranges: tuple[Range, ...]


class _Play:
    """The list on the cluster, from the first arrival on. Jobs are named by their places in it."""

    def __init__(self, jobs: Sequence[WorkJob], nodes: int, delays: Delays) -> None:
        self._jobs = jobs
        self._arrivals_ns = [_ns(job.arrival_s) for job in jobs]
        self._schedule_ns, self._release_ns = _ns(delays.schedule_s), _ns(delays.release_s)
        self._cluster = Cluster(nodes, [job.nodes for job in jobs], [_ns(job.limit_s) for job in jobs])
        self._free = FreeNodes(nodes)
        self._held: dict[int, _Held] = {}
        self._releases: list[tuple[int, int]] = []
        self._arrived = 0

    @property
    def last_arrival_ns(self) -> int:
        """0 of a list without jobs."""
        return self._arrivals_ns[-1] if self._arrivals_ns else 0

    def through(self, looks: _Looks, until_ns: int) -> Iterator[Outcome]:
        """See `simulate`."""
        cluster = self._cluster
        while (now_ns := self._next_ns(looks.next_ns)) is not None and now_ns <= until_ns:
            cluster.now_ns = now_ns
            arrived = self._arrived
            self._arrive(now_ns)
            released = []
            while self._releases and self._releases[0][0] == now_ns:
                released.append(heappop(self._releases)[1])
            if released or self._arrived > arrived:
                looks.happened(now_ns)
            for job in released:
                yield self._release(job, until_ns)
            for job in looks.look(cluster):
                self._start(job, now_ns)
        for job in sorted(self._held):
            yield self._outcome(job, self._held[job], until_ns)
        for job in sorted({*cluster.queue, *self._too_wide()}):
            yield self._outcome(job, None, until_ns)

    def _next_ns(self, look_ns: int | None) -> int | None:
        moments = [] if look_ns is None else [look_ns]
        if self._releases:
            moments.append(self._releases[0][0])
        if self._arrived < len(self._jobs):
            moments.append(self._arrivals_ns[self._arrived])
        return min(moments, default=None)

    def _arrive(self, now_ns: int) -> None:
        while self._arrived < len(self._jobs) and self._arrivals_ns[self._arrived] == now_ns:
            if self._jobs[self._arrived].nodes <= self._cluster.nodes:
                self._cluster.queue.append(self._arrived)
            self._arrived += 1

    def _too_wide(self) -> Iterator[int]:
        return (place for place, job in enumerate(self._jobs) if job.nodes > self._cluster.nodes)

    def _start(self, job: int, now_ns: int) -> None:
        work = self._jobs[job]
        started_ns = now_ns + self._schedule_ns
        ended_ns = started_ns + _ns(min(work.run_s, work.limit_s))
        held = _Held(now_ns, started_ns, ended_ns, ended_ns + self._release_ns, self._free.take(work.nodes))
        self._held[job] = held
        heappush(self._releases, (held.released_ns, job))

    def _release(self, job: int, until_ns: int) -> Outcome:
        held = self._held.pop(job)
        self._free.give_back(held.ranges)
        self._cluster.give_back(job)
        return self._outcome(job, held, until_ns)

    def _outcome(self, job: int, held: _Held | None, until_ns: int) -> Outcome:
        work = self._jobs[job]
        arrival_s = self._arrivals_ns[job] / 1e9
        is_over = held is not None and held.ended_ns <= until_ns
        began = held is not None and held.started_ns <= until_ns
        state = "PENDING" if held is None else "RUNNING"
        if is_over:
            state = "TIMEOUT" if work.run_s > work.limit_s else "COMPLETED"
        return Outcome(
            work=work,
            batch=1,
            submitted_s=arrival_s,
            eligible_s=arrival_s,
            allocated_s=held.allocated_ns / 1e9 if held else None,
            started_s=held.started_ns / 1e9 if held and began else None,
            ended_s=held.ended_ns / 1e9 if held and is_over else None,
            released_s=held.released_ns / 1e9 if held and is_over else None,
            inside_began_s=None,
            inside_ended_s=None,
            state=state,
            nodes=text_of(held.ranges) if held else "",
            seen_until_s=None if is_over else until_ns / 1e9,
        )


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)

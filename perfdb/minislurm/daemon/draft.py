"""One pass over the jobs: what happened and what is decided, into the store, and into a ledger that becomes the ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from perfdb.minislurm.clock import Clock
from perfdb.minislurm.daemon.ledger import Ledger
from perfdb.minislurm.places import Places
from perfdb.minislurm.policy.cluster import Cluster, Resize, Rules, Start, Waiting
from perfdb.minislurm.policy.decide import decide
from perfdb.minislurm.request import Request
from perfdb.minislurm.store import loading, writing
from perfdb.minislurm.store.ending import Ending, cancelled_unstarted
from perfdb.minislurm.store.job import Event
from perfdb.minislurm.store.promise import Promise


@dataclass
class Effects:
    """What is to be done once it is committed.

    Attributes:
        ended: With the promise that the job had, None where it never started.
        told_to_end: Running jobs that somebody cancelled.
        resized: From what to what.
    """

    started: list[Promise] = field(default_factory=list)
    ended: list[tuple[int, Ending, Promise | None]] = field(default_factory=list)
    told_to_end: list[int] = field(default_factory=list)
    resized: list[tuple[Promise, Promise]] = field(default_factory=list)
    put_back: list[Promise] = field(default_factory=list)


class Draft:
    """Each method writes within the transaction that the caller opened."""

    def __init__(self, connection: sqlite3.Connection, places: Places, ledger: Ledger, clock: Clock) -> None:
        self.ledger = ledger.copy()
        self.effects = Effects()
        self._connection = connection
        self._places = places
        self._clock = clock

    def submit(self, request: Request) -> range:
        """Queue it; returns its tasks' ids."""
        ids = writing.insert(self._connection, self._places, request, self._clock)
        self.ledger.queue(
            Waiting(
                id=id,
                priority=request.priority,
                cpus=request.cpus,
                min_cpus=request.min_cpus,
                max_cpus=request.max_cpus,
                mem_mb=request.mem_mb,
                limit_s=request.limit_s,
                is_elastic=request.is_elastic,
            )
            for id in ids
        )
        return ids

    def cancel(self, ids: Iterable[int]) -> dict[int, str]:
        """End them, or have them end; returns client.Outcome by id."""
        wanted = list(ids)
        waited = {job.id for job in self.ledger.take_out(wanted)}
        outcomes: dict[int, str] = {}
        for id in wanted:
            promise = self.ledger.promises.get(id)
            if id in waited:
                self._end(id, cancelled_unstarted(self._clock), None)
                outcomes[id] = "cancelled"
            elif promise:
                writing.mark_cancelled(self._connection, id)
                self.ledger.promises[id] = replace(promise, is_cancelled=True)
                self.effects.told_to_end.append(id)
                outcomes[id] = "ending"
            elif id not in outcomes:
                outcomes[id] = "ended" if writing.state_of(self._connection, id) else "unknown"
        return outcomes

    def end(self, promise: Promise, ending: Ending) -> None:
        """It is over, and its CPUs are free."""
        if promise.is_letting_go:
            self.add_events([resize_event(promise, "withdrawn", self._clock, detail="the job ended")])
        self._end(promise.id, ending, self.ledger.promises.pop(promise.id))

    def put_back(self, promise: Promise) -> None:
        """That attempt never ran; the job waits again."""
        writing.put_back(self._connection, promise)
        del self.ledger.promises[promise.id]
        self.ledger.queue([loading.waiting_again(self._connection, promise.id)])
        self.effects.put_back.append(promise)

    def let_go(self, promise: Promise) -> None:
        """It was kept to its new CPUs, so the others are free."""
        self._set(replace(promise, cpu_ids=promise.cpu_ids[: promise.target_cpus]))

    def add_events(self, events: Iterable[Event]) -> None:
        """Lines of jobs' histories."""
        writing.add_events(self._connection, events)

    def decide(self, rules: Rules, mem_mb: int, enforcement: str, is_resizable: Callable[[Promise], bool]) -> None:
        """Start and resize what the policy says."""
        ledger = self.ledger
        now_ns = self._clock.ns()
        cluster = Cluster(
            cpus=len(ledger.cpu_ids),
            mem_mb=mem_mb,
            waiting=ledger.waiting,
            running=[promise.running(is_resizable=is_resizable(promise)) for promise in ledger.promises.values()],
            now_s=now_ns / 1e9,
        )
        decisions = decide(cluster, rules)
        free = ledger.free_cpus()
        started = {job.id: job for job in ledger.take_out([each.id for each in decisions if isinstance(each, Start)])}
        for decision in decisions:
            if isinstance(decision, Start):
                cpu_ids, free = tuple(free[: decision.cpus]), free[decision.cpus :]
                self._start(started[decision.id], cpu_ids, enforcement, now_ns)
            else:
                free = self._resize(decision, free, now_ns)

    def _start(self, job: Waiting, cpu_ids: tuple[int, ...], enforcement: str, now_ns: int) -> None:
        assert len(cpu_ids) == job.cpus, f"job {job.id} was to start on {job.cpus} CPUs, and {len(cpu_ids)} are free"
        promise = Promise(
            id=job.id,
            priority=job.priority,
            min_cpus=job.min_cpus,
            max_cpus=job.max_cpus,
            mem_mb=job.mem_mb,
            limit_s=job.limit_s,
            is_elastic=job.is_elastic,
            attempt=loading.work(self._connection, job.id).attempt + 1,
            cpu_ids=cpu_ids,
            target_cpus=job.cpus,
            generation=0,
            allocated_ns=now_ns,
            boot=self._clock.boot,
            enforcement=enforcement,
        )
        writing.start(self._connection, promise, self._clock)
        self.ledger.promises[job.id] = promise
        self.effects.started.append(promise)

    def _resize(self, decision: Resize, free: list[int], now_ns: int) -> list[int]:
        """Enter it; returns the CPUs that are free then. Those that are to be given up are not yet."""
        before = self.ledger.promises[decision.id]
        more = max(0, decision.cpus - before.cpus)
        assert more <= len(free), f"job {before.id} was to grow by {more} CPUs, and {len(free)} are free"
        after = replace(
            before,
            cpu_ids=before.cpu_ids + tuple(free[:more]),
            target_cpus=decision.cpus,
            generation=before.generation + 1,
            resized_ns=now_ns,
        )
        self._set(after)
        self.add_events([resize_event(after, "decided", self._clock, cpus_from=before.cpus, ns=now_ns)])
        self.effects.resized.append((before, after))
        return free[more:]

    def _set(self, promise: Promise) -> None:
        writing.resize(self._connection, promise)
        self.ledger.promises[promise.id] = promise

    def _end(self, id: int, ending: Ending, promise: Promise | None) -> None:
        writing.end(self._connection, id, ending)
        self.effects.ended.append((id, ending, promise))


def resize_event(
    promise: Promise,
    kind: str,
    clock: Clock,
    *,
    cpus_from: int | None = None,
    detail: str = "",
    ns: int | None = None,
) -> Event:
    """A line about a job's latest resize, now or at `ns`, which is not long ago."""
    now_ns = clock.ns()
    ns = now_ns if ns is None else ns
    at = clock.at() - (now_ns - ns) / 1e9
    cpus_to = promise.target_cpus
    return Event(promise.id, kind, promise.generation, ns, at, promise.boot, cpus_from, cpus_to, detail)

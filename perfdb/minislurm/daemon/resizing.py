"""Resizes of running jobs, from the commit on: told to the job, answered by it, and kept to by the kernel."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from perfdb.minislurm import enforcement, process, signalling
from perfdb.minislurm.clock import Clock
from perfdb.minislurm.control import Control, Status
from perfdb.minislurm.daemon import answers
from perfdb.minislurm.daemon.draft import resize_event
from perfdb.minislurm.daemon.orders import Orders
from perfdb.minislurm.places import Places
from perfdb.minislurm.store import loading
from perfdb.minislurm.store.job import Event
from perfdb.minislurm.store.promise import Promise
from perfdb.minislurm.supervisor import journal


@dataclass
class Contact:
    """What we know of an elastic job that runs.

    Attributes:
        is_started: Its own process has begun, so that there is somebody to resize.
        registered: The process that takes the signal, (pid, start ticks), or None.
        said: Of each kind of event, the latest generation that its history has.
    """

    is_started: bool = False
    registered: tuple[int, int] | None = None
    said: dict[str, int] = field(default_factory=dict)

    @property
    def answering(self) -> tuple[int, int] | None:
        """`registered`, while that process lives: a script goes on when the program that registered has ended."""
        if self.registered is None or process.start_ticks(self.registered[0]) != self.registered[1]:
            return None
        return self.registered


class Resizing:
    """All resizes under way."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        places: Places,
        clock: Clock,
        orders: Orders,
        supervisor_of: Callable[[int], int | None],
    ) -> None:
        self._connection = connection
        self._places = places
        self._clock = clock
        self._orders = orders
        self._supervisor_of = supervisor_of
        self._contacts: dict[int, Contact] = {}
        self._enforcement = lru_cache(enforcement.by_name)

    def is_resizable(self, promise: Promise) -> bool:
        """Whether it runs already, so that it can be told."""
        contact = self._contact(promise)
        if not contact.is_started and self._supervisor_of(promise.id) is not None:
            said = journal.read(self._places.journal(promise.id, promise.attempt))
            contact.is_started = said is not None and said.started is not None
        return contact.is_started

    def is_told(self, promise: Promise) -> bool:
        """Whether it was told of its latest resize."""
        return self._contact(promise).said.get("signalled", 0) >= promise.generation

    def write_control(self, promise: Promise, status: Status = "RUNNING") -> None:
        """Replace its control file.

        Raises:
            OSError: it can't be written now; the old one stays.
        """
        resized_ns = promise.allocated_ns if promise.resized_ns is None else promise.resized_ns
        Control(
            cpus=promise.target_cpus,
            mem_mb=promise.mem_mb,
            min_cpus=promise.min_cpus,
            max_cpus=promise.max_cpus,
            status=status,
            scaled_at=self._clock.at() - max(0, self._clock.ns() - resized_ns) / 1e9,
            generation=promise.generation,
        ).write(self._places.control(promise.id))

    def carry_out(self, promise: Promise) -> Iterator[Event]:
        """Tell a job of its latest resize; yields what was done.

        Raises:
            OSError: its control file can't be written now; call this again.
        """
        contact = self._contact(promise)
        # Given before it hears of it, and taken only after it has let go.
        if not promise.is_letting_go:
            self._keep_to(promise, promise.cpu_ids)
        self.write_control(promise)
        yield self._event(promise, "written")
        supervisor = self._supervisor_of(promise.id)
        # Read before: a job may have answered by the time that sending it returns.
        sent_ns = self._clock.ns()
        told = signalling.tell(supervisor, contact.answering) if supervisor else []
        yield self._event(promise, "signalled", detail=str(len(told)), ns=sent_ns)
        if contact.answering is None and not promise.is_letting_go:
            yield self._event(promise, "applied", detail="by enforcement")

    def has_let_go(self, promise: Promise) -> tuple[bool, list[Event]]:
        """Whether a job that is being shrunk is done with it, or gets no more time. Then it is kept to what it has left.

        Returns:
            With what there is to say of it.
        """
        contact = self._contact(promise)
        if not self.is_told(promise):
            return False, []
        kept = promise.cpu_ids[: promise.target_cpus]
        if contact.said.get("applied", 0) >= promise.generation:
            self._keep_to(promise, kept)
            return True, []
        if contact.answering is None:
            self._keep_to(promise, kept)
            return True, [self._event(promise, "applied", detail="by enforcement")]
        return False, []

    def take(self, promise: Promise) -> list[Event]:
        """Its time to let go is over: keep it to what it has left."""
        self._keep_to(promise, promise.cpu_ids[: promise.target_cpus])
        # Again and again where it can't be stored, and said once.
        if self._contact(promise).said.get("overdue", 0) >= promise.generation:
            return []
        return [self._event(promise, "overdue")]

    def heard(self, promise: Promise) -> list[Event]:
        """What its answer says that its history has not yet."""
        answer = answers.read(self._places.answer(promise.id))
        if answer is None:
            return []
        contact = self._contact(promise)
        contact.registered = (answer.pid, answer.ticks)
        events = []
        for kind, said in (("acknowledged", answer.acknowledged), ("applied", answer.applied)):
            if said is None:
                continue
            generation, ns = said
            is_news = generation == promise.generation > contact.said.get(kind, 0)
            # No earlier than it was decided, and not in the future.
            if is_news and promise.resized_ns is not None and promise.resized_ns <= ns <= self._clock.ns():
                events.append(self._event(promise, kind, detail=_cost(answer) if kind == "applied" else "", ns=ns))
        return events

    def forget(self, id: int) -> None:
        """It has ended."""
        self._contacts.pop(id, None)

    def _contact(self, promise: Promise) -> Contact:
        contact = self._contacts.get(promise.id)
        if contact is None:
            contact = self._contacts[promise.id] = Contact(said=loading.last_said(self._connection, promise.id))
        return contact

    def _keep_to(self, promise: Promise, cpu_ids: tuple[int, ...]) -> None:
        supervisor = self._supervisor_of(promise.id)
        if supervisor is not None:
            self._enforcement(promise.enforcement).set_cpus(
                self._orders.group(promise), self._orders.cpus(cpu_ids), supervisor
            )

    def _event(self, promise: Promise, kind: str, *, detail: str = "", ns: int | None = None) -> Event:
        self._contact(promise).said[kind] = promise.generation
        return resize_event(promise, kind, self._clock, detail=detail, ns=ns)


def _cost(answer: answers.Answer) -> str:
    """In words, what the job says that the resize has cost it; '' where it does not."""
    if answer.cost is None or answer.applied is None or answer.cost[0] != answer.applied[0]:
        return ""
    _, units, lost_ns, paused_ns = answer.cost
    return f"lost_units={units} lost_s={lost_ns / 1e9:.6f} paused_s={paused_ns / 1e9:.6f}"

"""The scheduler: gathers what happens, and makes one pass over all of it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from perfdb.errors import MiniSlurmError
from perfdb.minislurm.clock import Clock
from perfdb.minislurm.daemon.aftermath import Aftermath
from perfdb.minislurm.daemon.deadlines import next_ns, release_ns
from perfdb.minislurm.daemon.draft import Draft, Effects
from perfdb.minislurm.daemon.findings import Lives, Undecided, look, of_the_dead
from perfdb.minislurm.daemon.inbox import Inbox, answer
from perfdb.minislurm.daemon.ledger import Ledger
from perfdb.minislurm.daemon.offered import Offered
from perfdb.minislurm.daemon.orders import Orders
from perfdb.minislurm.daemon.resizing import Resizing
from perfdb.minislurm.daemon.supervisors import Supervisors
from perfdb.minislurm.places import Places
from perfdb.minislurm.policy.cluster import Rules
from perfdb.minislurm.request import Request
from perfdb.minislurm.store import loading
from perfdb.minislurm.store.database import transaction
from perfdb.minislurm.store.ending import Ending
from perfdb.minislurm.store.promise import Promise
from perfdb.units import counted

_RETRY_S = 1.0


class Scheduler:
    """One for each daemon. All of it runs in the event loop's thread."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        places: Places,
        clock: Clock,
        offered: Offered,
        rules: Rules,
        grace_s: float,
        tell: Callable[[str], None],
        on_end: Callable[[int, Ending], None],
    ) -> None:
        """Args: on_end: Called once the end of a job is on disk. Raises: OSError: the fork server can't be started."""
        self._connection = connection
        self._places = places
        self._clock = clock
        self._offered = offered
        self._rules = rules
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox()
        self._is_due = False
        self._is_in_trouble = False
        self._timer: asyncio.TimerHandle | None = None
        self._orders = Orders(connection, places, real_cpus=offered.real_cpus, grace_s=grace_s)
        self._supervisors = Supervisors(places.run / "supervisors.log", self._begun, self._gone, self.look_after)
        self.resizing = Resizing(connection, places, clock, self._orders, self._supervisors.pid_of)
        self.aftermath = Aftermath(places, self.resizing, self._loop)
        promises = {promise.id: promise for promise in loading.promises(connection)}
        self._ledger = Ledger(tuple(range(offered.cpus)), loading.waiting(connection), promises)
        self._on_end = on_end

    # What others ask of it.

    def submit(self, request: Request) -> asyncio.Future[range]:
        """Done, with the ids, once it is on disk."""
        future: asyncio.Future[range] = self._loop.create_future()
        self._inbox.submissions.append((request, future))
        self.wake()
        return future

    def cancel(self, ids: list[int]) -> asyncio.Future[dict[int, str]]:
        """Done, with the outcomes, once it is on disk."""
        future: asyncio.Future[dict[int, str]] = self._loop.create_future()
        self._inbox.cancels.append((ids, future))
        self.wake()
        return future

    def hear(self, id: int) -> None:
        """The job says that it has answered."""
        promise = self._ledger.promises.get(id)
        if promise and promise.is_elastic:
            events = self.resizing.heard(promise)
            if events:
                self._inbox.events += events
                self.wake()

    def adopt_all(self) -> None:
        """At the start: find out what became of all that ran."""
        for promise in list(self._ledger.promises.values()):
            self.hear(promise.id)
            self.look_after(promise.id, promise.attempt)
        self.wake()

    def tick(self) -> None:
        """The backstop: as if something had happened to each of them."""
        for id in list(self._ledger.promises):
            self.hear(id)
        self.wake()

    def wake(self) -> None:
        """Make a pass soon, over all that comes until then."""
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._pass)

    def close(self) -> None:
        """Let go of all jobs. They go on."""
        if self._timer:
            self._timer.cancel()
        self.aftermath.close()
        self._supervisors.close()

    # What becomes of supervisors.

    def look_after(self, id: int, attempt: int) -> None:
        """Find out what became of an attempt that nobody watches."""
        promise = self._promise(id, attempt)
        if promise is None or self._supervisors.pid_of(id) is not None:
            return
        try:
            found = look(self._places, promise, self._clock, group=self._orders.group(promise))
        except OSError:
            self._loop.call_later(_RETRY_S, self.look_after, id, attempt)
            return
        if isinstance(found, Lives):
            if self._supervisors.adopt(id, attempt, found.pid, found.ticks):
                self._begun(id, attempt)
            else:
                self._gone(id, attempt)
        else:
            self._over(id, attempt, found)

    def _begun(self, id: int, attempt: int) -> None:
        promise = self._promise(id, attempt)
        if promise is None:
            return
        if promise.is_cancelled:
            self._supervisors.end(id)
        if not self.resizing.is_told(promise):
            # Another daemon had decided that, and was ended before it told the job.
            self._carry_out(id)
        if promise.is_elastic:
            self.wake()

    def _gone(self, id: int, attempt: int) -> None:
        promise = self._promise(id, attempt)
        if promise is None:
            return
        try:
            found = of_the_dead(self._places, promise, self._clock, group=self._orders.group(promise))
        except OSError:
            self._loop.call_later(_RETRY_S, self._gone, id, attempt)
            return
        if found is Undecided.NEVER_RAN:
            # As on a full disk. It holds its CPUs a moment longer, so that it does not keep us busy.
            self._loop.call_later(_RETRY_S, self._over, id, attempt, found)
        else:
            self._over(id, attempt, found)

    def _over(self, id: int, attempt: int, found: Ending | Undecided) -> None:
        self._inbox.endings[id] = (attempt, found)
        self.wake()

    def _promise(self, id: int, attempt: int) -> Promise | None:
        promise = self._ledger.promises.get(id)
        return promise if promise and promise.attempt == attempt else None

    # The pass.

    def _pass(self) -> None:
        self._is_due = False
        inbox, draft = self._inbox, Draft(self._connection, self._places, self._ledger, self._clock)
        try:
            with transaction(self._connection):
                submitted = [(future, draft.submit(request)) for request, future in inbox.submissions]
                self._enter_endings(draft)
                cancelled = [(future, draft.cancel(ids)) for ids, future in inbox.cancels]
                self._enter_releases(draft)
                draft.decide(self._rules, self._offered.mem_mb, self._offered.enforcement, self.resizing.is_resizable)
                draft.add_events(inbox.events)
        except MiniSlurmError as error:
            self._refuse(error)
            return
        self._is_in_trouble = False
        self._inbox, self._ledger = Inbox(), draft.ledger
        for asker, ids in submitted:
            answer(asker, ids)
        for canceller, outcomes in cancelled:
            answer(canceller, outcomes)
        self._do(draft.effects)
        self.aftermath.tidy_up(nothing_runs=not self._ledger.promises)
        self._set_timer()

    def _enter_endings(self, draft: Draft) -> None:
        for id, (attempt, found) in self._inbox.endings.items():
            promise = draft.ledger.promises.get(id)
            if promise is None or promise.attempt != attempt:
                continue
            if promise.is_elastic:
                # Its last answer may have come with its end.
                self._inbox.events += self.resizing.heard(promise)
            if isinstance(found, Ending):
                draft.end(promise, found)
            else:
                draft.put_back(promise)

    def _enter_releases(self, draft: Draft) -> None:
        now_ns = self._clock.ns()
        for promise in [each for each in draft.ledger.promises.values() if each.is_letting_go]:
            if self._supervisors.pid_of(promise.id) is None:
                continue  # it has ended, or we are about to find it
            try:
                has_let_go, events = self.resizing.has_let_go(promise)
                if not has_let_go and now_ns >= release_ns(promise, self._rules):
                    has_let_go, events = True, self.resizing.take(promise)
            except OSError:
                continue  # these CPUs can't be taken from it now: the timer comes again
            self._inbox.events += events
            if has_let_go:
                draft.let_go(promise)

    def _refuse(self, error: MiniSlurmError) -> None:
        """Nothing could be stored: tell whoever waits for it, and try the rest again."""
        if not self._is_in_trouble:
            self._is_in_trouble = True
            self._tell(str(error))
        asked: list[tuple[Any, asyncio.Future[Any]]] = [*self._inbox.submissions, *self._inbox.cancels]
        for _, future in asked:
            if not future.done():
                future.set_exception(error)
        self._inbox.submissions.clear()
        self._inbox.cancels.clear()
        # One, however many ask meanwhile.
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(_RETRY_S, self.wake)

    def _do(self, effects: Effects) -> None:
        # What others wait for comes first.
        for promise in effects.started:
            self._tell(f"job {promise.id}: started on {counted(promise.cpus, 'CPU')}")
            self.aftermath.do(partial(self._launch, promise.id, promise.attempt))
        for before, after in effects.resized:
            self._tell(f"job {after.id}: from {before.cpus} to {counted(after.target_cpus, 'CPU')}")
            self._carry_out(after.id)
        for id in effects.told_to_end:
            self._supervisors.end(id)
        for id, ending, former in effects.ended:
            if former:
                # Before anybody hears of it: whoever then looks at the control file sees the end.
                self.aftermath.clean_up(former, ending.state)
            self._tell(f"job {id}: {ending.state}" + (f" ({ending.reason})" if ending.reason else ""))
            self._on_end(id, ending)
        for former in effects.put_back:
            self.aftermath.clean_up(former, None)

    def _launch(self, id: int, attempt: int) -> None:
        promise = self._promise(id, attempt)
        if promise is None:
            return
        if promise.is_elastic:
            self.resizing.write_control(promise)
        self._supervisors.send(self._orders.order(promise))

    def _carry_out(self, id: int) -> None:
        def now() -> None:
            promise = self._ledger.promises.get(id)
            if promise:
                self._inbox.events.extend(self.resizing.carry_out(promise))
                self.wake()

        self.aftermath.do(now)

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        now_ns = self._clock.ns()
        due_ns = next_ns(self._ledger, self._rules, now_ns, self.resizing.is_resizable)
        if due_ns is not None:
            self._timer = self._loop.call_later(max(0.001, (due_ns - now_ns) / 1e9), self.wake)

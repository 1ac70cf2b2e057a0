"""The daemon, from its start to its end in good order."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from perfdb.errors import MiniSlurmError
from perfdb.minislurm import client, enforcement, machine
from perfdb.minislurm.clock import Clock
from perfdb.minislurm.daemon import run_folder
from perfdb.minislurm.daemon.leftovers import put_away
from perfdb.minislurm.daemon.offered import Offered
from perfdb.minislurm.daemon.scheduler import Scheduler
from perfdb.minislurm.daemon.server import Hints, Server
from perfdb.minislurm.daemon.waiters import Waiters
from perfdb.minislurm.places import Places
from perfdb.minislurm.policy.cluster import Rules
from perfdb.minislurm.store import writing
from perfdb.minislurm.store.database import open_to_write, transaction
from perfdb.minislurm.store.lock import WriterLock
from perfdb.minislurm.store.reading import Offer
from perfdb.units import counted

_TICK_S = 30.0
# A command that writes by itself holds the lock for an instant; so does a daemon that is about to end.
_LOCK_S = 3.0
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


@dataclass(frozen=True)
class Options:
    """What the daemon offers, and by which rules.

    Attributes:
        cpus: How many CPUs; None for all of the machine's.
        mem_mb: How much memory in MB of 2**20 bytes; None for all of the machine's.
        overcommit: Whether those may be more than the machine has.
        grace_s: Between TERM and KILL, of a job that is cancelled or over its time.
    """

    rules: Rules
    cpus: int | None = None
    mem_mb: int | None = None
    overcommit: bool = False
    grace_s: float = 5.0


def run(places: Places, options: Options, tell: Callable[[str], None], clock: Clock | None = None) -> None:
    """Serve until SIGTERM or SIGINT; running jobs go on without us.

    Args:
        tell: Gets one line when it is ready, and one for each start, resize and end.

    Raises:
        UsageError: more is offered than there is.
        MiniSlurmError: another daemon runs, or the state can't be read or written.
    """
    with WriterLock(places) as lock:
        if client.is_running(places) or not lock.take(_LOCK_S):
            raise _taken(places)
        offered = Offered.of(
            machine.here(),
            enforcement.strongest().name,
            cpus=options.cpus,
            mem_mb=options.mem_mb,
            overcommit=options.overcommit,
        )
        connection = open_to_write(places)
        try:
            asyncio.run(_serve(connection, places, options, offered, _unless_deaf(tell), clock or Clock()))
        except OSError as error:
            raise MiniSlurmError(
                f"the scheduler can't work below {places.home} ({error}): see that it is yours and has room, then start it "
                "again. Jobs that run go on."
            ) from error
        finally:
            connection.close()


async def _serve(
    connection: sqlite3.Connection,
    places: Places,
    options: Options,
    offered: Offered,
    tell: Callable[[str], None],
    clock: Clock,
) -> None:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if not ended.done():
            ended.set_result(None)

    def fail(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "socket" in context and getattr(context.get("exception"), "errno", None) in _NO_ROOM:
            return  # for one more client: asyncio tries again in a second
        # A bug ends us with its traceback. Jobs go on, and the next daemon finds all as it was committed.
        if not ended.done():
            ended.set_exception(context.get("exception") or RuntimeError(context["message"]))

    loop.set_exception_handler(fail)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    _say_what_is_offered(connection, offered, options)
    waiters = Waiters(connection)
    scheduler = Scheduler(connection, places, clock, offered, options.rules, options.grace_s, tell, waiters.tell)
    hints = Hints(places.hints, scheduler.hear)
    server = Server(scheduler, waiters, offered)
    try:
        run_folder.recognise(connection, places)
        put_away(connection, places, clock, scheduler.aftermath)
        scheduler.adopt_all()
        await server.open(places.socket)
        tell(
            f"ready: {counted(offered.cpus, 'CPU')} and {offered.mem_mb:,} MB for jobs, kept to by {offered.enforcement}; "
            f"process {os.getpid()}"
        )
        while not ended.done():
            await asyncio.wait((ended,), timeout=_TICK_S)
            if not ended.done():
                scheduler.tick()
                if not run_folder.is_there(places):
                    raise MiniSlurmError(
                        f"somebody has removed {places.run}, so no job can be begun and nobody can ask anything: start the "
                        "scheduler again. Jobs that run go on, but how they end will not be known."
                    )
        ended.result()
    finally:
        await server.close()
        hints.close()
        scheduler.close()


def _unless_deaf(tell: Callable[[str], None]) -> Callable[[str], None]:
    """That, where the terminal was closed or its disk is full too: jobs need a daemon that nobody listens to."""

    def told(line: str) -> None:
        with contextlib.suppress(OSError):
            tell(line)

    return told


def _say_what_is_offered(connection: sqlite3.Connection, offered: Offered, options: Options) -> None:
    rules = options.rules
    offer = Offer(
        cpus=offered.cpus,
        mem_mb=offered.mem_mb,
        overcommit=offered.cpus > len(offered.real_cpus),
        enforcement=offered.enforcement,
        elastic=rules.elastic,
        threshold_percent=rules.threshold_percent,
        cooldown_s=rules.cooldown_s,
    )
    with transaction(connection):
        writing.set_fact(connection, "offer", json.dumps(asdict(offer)))


def _taken(places: Places) -> MiniSlurmError:
    other = client.is_running(places)
    if other is None:
        return MiniSlurmError(
            f"something writes mini-slurm's state in {places.home}, and answers nobody: see what holds its lock (fuser "
            f"{places.database}), end it, and start the scheduler again."
        )
    return MiniSlurmError(
        f"a scheduler runs for {places.home} already, with the process id {other}: use that one, end it (kill {other}), or "
        "set MINI_SLURM_HOME to another folder for a second one."
    )

"""What commands do by themselves where no daemon runs. Only for whoever holds the lock."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from perfdb.minislurm import process
from perfdb.minislurm.client import Outcome
from perfdb.minislurm.clock import Clock
from perfdb.minislurm.places import Places
from perfdb.minislurm.request import Request
from perfdb.minislurm.states import State
from perfdb.minislurm.store import writing
from perfdb.minislurm.store.database import open_to_write, transaction
from perfdb.minislurm.store.ending import cancelled_unstarted
from perfdb.minislurm.supervisor import journal


def submit(places: Places, request: Request) -> range:
    """Put it in the queue of the daemon that will be.

    Raises:
        MiniSlurmError: it can't be stored.
    """
    with _database(places) as connection, transaction(connection):
        return writing.insert(connection, places, request, Clock())


def cancel(places: Places, ids: Iterable[int]) -> dict[int, Outcome]:
    """Take those that wait out of the queue, and tell those that run to end. Returns what became of each.

    Raises:
        MiniSlurmError: it can't be stored.
    """
    outcomes: dict[int, Outcome] = {}
    told: list[int] = []
    with _database(places) as connection:
        with transaction(connection):
            for id in ids:
                match writing.state_of(connection, id):
                    case None:
                        outcomes[id] = "unknown"
                    case State.PENDING:
                        writing.end(connection, id, cancelled_unstarted(Clock()))
                        outcomes[id] = "cancelled"
                    case State.RUNNING:
                        writing.mark_cancelled(connection, id)
                        told.append(id)
                        outcomes[id] = "ending"
                    case _:
                        outcomes[id] = "ended"
        for id in told:
            _end(connection, places, id)
    return outcomes


def _end(connection: sqlite3.Connection, places: Places, id: int) -> None:
    """Tell its supervisor; where it has none, the next daemon finds that it was cancelled."""
    attempt = connection.execute("SELECT attempt FROM jobs WHERE id = ?", (id,)).fetchone()[0]
    said = journal.read(places.journal(id, attempt))
    if said is None or said.claim is None or said.exit is not None or said.claim.boot != process.boot_id():
        return
    pidfd = process.open_process(said.claim.pid, said.claim.ticks)
    if pidfd is not None:
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        except ProcessLookupError:
            pass  # it ended by itself just now
        finally:
            os.close(pidfd)


@contextmanager
def _database(places: Places) -> Iterator[sqlite3.Connection]:
    connection = open_to_write(places)
    try:
        yield connection
    finally:
        connection.close()

"""Files of jobs that are over, which an earlier daemon had no time to put away."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from perfdb.minislurm.clock import Clock
from perfdb.minislurm.daemon.aftermath import Aftermath, is_fence
from perfdb.minislurm.places import Places
from perfdb.minislurm.store import loading

_JOURNAL = re.compile(r"job_(\d{1,18})\.(\d{1,18})\.journal")
_ANSWER = re.compile(r"\.?job_(\d{1,18})\.answer(\..*)?")


def put_away(connection: sqlite3.Connection, places: Places, clock: Clock, aftermath: Aftermath) -> None:
    """Finish what was begun for jobs that are over, and remove what nobody needs. Jobs that run keep theirs."""
    running = {(promise.id, promise.attempt) for promise in loading.promises(connection)}
    running_ids = {id for id, _ in running}
    for path in list(places.run.iterdir()):
        if found := _JOURNAL.fullmatch(path.name):
            id, attempt = int(found[1]), int(found[2])
            if (id, attempt) not in running:
                _journal(connection, path, id, clock, aftermath)
        elif (found := _ANSWER.fullmatch(path.name)) and int(found[1]) not in running_ids:
            path.unlink(missing_ok=True)


def _journal(connection: sqlite3.Connection, path: Path, id: int, clock: Clock, aftermath: Aftermath) -> None:
    if is_fence(path):
        # After a restart of the machine nobody is left who was told to run it.
        if clock.boot.encode() not in path.read_bytes():
            path.unlink(missing_ok=True)
        return
    over = loading.ended(connection, id)
    if over and path.name == f"job_{id}.{over[1].attempt}.journal":
        state, promise = over
        aftermath.clean_up(promise, state)
    else:
        path.unlink(missing_ok=True)

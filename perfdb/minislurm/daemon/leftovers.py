"""Files of jobs that are over, which an earlier daemon had no time to put away."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path

from perfdb.minislurm import process
from perfdb.minislurm.clock import Clock
from perfdb.minislurm.daemon.aftermath import Aftermath, is_fence
from perfdb.minislurm.places import Places
from perfdb.minislurm.store import loading
from perfdb.minislurm.supervisor import journal

_JOURNAL = re.compile(r"job_(\d{1,18})\.(\d{1,18})\.journal")
# What a journal is called until it is whole, with the process that makes it.
_HALF = re.compile(r"job_\d{1,18}\.\d{1,18}\.journal\.(\d{1,10})")
_ANSWER = re.compile(r"\.?job_(\d{1,18})\.answer(\..*)?")


def put_away(connection: sqlite3.Connection, places: Places, clock: Clock, aftermath: Aftermath) -> None:
    """Finish what was begun for jobs that are over, and remove what nobody needs. Jobs that run keep theirs."""
    running = {(promise.id, promise.attempt) for promise in loading.promises(connection)}
    running_ids = {id for id, _ in running}
    for path in list(places.run.iterdir()):
        # What can't be put away, as a folder that a job made there, is no reason not to start.
        with contextlib.suppress(OSError):
            if found := _JOURNAL.fullmatch(path.name):
                id, attempt = int(found[1]), int(found[2])
                if (id, attempt) not in running:
                    _journal(connection, path, id, clock, aftermath)
            elif ((found := _HALF.fullmatch(path.name)) and process.start_ticks(int(found[1])) is None) or (
                (found := _ANSWER.fullmatch(path.name)) and int(found[1]) not in running_ids
            ):
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
    elif not (over is None and _is_alive(path)):
        path.unlink(missing_ok=True)


def _is_alive(path: Path) -> bool:
    """Whether that journal's supervisor is. Its job belongs to a database that somebody removed."""
    said = journal.read(path)
    claim = said.claim if said else None
    return claim is not None and process.is_running(claim.pid, claim.ticks, claim.boot)

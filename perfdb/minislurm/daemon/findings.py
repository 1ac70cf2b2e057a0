"""What became of an attempt, by its journal and by who lives."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from perfdb.minislurm import enforcement, process
from perfdb.minislurm.clock import Clock
from perfdb.minislurm.daemon import run_folder
from perfdb.minislurm.places import Places
from perfdb.minislurm.store.ending import Ending, cancelled_unstarted, lost, told
from perfdb.minislurm.store.promise import Promise
from perfdb.minislurm.supervisor import journal


@dataclass(frozen=True)
class Lives:
    """Its supervisor does: watch it."""

    pid: int
    ticks: int


class Undecided(Enum):
    """Not over, and nobody to watch."""

    NEVER_RAN = "it never ran, and never will in this attempt"


Found = Ending | Lives | Undecided


def look(places: Places, promise: Promise, clock: Clock, *, group: str) -> Found:
    """What became of an attempt that nobody watches. Decides it, where nobody has: then it never runs.

    Raises:
        OSError: that can't be decided now, as on a full disk.
    """
    path = places.journal(promise.id, promise.attempt)
    if promise.boot != clock.boot:
        said = journal.read(path)
        return (said and told(said)) or lost(
            said, "the machine was restarted while it ran", clock, promise.boot, promise.allocated_ns
        )
    said = journal.read(path)
    if said is None and _fence(path, clock.boot):
        return never_ran(promise, clock)
    said = said or journal.read(path) or journal.Journal()
    if said.is_fenced:
        return never_ran(promise, clock)
    if said.exit is None and said.claim and process.is_running(said.claim.pid, said.claim.ticks, said.claim.boot):
        return Lives(said.claim.pid, said.claim.ticks)
    return of_the_dead(places, promise, clock, group=group)


def of_the_dead(places: Places, promise: Promise, clock: Clock, *, group: str) -> Ending | Undecided:
    """What became of an attempt whose supervisor is surely gone, in this boot. Ends what is left of the job.

    A journal that says nothing was spoiled, for it is made with its first line in it: the job may have run, and does not again.

    Raises:
        OSError: its journal can't be read, or all of them have been removed.
    """
    path = places.journal(promise.id, promise.attempt)
    said = journal.read(path)
    if said is None and not run_folder.is_there(places):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    if said is None or said.is_fenced:
        # It ended before it could claim the attempt, and nobody else was told to run it.
        return never_ran(promise, clock)
    ending = told(said)
    if ending is None:
        enforcement.end_all(group)
        ending = lost(said, "its supervisor was lost", clock, promise.boot, promise.allocated_ns)
    return ending


def never_ran(promise: Promise, clock: Clock) -> Ending | Undecided:
    """Back into the queue, unless somebody cancelled it."""
    return cancelled_unstarted(clock) if promise.is_cancelled else Undecided.NEVER_RAN


def _fence(path: Path, boot: str) -> bool:
    """Keep the attempt from ever running; False where somebody was there before us."""
    # Under another name first: were we killed in between, nobody could tell an empty one from a job that was lost.
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps({"event": "fenced", "boot": boot}) + "\n")
        os.link(beside, path)
    except FileExistsError:
        return False
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
    return True

"""What a daemon that starts has to know of all that is not over."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, fields
from typing import Any

from perfdb.minislurm.policy.cluster import Waiting
from perfdb.minislurm.states import State
from perfdb.minislurm.store.promise import Promise


def waiting(connection: sqlite3.Connection) -> list[Waiting]:
    """All that wait, in the queue's order."""
    rows = connection.execute(f"{_WAITING} WHERE state = 'PENDING' ORDER BY priority DESC, id")
    return [_waiting(row) for row in rows]


def waiting_again(connection: sqlite3.Connection, id: int) -> Waiting:
    """That one, which was put back."""
    return _waiting(connection.execute(f"{_WAITING} WHERE id = ?", (id,)).fetchone())


# In the order of Promise's fields.
_PROMISE = """SELECT id, priority, min_cpus, max_cpus, mem_mb, limit_s, is_elastic, attempt, cpu_ids, target_cpus, generation,
    allocated_ns, boot, enforcement, resized_ns, is_cancelled FROM jobs"""


def promises(connection: sqlite3.Connection) -> list[Promise]:
    """Those of all that run, as far as the store knows."""
    return [_promise(row) for row in connection.execute(f"{_PROMISE} WHERE state = 'RUNNING' ORDER BY id")]


def ended(connection: sqlite3.Connection, id: int) -> tuple[State, Promise] | None:
    """How that job ended, and what it had been promised; None where it is not over, or was promised nothing."""
    row = connection.execute("SELECT state FROM jobs WHERE id = ? AND allocated_ns IS NOT NULL", (id,)).fetchone()
    if row is None or not State(row[0]).is_final:
        return None
    return State(row[0]), _promise(connection.execute(f"{_PROMISE} WHERE id = ?", (id,)).fetchone())


def _promise(row: tuple[Any, ...]) -> Promise:
    names = (field.name for field in fields(Promise))
    found = dict(zip(names, row, strict=True))
    return Promise(
        **found
        | {
            "is_elastic": bool(found["is_elastic"]),
            "is_cancelled": bool(found["is_cancelled"]),
            "cpu_ids": tuple(map(int, found["cpu_ids"].split())),
        }
    )


_WAITING = "SELECT id, priority, cpus, min_cpus, max_cpus, mem_mb, limit_s, is_elastic FROM jobs"


def _waiting(row: tuple[Any, ...]) -> Waiting:
    id, priority, cpus, min_cpus, max_cpus, mem_mb, limit_s, is_elastic = row
    return Waiting(id, priority, cpus, min_cpus, max_cpus, mem_mb, limit_s, bool(is_elastic))


@dataclass(frozen=True)
class Work:
    """What a job is to run: the rest of its order."""

    submission: int
    array_id: int | None
    array_index: int | None
    attempt: int
    control_file: str


@dataclass(frozen=True)
class Submission:
    """What the tasks of an array share; `stdout` and `stderr` are '' for the usual places."""

    argv: tuple[str, ...]
    cwd: str
    stdout: str
    stderr: str
    env: dict[str, str]


def work(connection: sqlite3.Connection, id: int) -> Work:
    """That job's."""
    row = connection.execute(
        "SELECT submission, array_id, array_index, attempt, control_file FROM jobs WHERE id = ?", (id,)
    ).fetchone()
    return Work(*row)


def submission(connection: sqlite3.Connection, id: int) -> Submission:
    """That one."""
    spec_text, env_text = connection.execute("SELECT spec, env FROM submissions WHERE id = ?", (id,)).fetchone()
    spec: dict[str, Any] = json.loads(spec_text)
    return Submission(tuple(spec["argv"]), spec["cwd"], spec["stdout"], spec["stderr"], json.loads(env_text))


def instance(connection: sqlite3.Connection) -> str:
    """Names this database among all on this machine."""
    return str(connection.execute("SELECT value FROM facts WHERE name = 'instance'").fetchone()[0])


def last_said(connection: sqlite3.Connection, id: int) -> dict[str, int]:
    """Of each kind of event, the latest generation that the job's history has."""
    return dict(
        connection.execute("SELECT kind, max(generation) FROM events WHERE job = ? GROUP BY kind", (id,)).fetchall()
    )

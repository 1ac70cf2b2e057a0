"""What the one writer writes, each within a `transaction`."""

from __future__ import annotations

import json
import shlex
import sqlite3
from collections.abc import Iterable

from perfdb.minislurm.clock import Clock
from perfdb.minislurm.places import Places
from perfdb.minislurm.request import Request
from perfdb.minislurm.states import State
from perfdb.minislurm.store.ending import Ending
from perfdb.minislurm.store.job import Event
from perfdb.minislurm.store.promise import Promise


def insert(connection: sqlite3.Connection, places: Places, request: Request, clock: Clock) -> range:
    """Put its job, or its array's tasks, in the queue. Their ids have no gap."""
    command = shlex.join(request.argv)
    # JSON escapes what is no UTF-8; in a column for people it is spelled out.
    submission = connection.execute(
        "INSERT INTO submissions (name, command, spec, env) VALUES (?, ?, ?, ?)",
        (
            _for_people(request.name),
            _for_people(command),
            json.dumps(
                {"argv": request.argv, "cwd": request.cwd, "stdout": request.stdout, "stderr": request.stderr},
            ),
            json.dumps(dict(request.env)),
        ),
    ).lastrowid
    first = connection.execute("SELECT max(id) FROM jobs").fetchone()[0] or _last_of_another_database(places)
    first += 1
    ids = range(first, first + max(1, len(request.array)))
    common = (
        submission,
        first if request.array else None,
        request.cpus,
        int(request.is_elastic),
        request.min_cpus,
        request.max_cpus,
        request.cpus,
        request.cpus,
        request.mem_mb,
        request.priority,
        request.limit_s,
        clock.boot,
        clock.at(),
        clock.ns(),
    )
    connection.executemany(
        """INSERT INTO jobs (submission, array_id, cpus, is_elastic, min_cpus, max_cpus, current_cpus, target_cpus, mem_mb,
            priority, limit_s, boot, submit_at, submit_ns, id, array_index, control_file)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            (*common, id, index, _for_people(str(places.control(id))) if request.is_elastic else "")
            for id, index in zip(ids, request.array or (None,), strict=True)
        ),
    )
    return ids


def start(connection: sqlite3.Connection, promise: Promise, clock: Clock) -> None:
    """It is promised those CPUs, and may be run once."""
    # Where it waited since another boot, what it waited is known by the wall clock alone.
    done = connection.execute(
        """UPDATE jobs SET state = 'RUNNING', reason = '', attempt = :attempt, current_cpus = :cpus, target_cpus = :cpus,
            cpu_ids = :cpu_ids, enforcement = :enforcement, allocated_ns = :ns, allocated_at = :at,
            submit_ns = CASE WHEN boot = :boot THEN submit_ns ELSE :ns - CAST(max(0, :at - submit_at) * 1e9 AS INTEGER) END,
            boot = :boot
        WHERE id = :id AND state = 'PENDING'""",
        {
            "id": promise.id,
            "attempt": promise.attempt,
            "cpus": promise.cpus,
            "cpu_ids": _words(promise.cpu_ids),
            "enforcement": promise.enforcement,
            "ns": promise.allocated_ns,
            "at": clock.at(),
            "boot": clock.boot,
        },
    ).rowcount
    assert done == 1, f"job {promise.id} was not pending"


def put_back(connection: sqlite3.Connection, promise: Promise) -> None:
    """That attempt never ran: the job waits again."""
    connection.execute(
        """UPDATE jobs SET state = 'PENDING', allocated_ns = NULL, allocated_at = NULL, cpu_ids = '', enforcement = '',
            current_cpus = cpus, target_cpus = cpus WHERE id = ? AND state = 'RUNNING' AND attempt = ?""",
        (promise.id, promise.attempt),
    )


def end(connection: sqlite3.Connection, id: int, ending: Ending) -> None:
    """It is over."""
    connection.execute(
        """UPDATE jobs SET state = ?, reason = ?, started_ns = ?, started_at = ?, ended_ns = ?, ended_at = ?, exit_code = ?,
            signal = ?, cpu_s = ?, peak_kb = ?, target_cpus = current_cpus WHERE id = ? AND state IN ('PENDING', 'RUNNING')""",
        (
            ending.state,
            _for_people(ending.reason),
            ending.started_ns,
            ending.started_at,
            ending.ended_ns,
            ending.ended_at,
            ending.exit_code,
            ending.signal,
            ending.cpu_s,
            ending.peak_kb,
            id,
        ),
    )


def mark_cancelled(connection: sqlite3.Connection, id: int) -> None:
    """Somebody wants it to end."""
    connection.execute("UPDATE jobs SET is_cancelled = 1 WHERE id = ?", (id,))


def resize(connection: sqlite3.Connection, promise: Promise) -> None:
    """What it holds now, and what it is being resized to."""
    connection.execute(
        """UPDATE jobs SET current_cpus = ?, target_cpus = ?, generation = ?, cpu_ids = ?, resized_ns = ?
        WHERE id = ? AND state = 'RUNNING'""",
        (
            promise.cpus,
            promise.target_cpus,
            promise.generation,
            _words(promise.cpu_ids),
            promise.resized_ns,
            promise.id,
        ),
    )


def add_events(connection: sqlite3.Connection, events: Iterable[Event]) -> None:
    """Lines of jobs' histories."""
    connection.executemany(
        """INSERT INTO events (job, kind, generation, ns, at, boot, cpus_from, cpus_to, detail)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        ((e.job, e.kind, e.generation, e.ns, e.at, e.boot, e.cpus_from, e.cpus_to, e.detail) for e in events),
    )


def set_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    """A fact about the whole: `offer`, as JSON."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))


def state_of(connection: sqlite3.Connection, id: int) -> State | None:
    """What that job is now; None where there is none."""
    row = connection.execute("SELECT state FROM jobs WHERE id = ?", (id,)).fetchone()
    return State(row[0]) if row else None


def _last_of_another_database(places: Places) -> int:
    """The highest number of a job that may run on after its database was removed, and writes into files of that number; 0."""
    names = (path.name.removeprefix("job_").partition(".")[0] for path in places.run.glob("job_*.journal"))
    return max((int(name) for name in names if name.isdecimal() and len(name) < 18), default=0)


def _words(numbers: Iterable[int]) -> str:
    return " ".join(map(str, numbers))


def _for_people(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()

"""What commands ask of the store, with or without a daemon."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from types import TracebackType
from typing import Any, NamedTuple, Self

from perfdb.minislurm.clock import Clock
from perfdb.minislurm.places import Places
from perfdb.minislurm.states import State
from perfdb.minislurm.store.database import open_to_read
from perfdb.minislurm.store.job import Event, Job
from perfdb.minislurm.supervisor import journal


class QueueRow(NamedTuple):
    """One line of the queue.

    Attributes:
        wait_s: Seconds from submission to the start, or until now.
        run_s: Seconds from the start to the end, or until now; None while it waits.
        state: A State's value.
    """

    id: int
    array_id: int | None
    array_index: int | None
    state: str
    cpus: int
    current_cpus: int
    max_cpus: int
    is_elastic: int
    mem_mb: int
    priority: int
    wait_s: float
    run_s: float | None
    submit_at: float
    name: str
    command: str
    reason: str


@dataclass(frozen=True)
class Offer:
    """What the last daemon offered jobs.

    Attributes:
        cpus: More than the machine has only where `overcommit` says so.
        enforcement: What kept jobs to theirs.
        elastic: Whether jobs were resized.
    """

    cpus: int
    mem_mb: int
    overcommit: bool
    enforcement: str
    elastic: bool
    threshold_percent: float
    cooldown_s: float


@dataclass(frozen=True)
class Stats:
    """The whole of it in numbers.

    Attributes:
        counts: Jobs by State, each state named.
        cpus_promised: Of all running jobs.
        mem_mb_promised: Likewise.
        waits_s: Of the jobs that started: the mean, the median and the longest wait in seconds; None where none did.
        grown: Resizes upwards that were decided; `shrunk` downwards; `overdue`: jobs that did not let go in time.
        offer: None before the first daemon.
    """

    counts: dict[State, int]
    cpus_promised: int
    mem_mb_promised: int
    waits_s: tuple[float, float, float] | None
    grown: int
    shrunk: int
    overdue: int
    offer: Offer | None

    @property
    def utilisation_percent(self) -> float | None:
        """The share of the offered CPUs that is promised; None before the first daemon."""
        return 100 * self.cpus_promised / self.offer.cpus if self.offer else None


_JOB = """SELECT jobs.*, submissions.name AS name, submissions.spec AS spec
    FROM jobs JOIN submissions ON submissions.id = jobs.submission"""

# `ns` of another boot can't be subtracted from now: the wall clock has to do, which may have jumped.
_QUEUE = """SELECT jobs.id, array_id, array_index, state, cpus, current_cpus, max_cpus, is_elastic, mem_mb, priority,
        CASE WHEN allocated_ns IS NOT NULL THEN (coalesce(started_ns, allocated_ns) - submit_ns) / 1e9
             WHEN ended_ns IS NOT NULL THEN max(0, ended_ns - submit_ns) / 1e9
             WHEN boot = :boot THEN (:ns - submit_ns) / 1e9 ELSE max(0, :at - submit_at) END,
        CASE WHEN allocated_ns IS NULL THEN NULL
             WHEN ended_ns IS NOT NULL THEN max(0, ended_ns - coalesce(started_ns, allocated_ns)) / 1e9
             WHEN boot = :boot THEN (:ns - coalesce(started_ns, allocated_ns)) / 1e9 ELSE max(0, :at - allocated_at) END,
        submit_at, name, command, reason
    FROM jobs JOIN submissions ON submissions.id = jobs.submission"""


class Reader:
    """One look at the store.

    Raises:
        MiniSlurmError: (when made) the database can't be read, or is not ours.
    """

    def __init__(self, places: Places, clock: Clock | None = None) -> None:
        self._places = places
        self._clock = clock or Clock()
        self._connection = open_to_read(places)

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def queue(self, *, all: bool = False, limit: int | None = None) -> Iterator[QueueRow]:
        """Running jobs by id, then waiting ones in the order of the queue, then, where `all`, finished ones by id."""
        where = "" if all else "WHERE state IN ('PENDING', 'RUNNING')"
        rows = self._connection.execute(
            f"""{_QUEUE} {where} ORDER BY CASE state WHEN 'RUNNING' THEN 0 WHEN 'PENDING' THEN 1 ELSE 2 END,
            CASE state WHEN 'PENDING' THEN -priority ELSE 0 END, jobs.id LIMIT :limit""",
            self._now() | {"limit": -1 if limit is None else limit},
        )
        return map(QueueRow._make, rows)

    def job(self, id: int) -> Job | None:
        """That job, None where there is none; of an array's id, its first task."""
        found = list(self._jobs(f"{_JOB} WHERE jobs.id = ?", (id,)))
        return found[0] if found else None

    def task(self, array_id: int, index: int) -> Job | None:
        """The task with that index of an array, None where there is none."""
        found = list(self._jobs(f"{_JOB} WHERE array_id = ? AND array_index = ?", (array_id, index)))
        return found[0] if found else None

    def tasks(self, array_id: int) -> list[Job]:
        """All tasks of the array, by id; [] where there is no such array."""
        return list(self._jobs(f"{_JOB} WHERE array_id = ? ORDER BY jobs.id", (array_id,)))

    def task_ids(self, array_id: int) -> list[int]:
        """The ids of all tasks of the array; [] where there is no such array."""
        return [
            row[0]
            for row in self._connection.execute("SELECT id FROM jobs WHERE array_id = ? ORDER BY id", (array_id,))
        ]

    def events(self, id: int) -> list[Event]:
        """The job's history in the order in which it happened; [] where there is no such job."""
        job = self.job(id)
        if job is None:
            return []
        own = [
            Event(id, kind, generation, ns, at, job.boot, None, cpus, detail)
            for kind, generation, ns, at, cpus, detail in (
                ("submitted", 0, job.submit_ns, job.submit_at, job.cpus, ""),
                ("allocated", 0, job.allocated_ns, job.allocated_at, job.cpus, f"attempt {job.attempt}"),
                ("started", 0, job.started_ns, job.started_at, job.cpus, ""),
                ("ended", job.generation, job.ended_ns, job.ended_at, job.current_cpus, job.reason or job.state.value),
            )
            if ns is not None and at is not None
        ]
        rows = self._connection.execute(
            "SELECT job, kind, generation, ns, at, boot, cpus_from, cpus_to, detail FROM events WHERE job = ? ORDER BY rowid",
            (id,),
        )
        resizes = [Event(*row) for row in rows]
        # Only the decision knows what it was before.
        before = {event.generation: event.cpus_from for event in resizes if event.kind == "decided"}
        resizes = [replace(event, cpus_from=before.get(event.generation)) for event in resizes]
        # Sorting is stable: what was written first stays first where two share a nanosecond.
        return sorted([*own, *resizes], key=lambda event: event.ns)

    def stats(self) -> Stats:
        """All of it in numbers."""
        counts = dict.fromkeys(State, 0)
        counts |= {State(s): n for s, n in self._connection.execute("SELECT state, count(*) FROM jobs GROUP BY state")}
        cpus, memory = self._connection.execute(
            "SELECT coalesce(sum(current_cpus), 0), coalesce(sum(mem_mb), 0) FROM jobs WHERE state = 'RUNNING'"
        ).fetchone()
        resizes: dict[str, int] = dict(
            self._connection.execute(
                """SELECT CASE WHEN kind = 'overdue' THEN 'overdue' WHEN cpus_to > cpus_from THEN 'grown' ELSE 'shrunk' END,
                count(*) FROM events WHERE kind IN ('decided', 'overdue') GROUP BY 1"""
            ).fetchall()
        )
        return Stats(
            counts=counts,
            cpus_promised=cpus,
            mem_mb_promised=memory,
            waits_s=self._waits(),
            grown=resizes.get("grown", 0),
            shrunk=resizes.get("shrunk", 0),
            overdue=resizes.get("overdue", 0),
            offer=self.offer(),
        )

    def offer(self) -> Offer | None:
        """What the daemon offers, or the last one did; None before the first."""
        row = self._connection.execute("SELECT value FROM facts WHERE name = 'offer'").fetchone()
        return Offer(**json.loads(row[0])) if row else None

    def _waits(self) -> tuple[float, float, float] | None:
        waits = [
            row[0]
            for row in self._connection.execute(
                "SELECT (coalesce(started_ns, allocated_ns) - submit_ns) / 1e9 AS s FROM jobs WHERE s IS NOT NULL ORDER BY s"
            )
        ]
        return (sum(waits) / len(waits), waits[len(waits) // 2], waits[-1]) if waits else None

    def _now(self) -> dict[str, Any]:
        return {"boot": self._clock.boot, "ns": self._clock.ns(), "at": self._clock.at()}

    def _jobs(self, query: str, values: tuple[int, ...]) -> Iterator[Job]:
        cursor = self._connection.cursor()
        cursor.row_factory = sqlite3.Row
        for row in cursor.execute(query, values):
            yield self._job(row)

    def _job(self, row: sqlite3.Row) -> Job:
        fields = dict(zip(row.keys(), row, strict=True))
        id, spec = fields["id"], _spec(fields.pop("spec"))
        del fields["submission"]
        started_at, started_ns = fields["started_at"], fields["started_ns"]
        if fields["state"] == State.RUNNING and started_ns is None:
            # The daemon reads it only at the end; whoever asks before reads it where it stands.
            said = journal.read(self._places.journal(id, fields["attempt"]))
            if said is not None and said.started is not None:
                started_at, started_ns = said.started.at, said.started.ns
        return Job(
            **fields
            | {
                "argv": tuple(spec["argv"]),
                "cwd": spec["cwd"],
                "stdout": spec["stdout"] or str(self._places.stdout(id)),
                "stderr": spec["stderr"] or str(self._places.stderr(id)),
                "state": State(fields["state"]),
                "is_elastic": bool(fields["is_elastic"]),
                "is_cancelled": bool(fields["is_cancelled"]),
                "cpu_ids": tuple(int(word) for word in fields["cpu_ids"].split()),
                "started_at": started_at,
                "started_ns": started_ns,
            }
        )


@lru_cache(maxsize=8)
def _spec(text: str) -> dict[str, Any]:
    """Tasks of an array share theirs."""
    return dict(json.loads(text))

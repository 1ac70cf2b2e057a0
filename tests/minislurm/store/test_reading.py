"""What commands are told, without a daemon."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from perfdb.minislurm import client, process
from perfdb.minislurm.clock import Clock
from perfdb.minislurm.places import Places
from perfdb.minislurm.states import State
from perfdb.minislurm.store import loading, writing
from perfdb.minislurm.store.database import open_to_write, transaction
from perfdb.minislurm.store.ending import told
from perfdb.minislurm.store.job import Event
from perfdb.minislurm.store.promise import Promise
from perfdb.minislurm.store.reading import Reader
from perfdb.minislurm.supervisor import journal
from tests.minislurm.daemon.running import request


class Stopped(Clock):
    """A clock that says what it was set to."""

    def __init__(self, ns: int, at: float) -> None:
        self.now_ns, self.now_at = ns, at

    def ns(self) -> int:
        return self.now_ns

    def at(self) -> float:
        return self.now_at


def test_the_queue_is_running_jobs_then_waiting_ones_as_they_will_start(tmp_path: Path) -> None:
    places = Places(tmp_path)
    for priority in (0, 5, 0, 5):
        client.submit(places, request("echo", "two words", priority=priority))
    _start(places, 3)

    with Reader(places) as reader:
        rows = list(reader.queue())
        assert [(row.id, row.state) for row in rows] == [(3, "RUNNING"), (2, "PENDING"), (4, "PENDING"), (1, "PENDING")]
        assert {row.command for row in rows} == {"echo 'two words'"}
        assert [row.id for row in reader.queue(limit=2)] == [3, 2]
        assert len(list(reader.queue(all=True))) == 4


def test_waits_and_runs_are_counted_on_the_clock_that_does_not_jump(tmp_path: Path) -> None:
    places, clock = Places(tmp_path), Stopped(ns=10_000_000_000, at=1000.0)
    with transaction(connection := open_to_write(places)):
        writing.insert(connection, places, request(), clock)
    connection.close()

    def row() -> tuple[float, float | None]:
        with Reader(places, clock) as reader:
            found = next(reader.queue(all=True))
        return found.wait_s, found.run_s

    clock.now_ns, clock.now_at = 12_500_000_000, -5000.0
    assert row() == (2.5, None)
    promise = _start(places, 1, clock)
    clock.now_ns = 13_500_000_000
    assert row() == (2.5, 1.0)
    said = _journal(exit_ns=17_000_000_000)
    with transaction(connection := open_to_write(places)):
        writing.end(connection, promise.id, told(said) or _never())
    connection.close()
    clock.now_ns = 99_000_000_000
    assert row() == (3.0, 4.0)


def test_a_history_is_in_the_order_of_what_happened_and_knows_the_number_before(tmp_path: Path) -> None:
    places, clock = Places(tmp_path), Stopped(ns=1, at=1.0)
    with transaction(connection := open_to_write(places)):
        writing.insert(connection, places, request(min_cpus=1, max_cpus=4), clock)
    clock.now_ns = 2
    _start(places, 1, clock)
    with transaction(connection):
        boot = clock.boot
        writing.add_events(connection, [Event(1, "written", 1, 5, 1.0, boot, None, 3, "")])
        writing.add_events(connection, [Event(1, "decided", 1, 4, 1.0, boot, 1, 3, "")])
    connection.close()

    with Reader(places) as reader:
        found = [(event.kind, event.cpus_from, event.cpus_to) for event in reader.events(1)]
        assert found == [("submitted", None, 1), ("allocated", None, 1), ("decided", 1, 3), ("written", 1, 3)]
        assert reader.events(2) == []


def test_a_job_that_has_just_started_is_told_so_before_its_daemon_accounts_it(tmp_path: Path) -> None:
    places = Places(tmp_path)
    client.submit(places, request())
    _start(places, 1)
    places.journal(1, 1).write_text('{"event": "started", "pid": 7, "ticks": 1, "ns": 123, "at": 4.5}\n')

    with Reader(places) as reader:
        job = reader.job(1)

    assert job and (job.started_ns, job.started_at) == (123, 4.5)


def test_words_that_are_no_text_are_kept_as_they_are(tmp_path: Path) -> None:
    places = Places(tmp_path)
    odd = os.fsdecode(b"\xff'\n")
    client.submit(places, request("echo", odd, env={"ODD": odd}, cwd=f"/{odd}", name=odd))

    with Reader(places) as reader:
        job = reader.job(1)
        assert job and (job.argv, job.cwd) == (("echo", odd), f"/{odd}")
        assert "\\udcff" in next(reader.queue()).command
    connection = open_to_write(places)
    assert loading.submission(connection, 1).env == {"ODD": odd}
    connection.close()


def test_stats_count_states_promises_and_resizes(tmp_path: Path) -> None:
    places = Places(tmp_path)
    client.submit(places, request(cpus=3, mem_mb=100, array=(0, 1, 2)))
    _start(places, 2)
    with transaction(connection := open_to_write(places)):
        for kind, before, after in (("decided", 1, 2), ("decided", 2, 1), ("overdue", None, 1), ("decided", 1, 2)):
            writing.add_events(connection, [Event(2, kind, 1, 1, 1.0, "", before, after, "")])
        offer = {"cpus": 6, "mem_mb": 1000, "overcommit": False, "enforcement": "x", "elastic": True}
        writing.set_fact(connection, "offer", json.dumps(offer | {"threshold_percent": 50.0, "cooldown_s": 10.0}))
    connection.close()

    with Reader(places) as reader:
        stats = reader.stats()

    assert (stats.counts[State.PENDING], stats.counts[State.RUNNING], stats.counts[State.FAILED]) == (2, 1, 0)
    assert (stats.cpus_promised, stats.mem_mb_promised, stats.utilisation_percent) == (3, 100, 50.0)
    assert (stats.grown, stats.shrunk, stats.overdue) == (2, 1, 1)


def _start(places: Places, id: int, clock: Clock | None = None) -> Promise:
    clock = clock or Clock()
    connection = open_to_write(places)
    job = next(job for job in loading.waiting(connection) if job.id == id)
    promise = Promise(
        id, job.priority, job.min_cpus, job.max_cpus, job.mem_mb, None, job.is_elastic, 1, tuple(range(job.cpus)), job.cpus,
        0, clock.ns(), process.boot_id(), "none",
    )  # fmt: skip
    with transaction(connection):
        writing.start(connection, promise, clock)
    connection.close()
    return replace(promise)


def _journal(exit_ns: int) -> journal.Journal:
    return journal.parse(
        [
            '{"event": "started", "pid": 7, "ticks": 1, "ns": 13000000000, "at": 1}',
            f'{{"event": "exit", "why": "exited", "code": 0, "signal": null, "ns": {exit_ns}, "at": 1}}',
        ]
    )


def _never() -> None:
    raise AssertionError("its journal has its end")

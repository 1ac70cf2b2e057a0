"""What a run pays for MLflow when it works, and when it does not."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from perfdb.errors import TrackingError
from perfdb.registry import Registry
from perfdb.settings import Settings
from perfdb.tracking import MirrorSession, SyncReport, SyncStep, Target, server, sync_records
from perfdb.tracking.door import connect
from perfdb.tracking.mapping import RECORD_TAG
from tests.tracking.records import save, sqlite_target

ENOUGH_S = 30.0
BUDGET_S = 1.0


def session_on(target: Target, budget_s: float = ENOUGH_S) -> MirrorSession:
    return MirrorSession(target, budget_s)


def start(session: MirrorSession, entry, journal: str = "0a0b") -> None:
    session.start_open(
        experiment=entry.record.experiment,
        run_name=entry.record.run_name,
        started_at=entry.record.started_at,
        journal=journal,
        tags={"perfdb.family": entry.record.family},
    )


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on this host that does `answer` with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                kept.append(connection)
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        for connection in kept:
            connection.close()


def replying(status: str, body: bytes, health: str = "200 OK") -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        while request := connection.recv(65536):
            line = health if b"/health" in request else status
            head = f"HTTP/1.1 {line}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)

    return answer


def silent_but_healthy(connection: socket.socket) -> None:
    if b"/health" in connection.recv(65536):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
    connection.recv(65536)


def synced(target: Target, tmp_path, runs=None, on_step=None):
    """A sync of the registry in `tmp_path`."""
    registry = tmp_path / "mlruns"
    return sync_records(target, registry, Registry(registry).folders(), runs or {}, on_step)


def http_target(url: str, tmp_path) -> Target:
    return Target(url, str(tmp_path / "artifacts"), str(tmp_path))


def whole_run(target: Target, entry, budget_s: float) -> tuple[str, float]:
    """Open and mirror; the warning, and the seconds of the budget that are gone."""
    with session_on(target, budget_s) as session:
        start(session, entry)
        assert session.opened() is None
        assert session.mirror(entry.folder) is None
        assert session.warning is not None
        return session.warning, budget_s - session.budget.left


def test_a_run_is_opened_and_mirrored_by_one_process_that_uses_no_cpu_in_between(tmp_path):
    target, entry = sqlite_target(tmp_path / "state"), save(tmp_path)
    with session_on(target) as session:
        start(session, entry)
        opened = session.opened()
        child = psutil.Process(session._child.pid)
        before = child.cpu_times()
        time.sleep(0.5)  # a process that does nothing can only be watched doing nothing
        after = child.cpu_times()
        assert child.num_threads() >= 1
        mirrored = session.mirror(entry.folder)
    assert session.warning is None
    assert (after.user, after.system) == (before.user, before.system)
    assert (mirrored.run_id, mirrored.outcome) == (opened.run_id, "updated")
    assert not child.is_running()


def test_a_child_that_died_while_we_measured_is_replaced(tmp_path):
    target, entry = sqlite_target(tmp_path / "state"), save(tmp_path)
    with session_on(target) as session:
        start(session, entry)
        opened = session.opened()
        os.kill(session._child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, session._child.pid, os.WEXITED | os.WNOWAIT)
        mirrored = session.mirror(entry.folder)
    assert session.warning is None
    assert mirrored.run_id == opened.run_id


def test_when_its_parent_ends_so_does_the_child(tmp_path):
    session = session_on(sqlite_target(tmp_path / "state"))
    session.mirror(save(tmp_path).folder)
    child = session._child
    child._process.stdin.close()
    assert child._process.wait(timeout=20) == 0
    session.close()


def test_a_refusing_server_costs_milliseconds_and_one_warning(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    warning, _ = whole_run(http_target(url, tmp_path), save(tmp_path), ENOUGH_S)
    assert "cannot be reached" in warning
    assert warning.endswith("`perfdb sync`.")


def test_a_server_that_accepts_and_never_answers_costs_no_more_than_the_budget(tmp_path):
    with listening(lambda connection: None) as url:
        warning, spent_s = whole_run(http_target(url, tmp_path), save(tmp_path), 4.0)
    assert "does not answer within" in warning
    assert spent_s <= 4.0


def test_a_server_that_is_healthy_and_then_silent_costs_no_more_than_the_budget(tmp_path):
    with listening(silent_but_healthy) as url:
        warning, _ = whole_run(http_target(url, tmp_path), save(tmp_path), BUDGET_S)
    assert "did not do its work within 1 s" in warning


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("500 Internal Server Error", b"boom"),
        ("403 Forbidden", b'{"error_code": "PERMISSION_DENIED", "message": "\x1b[31mno\x07 entry"}'),
        ("200 OK", b"<html>garbage</html>"),
    ],
)
def test_a_server_that_refuses_or_babbles_gives_one_printable_warning(tmp_path, status, body):
    with listening(replying(status, body)) as url:
        target = http_target(url.replace("://", "://fake-user:fake-pass@"), tmp_path)
        warning, _ = whole_run(target, save(tmp_path), 3.0)
    assert warning.isprintable()
    assert "fake-pass" not in warning
    assert warning.endswith("`perfdb sync`.")


def test_a_server_that_speaks_no_http_is_told_from_one_that_does(tmp_path):
    def babble(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"\x00\x01SSH-2.0 whatever\r\n\r\n")
        connection.close()

    with listening(babble) as url:
        warning, _ = whole_run(http_target(url, tmp_path), save(tmp_path), ENOUGH_S)
    assert "cannot be reached" in warning


def test_a_database_that_another_process_holds_costs_no_more_than_the_budget(sqlite, tmp_path):
    connect(sqlite, wait_s=5)
    with sqlite3.connect(sqlite.uri.removeprefix("sqlite:///")) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        warning, spent_s = whole_run(sqlite, save(tmp_path), 4.0)
        holder.rollback()
    assert "is locked by another process" in warning
    assert spent_s <= 4.0


def test_a_database_that_may_only_be_read_from_costs_no_more_than_the_budget(sqlite, tmp_path):
    connect(sqlite, wait_s=5)
    with sqlite3.connect(sqlite.uri.removeprefix("sqlite:///")) as holder:
        holder.execute("BEGIN IMMEDIATE")
        warning, _ = whole_run(sqlite, save(tmp_path), BUDGET_S)
        holder.rollback()
    assert warning.endswith("`perfdb sync`.")


def test_a_database_that_took_too_long_to_be_made_before_the_measurement_is_made_after_it(tmp_path):
    target, entry = sqlite_target(tmp_path), save(tmp_path)
    with session_on(target, budget_s=0.01) as session:
        start(session, entry)
        assert session.opened() is None
        assert session.warning is not None and "0.01 s" in session.warning
        result = session.mirror(entry.folder)
    assert result is not None
    (run,) = connect(target, wait_s=5).search_runs([result.experiment_id])
    assert run.info.run_id == result.run_id


def test_a_server_killed_half_way_leaves_a_run_that_a_sync_completes(tmp_path):
    settings = Settings(root=tmp_path)
    running = server.start(settings)
    try:
        target, entry = http_target(running.url, tmp_path / "client"), save(tmp_path)
        with session_on(target) as session:
            start(session, entry)
            opened = session.opened()
            os.killpg(running.pid, signal.SIGKILL)
            os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
            assert session.mirror(entry.folder) is None
        assert session.warning.endswith("`perfdb sync`.")
        assert server.status(settings) is None
        with pytest.raises(TrackingError, match="cannot be reached"):
            synced(target, tmp_path)

        local = Target.of(settings)  # the same database, without its server
        report = synced(local, tmp_path, {entry.record.record_id: opened.run_id})
        assert report.count("updated") == 1
        again = synced(local, tmp_path, {entry.record.record_id: opened.run_id})
        assert again.count("unchanged") == 1
    finally:
        server.stop(settings)


def test_runs_at_once_on_a_fresh_database_give_a_run_each(tmp_path):
    target = sqlite_target(tmp_path / "state")
    entries = [save(tmp_path) for _ in range(4)]
    sessions = [session_on(target) for _ in entries]
    for number, (session, entry) in enumerate(zip(sessions, entries, strict=True)):
        start(session, entry, journal=f"0a0b{number}")
    opened = [session.opened() for session in sessions]
    for session, entry in zip(sessions, entries, strict=True):
        session.mirror(entry.folder)
        session.close()
    assert [session.warning for session in sessions] == [None] * 4
    runs = connect(target, wait_s=5).search_runs([opened[0].experiment_id])
    assert {run.data.tags[RECORD_TAG] for run in runs} == {entry.record.record_id for entry in entries}
    assert {run.info.run_id for run in runs} == {run.run_id for run in opened}


def test_syncs_at_once_give_one_run_a_record(tmp_path):
    target = sqlite_target(tmp_path / "state")
    entries = [save(tmp_path) for _ in range(5)]
    threads = [threading.Thread(target=synced, args=(target, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs = connect(target, wait_s=5).search_runs(["1"])
    assert sorted(run.data.tags[RECORD_TAG] for run in runs) == sorted(e.record.record_id for e in entries)


def test_what_keeps_several_records_from_mlflow_is_told_once():
    steps = [SyncStep(name, None, why) for name, why in (("0a", "down"), ("0b", "bad"), ("0c", "down"), ("0d", "down"))]
    assert SyncReport(tuple(steps)).troubles == ("0a and 2 more: down", "0b: bad")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("403 Forbidden", b"over quota", "does not let it do that (API request"),
        ("403 Forbidden", b"Invalid Host header - possible attack", "does not go by that name"),
    ],
)
def test_a_refusal_is_told_by_what_can_be_done_about_it(tmp_path, status, body, said):
    with listening(replying(status, body)) as url:
        target = http_target(url.replace("://", "://fake-user:fake-pass@"), tmp_path)
        warning, _ = whole_run(target, save(tmp_path), ENOUGH_S)
    assert said in warning
    assert "fake" not in warning

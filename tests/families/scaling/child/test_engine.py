"""What the loop says of itself."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from perfdb.families.scaling.plan import LoadPlan
from tests.families.scaling.loads import child_modules, service

engine, protocols, shapes = child_modules("engine", "protocols", "shapes")


def run(url: str, kind=engine.Engine, **fields):
    """A load within this process."""
    plan = LoadPlan(url=url, **fields).model_dump() | {"begin_at": 0.0}
    target = protocols.Target(url)
    address = engine.socket.AF_INET, (target.host, target.port)
    talks = protocols.PROTOCOLS[plan["protocol"]](target, plan["wait_s"])
    seen = []
    load = kind(
        address,
        talks,
        shapes.of_plan(plan, 0),
        plan["wait_s"],
        plan["timeout_s"],
        time.perf_counter(),
        lambda load, now: seen.append((now, load.begun, len(load.sessions), load.failed)),
    )
    load.run()
    return load, seen


def test_only_a_wait_for_the_kernel_ends_being_busy(monkeypatch):
    there = service()
    calm, _ = run(there.url, shape="burst", sessions=2, wait_s=0.5)
    monkeypatch.setattr(engine, "WAITED_S", 1e9)  # as if the kernel always had something for us
    busy, _ = run(there.url, shape="burst", sessions=2, wait_s=0.5)
    assert calm.longest_busy_s < 0.3
    assert busy.longest_busy_s > 0.5


def test_how_things_stand_is_told_about_once_a_second():
    there = service(every=2, fault="503")
    load, seen = run(there.url, shape="open", rate=20, wait_s=0.0, steady_s=2.2)
    assert len(seen) == 3
    assert all(later[0] - earlier[0] >= 1.0 for earlier, later in pairwise(seen))
    assert seen[-1][1] >= seen[-1][2] >= seen[-1][3] > 0
    assert (load.begun, len(load.sessions), load.failed) == (44, 44, 22)
    assert [later[1] >= earlier[1] for earlier, later in pairwise(load.cpu)] == [True] * (len(load.cpu) - 1)


def test_users_whose_sessions_fail_do_not_hammer_the_service():
    load, _ = run("http://127.0.0.1:9", shape="closed", sessions=2, steady_s=1.0)
    assert {session.fault.kind for session in load.sessions} == {"refused"}
    assert len(load.sessions) == pytest.approx(2 * 1.0 / shapes.PAUSE_S, abs=3)


class Seldom(engine.Engine):
    """Looks so seldom at what arrived that all of it is there at once."""

    def _due(self, now):
        time.sleep(0.1)
        return super()._due(now)


@contextmanager
def abrupt(answer: bytes) -> Iterator[str]:
    """A service that answers whatever is asked first, and resets the connection at once."""

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_an_answer_that_came_before_a_reset_counts():
    with abrupt(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as url:
        load, _ = run(url, Seldom, protocol="get", shape="burst", sessions=3)
    assert [session.fault for session in load.sessions] == [None] * 3


def test_half_an_answer_before_a_reset_is_a_reset():
    with abrupt(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi") as url:
        load, _ = run(url, Seldom, protocol="get", shape="burst", sessions=3)
    assert [session.fault.kind for session in load.sessions] == ["reset"] * 3


def test_a_refusal_that_came_before_a_reset_is_understood(monkeypatch):
    # Whatever key we send, this is what it is answered with.
    monkeypatch.setattr(engine.protocols.over_websocket, "accept", lambda answer, expected: None)
    said = b'{"type": "error", "data": {"message": "at capacity"}}'
    with abrupt(b"HTTP/1.1 101 Switching\r\n\r\n" + bytes((0x81, len(said))) + said) as url:
        load, _ = run(url, Seldom, shape="burst", sessions=3)
    assert [session.fault.kind for session in load.sessions] == ["capacity"] * 3


def test_a_session_that_is_reset_while_it_waits_for_the_barrier_fails_once():
    with abrupt(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as url:
        load, _ = run(url, shape="barrier", protocol="http", sessions=3, settle_s=0.3)
    assert [session.fault.kind for session in load.sessions] == ["reset"] * 3
    assert all(session.total < 0.2 for session in load.sessions)


@pytest.mark.parametrize("protocol", ["ws", "http"])
def test_a_service_that_says_it_waited_longer_than_its_step_lasted_is_not_believed(protocol):
    there = service(every=2, fault="half an hour")
    load, _ = run(there.url, protocol=protocol, shape="burst", sessions=4, wait_s=0.1)
    assert sorted(session.fault.kind for session in load.sessions if session.fault) == ["wrong_answer"] * 2
    assert all("in a step that lasted 0." in session.fault.text for session in load.sessions if session.fault)


@pytest.mark.parametrize("error", [ValueError, OverflowError, RecursionError, KeyError, TypeError, AssertionError])
def test_an_answer_that_breaks_our_reader_ends_that_session_and_no_other(monkeypatch, error):
    there = service()
    known = protocols.Seen.take

    def take(seen, observation, wait_s):
        known(seen, observation, wait_s)
        if seen.session == "s2":
            raise error("it is broken")

    monkeypatch.setattr(engine.protocols.Seen, "take", take)
    load, _ = run(there.url, shape="burst", sessions=4, wait_s=0.1)
    (fault,) = [session.fault for session in load.sessions if session.fault]
    assert (fault.kind, fault.text) == ("wrong_answer", f"an answer that could not be read ({error.__name__})")


@pytest.mark.parametrize("waited", [1e305, 1e100, 86_401.0, float("inf"), float("nan"), -1.0])
def test_a_wait_that_nobody_waits_for_is_a_wrong_answer(waited):
    answer = {"waited_seconds": waited, "pid": 1, "session_hash": "s", "host_url": "h"}
    with pytest.raises(engine.faults.Fault) as caught:
        protocols.Seen().take(answer, 0.1)
    assert caught.value.kind == "wrong_answer"

"""A few real sessions, with servers that may be anybody."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from aiohttp import web

from perfdb.services.addresses import Address
from perfdb.services.preflight import sessions
from perfdb.services.preflight.sessions import try_sessions
from tests.services.serving import benchmark_server, free_port, lean_server, stats


@contextlib.contextmanager
def stranger(*answers: str) -> Iterator[Address]:
    """A WebSocket server that answers each message with the next of those, then closes."""
    address = Address("127.0.0.1", free_port())
    loop = asyncio.new_event_loop()
    begun = threading.Event()

    async def talk(request: web.Request) -> web.WebSocketResponse:
        held = web.WebSocketResponse()
        await held.prepare(request)
        for answer in answers:
            await held.receive()
            await held.send_str(answer)
        return held

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/ws", talk)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, address.host, address.port).start()
        begun.set()
        return runner

    def serve() -> None:
        runner = loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())

    thread = threading.Thread(target=serve)
    thread.start()
    begun.wait(10)
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_every_session_is_counted_at_the_host_that_answered():
    with lean_server("127.0.0.41") as address:
        seen = try_sessions(address, 30)
        assert seen.hosts == {str(address): 30}
        assert not seen.errors
        told = stats(address)
    assert (told["sessions_total"], told["steps_total"], told["sessions_open"]) == (30, 30, 0)
    assert told["sessions_peak"] <= 8


@pytest.mark.parametrize("silent", ["connection", "session"])
def test_one_who_never_answers_holds_us_no_longer_for_many_sessions(monkeypatch: pytest.MonkeyPatch, silent: str):
    monkeypatch.setattr(sessions, "_TIMEOUT_S", 0.5)
    monkeypatch.setattr(sessions, "_ALL_WITHIN_S", 1.2)
    monkeypatch.setattr(sessions, "_CLOSED_WITHIN_S", 0.1)
    with contextlib.ExitStack() as stack:
        if silent == "connection":
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=500))
            address = Address("127.0.0.1", listening.getsockname()[1])
        else:
            address = stack.enter_context(lean_server(delay_ms=60_000, delay_share=1))
        begun = time.monotonic()
        seen = try_sessions(address, 400)
    assert sum(seen.errors.values()) == 400
    assert time.monotonic() - begun < 10  # 25 s with a limit for each alone


def test_a_redirect_is_not_followed():
    with lean_server() as elsewhere, redirecting(elsewhere) as address:
        seen = try_sessions(address, 2)
        assert seen.errors == {"it redirects elsewhere": 2}
        assert stats(elsewhere)["sessions_total"] == 0


@contextlib.contextmanager
def redirecting(to: Address) -> Iterator[Address]:
    """Says that what is looked for is there."""
    answer = f"HTTP/1.1 302 Found\r\nLocation: {to.url}/ws\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                taken, _ = listening.accept()
                with taken:
                    taken.recv(65536)
                    taken.sendall(answer.encode())

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Address("127.0.0.1", listening.getsockname()[1])
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_the_real_environment_is_understood():
    with benchmark_server("127.0.0.42") as address:
        assert try_sessions(address, 5).hosts == {str(address): 5}


@pytest.mark.parametrize(
    "answers",
    [
        (),
        ("not json",),
        ("[]",),
        ("1",),
        ('{"type": "observation"}', '{"type": "observation"}'),
        ('{"type": "observation", "data": []}',) * 2,
        ('{"type": "error", "data": []}',),
        ("[" * 60_000,),
        ("x" * 200_000,),
    ],
)
def test_an_answer_that_is_none_is_an_error_that_is_counted(answers: tuple[str, ...]):
    with stranger(*answers) as address:
        seen = try_sessions(address, 3)
    assert not seen.hosts
    assert sum(seen.errors.values()) == 3
    assert all(len(error) <= 300 for error in seen.errors)

"""A few real sessions, with servers that may be anybody."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import pytest
from aiohttp import web

from perfdb.services.addresses import Address
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

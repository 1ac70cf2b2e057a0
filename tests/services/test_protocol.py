"""What both servers do alike: the lean one is no measure of anything if it does not speak as the benchmark one does."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator

import aiohttp
import pytest

from perfdb.services.addresses import Address
from tests.services.serving import CLOSE, RESET, benchmark_server, lean_server, observation, post, step, talk

SESSIONS = 4


@pytest.fixture(scope="module", params=["lean", "benchmark"])
def server(request: pytest.FixtureRequest) -> Iterator[Address]:
    """Either, at an address of its own, with room for four sessions."""
    started = (
        lean_server("127.0.0.21", capacity=SESSIONS)
        if request.param == "lean"
        else benchmark_server("127.0.0.22", max_concurrent_envs=SESSIONS)
    )
    with started as address:
        yield address


def test_a_session_counts_its_steps_and_says_who_it_is(server: Address):
    first, second, third = map(observation, talk(server, RESET, step(0.05), step(0)))
    assert [seen["step_count"] for seen in (first, second, third)] == [0, 1, 2]
    assert [seen["waited_seconds"] for seen in (first, second, third)] == [0, 0.05, 0]
    assert {seen["session_hash"] for seen in (first, second, third)} == {first["session_hash"]}
    assert first["host_url"] == str(server)
    assert first["pid"] != os.getpid()
    assert set(first) == {"waited_seconds", "pid", "session_hash", "host_url", "step_count"}


def test_a_reset_begins_anew_in_the_same_session(server: Address):
    before, after = (observation(answer) for answer in talk(server, step(0), RESET))
    assert (before["step_count"], after["step_count"]) == (1, 0)
    assert before["session_hash"] == after["session_hash"]


def test_two_sessions_are_told_apart(server: Address):
    [first], [second] = talk(server, RESET), talk(server, RESET)
    assert observation(first)["session_hash"] != observation(second)["session_hash"]


def test_a_close_ends_the_session_without_an_answer(server: Address):
    assert len(talk(server, RESET, CLOSE, RESET)) == 1


def test_the_state_tells_how_many_steps_were_taken(server: Address):
    *_, state = talk(server, step(0), step(0), {"type": "state"})
    assert state == {"type": "state", "data": {"episode_id": None, "step_count": 2}}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "INVALID_JSON"),
        ({"type": "leap"}, "UNKNOWN_TYPE"),
        (step(-1), "VALIDATION_ERROR"),
        ({"type": "step", "data": {"wait_seconds": "soon"}}, "VALIDATION_ERROR"),
        ({"type": "step", "data": {"wait_seconds": 0, "more": 1}}, "VALIDATION_ERROR"),
        ({"type": "step", "data": {"wait_seconds": 1e9}}, "VALIDATION_ERROR"),
        ({"type": "step", "data": {"wait_seconds": 10**400}}, "VALIDATION_ERROR"),
        ({"type": "step", "data": [0]}, "VALIDATION_ERROR"),
        ({"type": "step"}, "VALIDATION_ERROR"),
        ({"type": "step", "data": {"wait_seconds": 0}, "more": 1}, "VALIDATION_ERROR"),
        ({"type": "reset", "data": None}, "VALIDATION_ERROR"),
        ({"type": "reset", "more": 1}, "VALIDATION_ERROR"),
        ({"type": "state", "data": {}}, "VALIDATION_ERROR"),
        ({"type": "close", "data": {}}, "VALIDATION_ERROR"),
    ],
)
def test_a_message_that_is_none_is_refused_and_the_session_goes_on(server: Address, message: object, code: str):
    refused, served = talk(server, message, RESET)  # type: ignore[arg-type] (strings are sent as they are)
    assert (refused["type"], refused["data"]["code"]) == ("error", code)
    assert observation(served)["step_count"] == 0


def test_a_session_too_many_is_told_so_and_closed_and_there_is_room_again_later(server: Address):
    async def crowd() -> tuple[dict[str, object], aiohttp.WSMsgType, int | None]:
        async with aiohttp.ClientSession() as client, contextlib.AsyncExitStack() as stack:
            url = f"ws://{server}/ws"
            for _ in range(SESSIONS):
                held = await stack.enter_async_context(client.ws_connect(url))
                await held.send_json(RESET)
                await held.receive_json(timeout=20)
            refused = await stack.enter_async_context(client.ws_connect(url))
            return await refused.receive_json(timeout=20), (await refused.receive(timeout=20)).type, refused.close_code

    told, kind, code = asyncio.run(crowd())
    assert told == {
        "type": "error",
        "data": {
            "message": "Server at capacity: 4/4 sessions active. Cannot accept new connections.",
            "code": "CAPACITY_REACHED",
            "active_sessions": 4,
            "max_sessions": 4,
        },
    }
    assert (kind, code) == (aiohttp.WSMsgType.CLOSE, 1000)
    assert observation(talk(server, RESET)[0])["step_count"] == 0


def test_http_answers_as_the_session_does(server: Address):
    status, reset = post(server, "/reset", {})
    assert (status, reset["observation"]["step_count"], reset["done"], reset["reward"]) == (200, 0, False, None)
    status, stepped = post(server, "/step", {"action": {"wait_seconds": 0.01}})
    assert (status, stepped["observation"]["waited_seconds"], stepped["observation"]["step_count"]) == (200, 0.01, 1)
    assert stepped["observation"]["host_url"] == str(server)


@pytest.mark.parametrize("document", [{}, {"action": {}}, {"action": {"wait_seconds": -1}}, [], {"action": 1}])
def test_http_refuses_a_step_that_is_none(server: Address, document: object):
    assert post(server, "/step", document)[0] == 422


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 405), ("DELETE", 405)])
def test_health_can_only_be_asked_for(server: Address, method: str, status: int):
    async def said() -> int:
        async with aiohttp.ClientSession() as client, client.request(method, f"{server.url}/health") as response:
            return response.status

    assert asyncio.run(said()) == status


def test_however_many_messages_are_sent_ahead_each_is_answered(server: Address):
    async def said() -> list[int]:
        async with aiohttp.ClientSession() as client, client.ws_connect(f"ws://{server}/ws") as socket:
            await socket.send_json(step(0.3))
            for _ in range(199):
                await socket.send_json(step(0.001))
            return [observation(await socket.receive_json(timeout=20))["step_count"] for _ in range(200)]

    assert asyncio.run(said()) == list(range(1, 201))


def test_messages_sent_at_once_are_answered_one_after_another(server: Address):
    async def said() -> list[float]:
        async with aiohttp.ClientSession() as client, client.ws_connect(f"ws://{server}/ws") as socket:
            for wait_s in (0.3, 0.1, 0):
                await socket.send_json(step(wait_s))
            return [observation(await socket.receive_json(timeout=20))["waited_seconds"] for _ in range(3)]

    assert asyncio.run(said()) == [0.3, 0.1, 0]

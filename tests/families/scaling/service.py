"""A small service of OpenEnv's protocol, with planted faults.

The first part of a path says which, as JSON: what `Planted` has. So one process serves many tests, each with counts of its
own at /stats. It tells its port on standard output, and lives until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web


@dataclass
class Planted:
    """What goes wrong: every `every`-th session meets the `fault`. `name` is for telling services apart."""

    name: int = 0
    every: int = 0
    fault: str = ""
    extra_s: float = 0.0
    capacity: int = 10**9
    heartbeat_s: float | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def hit(self) -> str:
        """The fault that this session meets, if any."""
        self.counts["sessions"] += 1
        return self.fault if self.every and self.counts["sessions"] % self.every == 0 else ""

    def enter(self, what: str) -> None:
        """One more of that is under way."""
        self.counts[what] += 1
        self.counts[f"peak_{what}"] = max(self.counts[f"peak_{what}"], self.counts[what])

    async def step(self, wait_s: float, fault: str, number: int) -> dict[str, Any]:
        """A step's observation."""
        self.enter("steps")
        try:
            if fault == "silent":
                await asyncio.sleep(3600)
            await asyncio.sleep(0 if fault == "hasty" else wait_s + (self.extra_s if fault == "slow" else 0))
        finally:
            self.counts["steps"] -= 1
        return {
            "waited_seconds": {"wrong": wait_s / 2, "aeons": 1e308, "half an hour": 1800.0}.get(fault, wait_s),
            "pid": os.getpid(),
            "session_hash": "\ud800" * 100_000 if fault == "long" else f"s{number}",
            "host_url": f"10.0.0.{number if fault == 'another host' else number % 3}:8000",
            "step_count": 1,
        }


SERVICES: dict[str, Planted] = {}


def planted(request: web.Request) -> Planted:
    """The service that the path names."""
    name = request.match_info["planted"]
    if name not in SERVICES:
        SERVICES[name] = Planted(**json.loads(name))
    return SERVICES[name]


def hang_up(request: web.Request, hard: bool) -> None:
    """Close the connection, or break it."""
    assert request.transport is not None
    (request.transport.abort if hard else request.transport.close)()


async def ws(request: web.Request) -> web.StreamResponse:
    service = planted(request)
    fault = service.hit()
    number = service.counts["sessions"]
    if fault == "503":
        return web.Response(status=503, text="no healthy upstream at node-17.site, 10.0.0.1:8000")
    if fault == "abort":
        hang_up(request, hard=True)
    socket = web.WebSocketResponse(autoclose=False, heartbeat=service.heartbeat_s)
    await socket.prepare(request)
    service.enter("open")
    try:
        if service.counts["open"] > service.capacity or fault == "capacity":
            await socket.send_json({"type": "error", "data": {"message": "at capacity", "code": "CAPACITY_REACHED"}})
        else:
            if fault == "ping":
                await socket.ping(b"are you there")
            await converse(request, service, socket, fault, number)
        await socket.close()
    finally:
        service.counts["open"] -= 1
    return socket


async def converse(
    request: web.Request, service: Planted, socket: web.WebSocketResponse, fault: str, number: int
) -> None:
    async for message in socket:
        if message.type != WSMsgType.TEXT:
            break
        asked = json.loads(message.data)
        if asked["type"] == "close":
            await asyncio.sleep(3600 if fault == "never closes" else 0)
            if fault == "hangs up":
                hang_up(request, hard=False)
            break
        observation: dict[str, Any] = {"session_hash": ""}
        if asked["type"] == "step":
            if fault == "abort step":
                hang_up(request, hard=True)
            if fault == "garbage":
                await socket.send_str("{")
            observation = await service.step(float(asked["data"]["wait_seconds"]), fault, number)
        await socket.send_json({"type": "observation", "data": {"observation": observation}})
        if fault == "hurried" and asked["type"] == "reset":
            observation = await service.step(0.2, fault, number)
            await socket.send_json({"type": "observation", "data": {"observation": observation}})


async def reset(request: web.Request) -> web.Response:
    await request.read()
    return web.json_response({"observation": {"session_hash": ""}})


async def http_step(request: web.Request) -> web.Response:
    asked = await request.json()
    service = planted(request)
    fault = service.hit()
    if fault in ("503", "capacity"):
        return web.Response(status=503, text="at capacity" if fault == "capacity" else "overloaded")
    if fault == "abort step":
        hang_up(request, hard=True)
    wait_s = float(asked["action"]["wait_seconds"])
    return web.json_response({"observation": await service.step(wait_s, fault, service.counts["sessions"])})


async def plain(request: web.Request) -> web.StreamResponse:
    service = planted(request)
    fault, number = service.hit(), service.counts["sessions"]
    await asyncio.sleep(float(request.query.get("wait", 0)))
    if fault == "503":
        return web.Response(status=503)
    if fault == "signs":
        return web.Response(
            status=500, text="word" * (1 + number % 40) + " e" * (1 + number // 40) + " \U0001f4a5" * 300
        )
    if fault == "chunked":
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        for _ in range(3):
            await answer.write(b"x" * 1000)
        return answer
    return web.Response(text="fine")


async def stats(request: web.Request) -> web.Response:
    return web.json_response(planted(request).counts)


async def main() -> None:
    application = web.Application()
    application.add_routes(
        [
            web.get("/{planted:[^/]+}/ws", ws),
            web.post("/{planted:[^/]+}/reset", reset),
            web.post("/{planted:[^/]+}/step", http_step),
            web.get("/{planted:[^/]+}/get", plain),
            web.get("/{planted:[^/]+}/stats", stats),
        ]
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)  # type: ignore[union-attr]
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())

"""A small service of OpenEnv's protocol, with planted faults: `python service.py '{"every": 10, "fault": "503"}'`.

It tells its port on standard output and its open sessions, steps under way and their peaks at /stats. Every `every`-th
session meets the fault.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from aiohttp import WSMsgType, web

PLANTED: dict[str, Any] = {"every": 0, "fault": "", "extra_s": 0.0, "capacity": 10**9, "heartbeat_s": None}
COUNTS = {"sessions": 0, "open": 0, "peak_open": 0, "steps": 0, "peak_steps": 0}


def hit() -> str:
    """The fault that this session meets, if any."""
    COUNTS["sessions"] += 1
    return str(PLANTED["fault"]) if PLANTED["every"] and COUNTS["sessions"] % PLANTED["every"] == 0 else ""


def enter(what: str) -> None:
    COUNTS[what] += 1
    COUNTS[f"peak_{what}"] = max(COUNTS[f"peak_{what}"], COUNTS[what])


async def step(wait_s: float, fault: str, number: int) -> dict[str, Any]:
    enter("steps")
    try:
        if fault == "silent":
            await asyncio.sleep(3600)
        await asyncio.sleep(0 if fault == "hasty" else wait_s + (PLANTED["extra_s"] if fault == "slow" else 0))
    finally:
        COUNTS["steps"] -= 1
    told = wait_s / 2 if fault == "wrong" else wait_s
    host = f"10.0.0.{number % 3}:8000"
    session = "\ud800" * 100_000 if fault == "long" else f"s{number}"
    return {"waited_seconds": told, "pid": os.getpid(), "session_hash": session, "host_url": host, "step_count": 1}


async def ws(request: web.Request) -> web.StreamResponse:
    fault = hit()
    number = COUNTS["sessions"]
    if fault == "503":
        return web.Response(status=503, text="no healthy upstream at node-17.site, 10.0.0.1:8000")
    if fault == "abort":
        request.transport.abort()  # type: ignore[union-attr]
    socket = web.WebSocketResponse(autoclose=False, heartbeat=PLANTED["heartbeat_s"])
    await socket.prepare(request)
    enter("open")
    try:
        if COUNTS["open"] > PLANTED["capacity"] or fault == "capacity":
            await socket.send_json({"type": "error", "data": {"message": "at capacity", "code": "CAPACITY_REACHED"}})
            await socket.close()
            return socket
        if fault == "ping":
            await socket.ping(b"are you there")
        await converse(request, socket, fault, number)
        await socket.close()
    finally:
        COUNTS["open"] -= 1
    return socket


async def converse(request: web.Request, socket: web.WebSocketResponse, fault: str, number: int) -> None:
    async for message in socket:
        if message.type != WSMsgType.TEXT:
            break
        asked = json.loads(message.data)
        if asked["type"] == "close":
            await asyncio.sleep(3600 if fault == "never closes" else 0)
            break
        data: dict[str, Any] = {"session_hash": ""}
        if asked["type"] == "step":
            if fault == "abort step":
                request.transport.abort()  # type: ignore[union-attr]
            if fault == "garbage":
                await socket.send_str("{")
            data = await step(float(asked["data"]["wait_seconds"]), fault, number)
        answer = {"type": "observation", "data": {"observation": data, "reward": 0, "done": False}}
        await socket.send_json(answer)
        if fault == "hurried" and asked["type"] == "reset":
            answer["data"]["observation"] = await step(0.2, fault, number)
            await socket.send_json(answer)


async def reset(request: web.Request) -> web.Response:
    await request.read()
    return web.json_response({"observation": {"session_hash": ""}, "reward": 0, "done": False})


async def http_step(request: web.Request) -> web.Response:
    asked = await request.json()
    fault = hit()
    if fault in ("503", "capacity"):
        return web.Response(status=503, text="at capacity" if fault == "capacity" else "overloaded")
    if fault == "abort step":
        request.transport.abort()  # type: ignore[union-attr]
    observation = await step(float(asked["action"]["wait_seconds"]), fault, COUNTS["sessions"])
    return web.json_response({"observation": observation, "reward": 0, "done": False})


async def plain(request: web.Request) -> web.StreamResponse:
    fault = hit()
    await asyncio.sleep(float(request.query.get("wait", 0)))
    if fault == "503":
        return web.Response(status=503)
    if fault == "chunked":
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        for _ in range(3):
            await answer.write(b"x" * 1000)
        return answer
    return web.Response(text="fine")


async def stats(request: web.Request) -> web.Response:
    return web.json_response(COUNTS)


async def main() -> None:
    application = web.Application()
    application.add_routes(
        [
            web.get("/ws", ws),
            web.post("/reset", reset),
            web.post("/step", http_step),
            web.get("/get", plain),
            web.get("/stats", stats),
        ]
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)  # type: ignore[union-attr]
    await asyncio.to_thread(sys.stdin.read)  # until whoever started us is gone
    os._exit(0)


if __name__ == "__main__":
    PLANTED.update(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {})
    asyncio.run(main())

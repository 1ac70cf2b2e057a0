"""A load client in the style of many a scaling test: all sessions at once in one `asyncio.gather`, over `websockets`.

`gather_client.py URL SESSIONS WAIT_S` prints JSON: the sessions that succeeded, their latencies' p50 and p99, the CPU it took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import websockets


async def session(url: str, wait_s: float) -> float | None:
    """Seconds from beginning to answer; None where it failed."""
    begun = time.perf_counter()
    try:
        async with websockets.connect(url, open_timeout=60) as socket:
            await socket.send(json.dumps({"type": "reset", "data": {}}))
            await socket.recv()
            await socket.send(json.dumps({"type": "step", "data": {"wait_seconds": wait_s}}))
            answer = json.loads(await socket.recv())
            took = time.perf_counter() - begun
            await socket.send(json.dumps({"type": "close"}))
            return took if answer["type"] == "observation" else None
    except (OSError, ValueError, KeyError, websockets.WebSocketException):
        return None


async def main(url: str, sessions: int, wait_s: float) -> None:
    """All at once, after one that loads what is loaded late."""
    await session(url, 0.0)
    cpu, wall = time.process_time(), time.perf_counter()
    took = await asyncio.gather(*(session(url, wait_s) for _ in range(sessions)))
    cpu_s, wall_s = time.process_time() - cpu, time.perf_counter() - wall
    good = sorted(one for one in took if one is not None) or [float("inf")]
    told = {
        "ok": sum(one is not None for one in took),
        "p50_s": good[len(good) // 2],
        "p99_s": good[-1 - len(good) // 100],
    }
    print(json.dumps({**told, "cpu_s": cpu_s, "wall_s": wall_s}))


if __name__ == "__main__":
    asyncio.run(main(f"ws{sys.argv[1][4:]}/ws", int(sys.argv[2]), float(sys.argv[3])))

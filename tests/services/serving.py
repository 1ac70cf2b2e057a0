"""Real servers for a test: started, waited for, ended by their number."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from perfdb.errors import PerfdbError
from perfdb.services import benchmark, lean
from perfdb.services.addresses import Address, check_free
from perfdb.services.asking import get_json, is_healthy
from perfdb.services.benchmark.server import command

PERFDB = Path(sys.executable).parent / "perfdb"
# Envoy's, and those of up to four backends of `perfdb serve multi`.
HOSTS = [f"127.0.0.{number}" for number in range(1, 6)]
PATIENCE_S = 60.0


def free_port(*hosts: str) -> int:
    """One that is free at each of those addresses, below those that the kernel gives to clients."""
    for _ in range(200):
        port = random.randint(10_000, 20_000)
        with contextlib.suppress(PerfdbError):
            for host in hosts or ("127.0.0.1",):
                check_free(Address(host, port))
            return port
    raise AssertionError("no free port")


def within(seconds: float, reached: Callable[[], Any]) -> Any:
    """What `reached` returns once that is true; fails after so many seconds."""
    until = time.monotonic() + seconds
    while not (found := reached()):
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.05)
    return found


@contextlib.contextmanager
def program(
    *argv: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process of ours, ended at the end."""
    process = subprocess.Popen(
        argv, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            process.communicate(timeout=20)
        except (subprocess.TimeoutExpired, ValueError):  # ValueError: the test has heard it out already
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@contextlib.contextmanager
def lean_server(host: str = "127.0.0.1", **options: Any) -> Iterator[Address]:
    """A lean server that answers."""
    address = Address(host, free_port(host))
    told = lean.Options(host=host, port=address.port, **options)
    with program(sys.executable, "-P", "-m", "perfdb.services.lean", told.to_json()):
        within(PATIENCE_S, lambda: is_healthy(address))
        yield address


@contextlib.contextmanager
def benchmark_server(host: str = "127.0.0.1", **options: Any) -> Iterator[Address]:
    """The benchmark environment on openenv-core."""
    address = Address(host, free_port(host))
    told = benchmark.Options(host=host, port=address.port, **options)
    with program(*command(told)):
        within(PATIENCE_S, lambda: is_healthy(address))
        yield address


@contextlib.contextmanager
def multi(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """`perfdb serve multi --json`, once it is up, and what it printed."""
    port, admin_port = free_port(*HOSTS), free_port()
    argv = [PERFDB, "serve", "multi", "--json", "--port", str(port), "--admin-port", str(admin_port), *options]
    environment = {**os.environ, "PERFDB_ROOT": str(folder)}
    with program(*argv, cwd=folder, env=environment) as running:
        yield running, _document(running)


def _document(running: subprocess.Popen[str]) -> dict[str, Any]:
    assert running.stdout is not None
    text = ""
    while not text.endswith("\n}\n"):
        line = running.stdout.readline()
        assert line, running.communicate()
        text += line
    return dict(json.loads(text))


def stats(address: Address) -> dict[str, Any]:
    """What a lean server counted."""
    return dict(get_json(address, "/stats"))


def talk(address: Address, *messages: dict[str, Any] | str) -> list[dict[str, Any]]:
    """One WebSocket session: what each message is answered with, as long as the server answers."""

    async def said() -> list[dict[str, Any]]:
        answers = []
        async with aiohttp.ClientSession() as client, client.ws_connect(f"ws://{address}/ws") as socket:
            for message in messages:
                await socket.send_str(message if isinstance(message, str) else json.dumps(message))
                answer = await socket.receive(timeout=20)
                if answer.type is not aiohttp.WSMsgType.TEXT:
                    break
                answers.append(json.loads(answer.data))
        return answers

    return asyncio.run(said())


RESET = {"type": "reset", "data": {}}
CLOSE = {"type": "close"}


def step(wait_s: float) -> dict[str, Any]:
    """A step that waits so long."""
    return {"type": "step", "data": {"wait_seconds": wait_s}}


def observation(answer: dict[str, Any]) -> dict[str, Any]:
    """What the environment saw."""
    assert answer["type"] == "observation", answer
    return dict(answer["data"]["observation"])


def post(address: Address, path: str, document: Any) -> tuple[int, Any]:
    """Status and JSON document of the answer."""

    async def said() -> tuple[int, Any]:
        async with aiohttp.ClientSession() as client, client.post(f"{address.url}{path}", json=document) as response:
            return response.status, await response.json()

    return asyncio.run(said())


def family(process: int) -> list[psutil.Process]:
    """A process and all below it."""
    top = psutil.Process(process)
    return [top, *top.children(recursive=True)]


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs."""

    def over(process: psutil.Process) -> bool:
        try:
            return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        except psutil.Error:
            return True

    return all(map(over, processes))


def kill(pid: int) -> None:
    """As nothing can prepare for."""
    os.kill(pid, signal.SIGKILL)

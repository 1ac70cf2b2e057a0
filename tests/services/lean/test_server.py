"""The lean server by itself: what it counts, how it fails as planned, what strangers can do to it, how it ends."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
import subprocess
import sys
import time

import aiohttp
import psutil
import pytest

from perfdb.services import lean
from perfdb.services.addresses import Address
from perfdb.services.asking import get_json, is_healthy
from tests.services.serving import (
    PATIENCE_S,
    RESET,
    family,
    free_port,
    gone,
    kill,
    lean_server,
    observation,
    post,
    program,
    stats,
    step,
    talk,
    within,
)


async def _crowd(address: Address, count: int, wait_s: float) -> None:
    """Sessions that are all open before any of them steps, and all step at once."""
    gate = asyncio.Semaphore(100)
    barrier = asyncio.Barrier(count)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:

        async def one() -> None:
            async with gate:
                held = await client.ws_connect(f"ws://{address}/ws")
                await held.send_json(RESET)
                observation(await held.receive_json())
            await barrier.wait()
            await held.send_json(step(wait_s))
            observation(await held.receive_json())
            await held.close()

        await asyncio.gather(*(one() for _ in range(count)))


def test_it_counts_sessions_and_steps_and_what_stood_at_once():
    with lean_server() as address:
        asyncio.run(_crowd(address, 300, 1.0))
        counted = stats(address)
    assert counted["sessions_total"] == counted["sessions_peak"] == 300
    assert counted["steps_total"] == counted["steps_peak"] == 300
    assert counted["sessions_open"] == counted["steps_in_flight"] == 0
    assert counted["host_url"] == str(address)


def test_several_workers_share_the_sessions_and_count_them_together():
    with lean_server("127.0.0.23", workers=2) as address:
        asyncio.run(_crowd(address, 200, 1.0))
        counted = stats(address)
        pids = {post(address, "/reset", {})[1]["observation"]["pid"] for _ in range(40)}
    assert (counted["sessions_peak"], counted["steps_peak"], counted["workers"]) == (200, 200, 2)
    assert len(pids) == 2


@pytest.mark.drill
def test_it_holds_nine_thousand_sessions_at_once():
    """A whole drill: `--drill-share 1`."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    try:
        with lean_server() as address:
            asyncio.run(_crowd(address, 9000, 5.0))
            counted = stats(address)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, files)
    assert counted["sessions_peak"] == counted["sessions_total"] == counted["steps_total"] == 9000


def test_a_step_that_is_left_behind_is_no_longer_in_flight():
    with lean_server() as address:

        async def leave() -> None:
            async with aiohttp.ClientSession() as client, client.ws_connect(f"ws://{address}/ws") as held:
                await held.send_json(step(60))
                while not (await asyncio.to_thread(stats, address))["steps_in_flight"]:
                    await asyncio.sleep(0.01)
                held._response.connection.transport.abort()  # type: ignore[union-attr]

        asyncio.run(leave())
        within(10, lambda: stats(address)["steps_in_flight"] == stats(address)["sessions_open"] == 0)
        assert stats(address)["steps_total"] == 0


def test_a_reset_of_the_counts_begins_anew():
    with lean_server() as address:
        talk(address, step(0))
        assert post(address, "/stats/reset", {})[0] == 200
        assert stats(address)["steps_total"] == 0


def test_delayed_steps_are_late_by_what_was_planned_and_the_others_are_not():
    with lean_server(delay_ms=200, delay_share=0.1, seed=3) as address:
        took = []
        for _ in range(20):
            begun = time.monotonic()
            talk(address, step(0))
            took.append(time.monotonic() - begun)
        assert stats(address)["steps_delayed"] == 2
    assert sum(seconds >= 0.2 for seconds in took) >= 2
    assert sorted(took)[2] < 0.2


def test_refusals_are_503_of_http_and_of_websocket_alike():
    with lean_server(refuse_share=1) as address:
        assert post(address, "/step", {"action": {"wait_seconds": 0}})[0] == 503
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            talk(address, RESET)
        assert stats(address)["answered_503"] == 2
        assert is_healthy(address)


def test_a_step_can_be_had_by_get():
    with lean_server() as address:
        seen = get_json(address, "/step?wait_seconds=0.01")
    assert observation({"type": "observation", "data": seen})["waited_seconds"] == 0.01


def test_a_ping_is_answered_while_a_step_waits():
    with lean_server() as address:

        async def said() -> aiohttp.WSMsgType:
            url = f"ws://{address}/ws"
            async with aiohttp.ClientSession() as client, client.ws_connect(url, autoping=False) as held:
                await held.send_json(step(30))
                await held.ping(b"here?")
                return (await held.receive(timeout=10)).type

        assert asyncio.run(said()) is aiohttp.WSMsgType.PONG


def test_a_message_in_parts_is_put_together():
    with lean_server() as address, socket.create_connection((address.host, address.port), 10) as raw:
        raw.sendall(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        for head, part in ((b"\x01\x86", b'{"type'), (b"\x00\x84", b'":"r'), (b"\x80\x86", b'eset"}')):
            raw.sendall(head + b"\0\0\0\0" + part)  # masked with zeros
        answer = b""
        while b"step_count" not in answer:
            more = raw.recv(4096)
            assert more, answer
            answer += more


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\x05hello\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
        b"POST /step HTTP/1.1\r\nContent-Length: 70000\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 300_000,
        b"POST /step HTTP/1.1\r\nContent-Length: 100003\r\n\r\n" + b"[" * 100_003,
        b"POST /step HTTP/1.1\r\nContent-Length: 60000\r\n\r\n" + b"[" * 60_000,
    ],
)
def test_whatever_a_stranger_sends_others_are_served(data: bytes):
    with lean_server() as address:
        with socket.create_connection((address.host, address.port), 10) as raw:
            raw.settimeout(10)
            try:
                raw.sendall(data)
                raw.recv(65536)
            except OSError:
                pass
        assert observation(talk(address, RESET)[0])["step_count"] == 0


def test_a_client_that_never_reads_is_cut_off_without_a_word_in_the_log():
    address = Address("127.0.0.1", free_port())
    told = lean.Options(port=address.port)
    with program(sys.executable, "-P", "-m", "perfdb.services.lean", told.to_json()) as server:
        within(PATIENCE_S, lambda: is_healthy(address))
        with socket.create_connection((address.host, address.port), 10) as raw:
            raw.settimeout(20)
            with pytest.raises(OSError, match=r"reset|pipe"):
                for _ in range(3000):  # 37 MB of answers, in portions that are taken at once
                    raw.sendall(b"GET /health HTTP/1.1\r\n\r\n" * 300)
                    time.sleep(0.02)
        server.terminate()
        assert server.communicate(timeout=20) == ("", "")


def test_a_server_that_stood_for_a_second_says_so_with_or_without_steps():
    with lean_server() as address:
        server = next(p for p in psutil.Process().children() if str(address.port) in " ".join(p.cmdline()))
        server.suspend()
        time.sleep(1)  # what is measured
        server.resume()
        within(10, lambda: stats(address)["loop_late_max_s"] >= 0.9)
        assert stats(address)["step_late_max_s"] == 0
        post(address, "/stats/reset", {})
        assert stats(address)["loop_late_max_s"] < 0.9


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_good_order_with_sessions_open(number: signal.Signals):
    with lean_server() as address:
        server = next(p for p in psutil.Process().children() if str(address.port) in " ".join(p.cmdline()))

        async def last() -> int | None:
            async with aiohttp.ClientSession() as client, client.ws_connect(f"ws://{address}/ws") as held:
                await held.send_json(RESET)
                await held.receive_json()
                server.send_signal(number)
                await held.receive(timeout=10)
                return held.close_code

        assert asyncio.run(last()) == 1001
        assert server.wait(10) == 0


def test_none_of_its_workers_outlives_it():
    port = free_port("127.0.0.24")
    told = lean.Options(host="127.0.0.24", port=port, workers=2)
    with program(sys.executable, "-P", "-m", "perfdb.services.lean", told.to_json()) as server:
        within(PATIENCE_S, lambda: is_healthy(Address("127.0.0.24", port)))
        all_of_it = family(server.pid)
        assert len(all_of_it) == 3
        kill(server.pid)
        within(10, lambda: gone(all_of_it[1:]))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_taken_is_told_with_what_to_type(workers: int):
    with lean_server() as address:
        told = lean.Options(host=address.host, port=address.port, workers=workers)
        command = [sys.executable, "-P", "-m", "perfdb.services.lean", told.to_json()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"something listens on {address} already" in done.stderr
    assert f"ss -ltnp 'sport = :{address.port}'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_is_not_shared_with_a_server_that_would_share_its_own():
    with lean_server("127.0.0.25", workers=2) as address:
        told = lean.Options(host=address.host, port=address.port, workers=2)
        command = [sys.executable, "-P", "-m", "perfdb.services.lean", told.to_json()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "already" in done.stderr) == (1, True)

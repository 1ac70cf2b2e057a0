"""Which processes listen at an address, by what /proc says: its texts, and the real ones."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.families.scaling.loads import watch_modules
from tests.services.serving import lean_server, post, stats, within

asking, processes, servers = watch_modules("asking", "processes", "servers")
addresses = st.ip_addresses()
rows = st.lists(st.tuples(addresses, st.integers(0, 65535), st.sampled_from(["0A", "01", "06"]), st.integers(0, 2**32)))
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def packed(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """As the kernel writes it: words of 32 bits in the machine's order."""
    words = struct.unpack(f">{len(address.packed) // 4}I", address.packed)
    return b"".join(struct.pack("=I", word) for word in words).hex().upper()


@given(rows)
@example([(ipaddress.ip_address("::ffff:127.0.0.2"), 8000, "0A", 7)])
def test_every_socket_that_listens_is_found_where_it_listens(sockets):
    text = HEAD + "".join(
        f"{n:4}: {packed(at)}:{port:04X} {'0' * 8}:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1\n"
        for n, (at, port, state, inode) in enumerate(sockets)
    )
    expected = [
        (getattr(at, "ipv4_mapped", None) or at, port, inode) for at, port, state, inode in sockets if state == "0A"
    ]
    assert processes.listeners(text) == expected


@given(st.text())
def test_a_text_that_is_no_list_of_sockets_has_none(text):
    assert processes.listeners(HEAD + text) == []


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=15), st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_program_may_be_called_whatever_it_likes(name, user, threads):
    fields = ["S", *["7"] * 10, str(user), "5", *["0"] * 4, str(threads), "0", "4711", "0", "3", "9"]
    cpu_s, told, began, memory = processes.parse_stat(f"12 ({name}) {' '.join(fields)}\n")
    assert (cpu_s, told, began, memory) == ((user + 5) / processes.TICKS, threads, 4711, 3 * processes.PAGE)


@given(st.text())
def test_a_text_that_is_no_process_is_refused(text):
    with pytest.raises((ValueError, IndexError)):
        processes.parse_stat(text.replace(" ", ""))


def test_what_proc_says_of_us_is_what_psutil_says():
    cpu_s, threads, _, memory = processes.stat(os.getpid())
    us = psutil.Process()
    assert (threads, memory) == (us.num_threads(), pytest.approx(us.memory_info().rss, rel=0.2))
    assert cpu_s == pytest.approx(sum(us.cpu_times()[:2]), abs=0.5)


@contextlib.contextmanager
def holder(sock: socket.socket) -> Iterator[int]:
    """A process that has this socket as well, and does nothing."""
    program = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, pass_fds=[sock.fileno()]) as process:
        yield process.pid
        process.kill()


def listening(host: str) -> socket.socket:
    sock = socket.socket()
    sock.bind((host, 0))
    sock.listen()
    return sock


@pytest.mark.parametrize("bound", ["127.0.0.2", "0.0.0.0"])
def test_all_processes_that_hold_a_listening_socket_are_found_and_new_ones_as_well(bound):
    holders = processes.Holders()
    with listening(bound) as sock, holder(sock) as first:
        address = ("127.0.0.2", sock.getsockname()[1])
        assert holders.of([address, ("127.0.0.3", 1)]) == {address: {os.getpid(), first}}
        with holder(sock) as second:
            assert holders.of([address]) == {address: {os.getpid(), first, second}}
        assert holders.of([address]) == {address: {os.getpid(), first}}


def test_what_was_no_holder_is_not_looked_at_again(monkeypatch):
    with listening("127.0.0.2") as sock:
        address = sock.getsockname()
        holders = processes.Holders()
        assert holders.of([address]) == {address: {os.getpid()}}
        looked: list[int] = []
        look = holders._listening
        monkeypatch.setattr(holders, "_listening", lambda pid, wanted: looked.append(pid) or look(pid, wanted))
        with subprocess.Popen(["sleep", "60"]) as new:
            assert holders.of([address]) == {address: {os.getpid()}}
            new.kill()
    assert {os.getpid(), new.pid} <= set(looked)
    assert 1 not in looked


def test_a_client_of_a_server_is_no_part_of_it():
    with listening("127.0.0.2") as sock, socket.create_connection(sock.getsockname()) as client:
        sock.accept()
        address = sock.getsockname()
        client_pid = os.fork()
        if client_pid == 0:
            sock.close()
            os.read(client.fileno(), 1)
            os._exit(0)
        try:
            assert processes.Holders().of([address]) == {address: {os.getpid()}}
        finally:
            os.kill(client_pid, 9)
            os.waitpid(client_pid, 0)


def test_an_address_of_another_machine_is_not_ours():
    assert processes.is_ours("127.0.0.9")
    assert processes.is_ours("::1") or not socket.has_ipv6
    assert not processes.is_ours("192.0.2.7")  # of no machine


def test_a_servers_workers_are_all_counted_and_what_it_used_before_is_not():
    with lean_server(workers=2) as address:
        for _ in range(200):
            post(address, "/step", {"action": {"wait_seconds": 0}})
        watched = servers.Servers(None, [(address.host, address.port)])
        ((_, cpu_s, memory, threads, count),) = watched.look(float("inf"))
        assert (cpu_s, count) == (0.0, 2)
        assert threads >= 2
        assert memory > 10_000_000
        for _ in range(200):
            post(address, "/step", {"action": {"wait_seconds": 0}})
        ((_, cpu_s, *_),) = watched.look(float("inf"))
        assert 0 < cpu_s < 5


def test_a_server_elsewhere_tells_of_itself_and_one_that_was_started_again_counts_on():
    with lean_server() as address:
        server = servers.Server((address.host, address.port), "backend")
        server.ask()
        assert server.how == "stats"
        for _ in range(200):
            post(address, "/step", {"action": {"wait_seconds": 0}})
        cpu_s, memory, threads, count = server.look()
        assert 0 < cpu_s < 5
        assert (count, threads >= 1, memory > 10_000_000) == (1, True, True)
        server._last_s = 1e6  # it had used that much before it was started again
        assert server.look()[0] == pytest.approx(cpu_s + stats(address)["cpu_s"], abs=0.2)
    assert server.look() is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"no JSON", b'{"cpu_s":1}', b'{"cpu_s":NaN,"memory_bytes":1,"threads":1,"processes":1}']
)
def test_whoever_says_something_else_is_none_of_our_servers(body):
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)) as address:
        server = servers.Server(address, "backend")
        server.ask()
        assert (server.how, server.look()) == ("none", None)


@contextlib.contextmanager
def answering(data: bytes, *, drip_s: float = 0.0) -> Iterator[tuple[str, int]]:
    """Somebody who answers each connection with that, a byte in so many seconds if asked to."""
    code = (
        "import socket, sys, time\n"
        "with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "    print(server.getsockname()[1], flush=True)\n"
        "    while True:\n"
        "        c = server.accept()[0]\n"
        f"        data, drip = {data!r}, {drip_s}\n"
        "        try:\n"
        "            c.recv(65536)\n"
        "            for byte in ([data[n:n + 1] for n in range(len(data))] if drip else [data]):\n"
        "                c.sendall(byte); time.sleep(drip)\n"
        "        except OSError: pass\n"
        "        c.close()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield "127.0.0.1", int(process.stdout.readline())
        finally:
            process.kill()


def test_an_answer_that_never_ends_is_not_waited_for():
    with answering(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, drip_s=0.05) as address:
        assert asking.get(address, "/", 0.3) is None


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"HTTP/1.1 503 No\r\n\r\nx", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]
)
def test_an_answer_that_is_no_success_or_not_whole_is_none(data):
    with answering(data) as address:
        assert asking.get(address, "/", 5) is None


def test_an_answer_in_chunks_is_read_whole():
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
    with answering(data) as address:
        assert asking.get(address, "/", 5) == b"abcde"


def test_more_than_anyone_can_need_is_none(monkeypatch):
    monkeypatch.setattr(asking, "MOST_BYTES", 1000)
    with answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000) as address:
        assert asking.get(address, "/", 5) is None


def test_nobody_is_none():
    with listening("127.0.0.1") as sock:
        address = sock.getsockname()
    within(1, lambda: asking.get(address, "/", 0.5) is None)

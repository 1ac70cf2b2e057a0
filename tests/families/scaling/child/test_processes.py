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
    fields = ["S", "6", *["7"] * 9, str(user), "5", "8", "9", "0", "0", str(threads), "0", "4711", "0", "3", "9"]
    told = processes.parse_stat(f"12 ({name}) {' '.join(fields)}\n")
    assert (told.cpu_s, told.children_s) == ((user + 5) / processes.TICKS, 17 / processes.TICKS)
    assert (told.parent, told.threads, told.began, told.memory) == (6, threads, 4711, 3 * processes.PAGE)


@given(st.text())
def test_a_text_that_is_no_process_is_refused(text):
    with pytest.raises((ValueError, IndexError)):
        processes.parse_stat(text.replace(" ", ""))


def test_what_proc_says_of_us_is_what_psutil_says():
    told = processes.stat(os.getpid())
    us = psutil.Process()
    assert (told.threads, told.memory) == (us.num_threads(), pytest.approx(us.memory_info().rss, rel=0.2))
    assert told.cpu_s == pytest.approx(sum(us.cpu_times()[:2]), abs=0.5)
    assert told.children_s == pytest.approx(sum(us.cpu_times()[2:4]), abs=0.5)
    assert told.parent == us.ppid()


@contextlib.contextmanager
def holder(sock: socket.socket) -> Iterator[int]:
    """A process that has this socket as well, and does nothing."""
    program = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, pass_fds=[sock.fileno()]) as process:
        try:
            yield process.pid
        finally:
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


def test_only_the_young_are_looked_at_again_until_a_socket_is_new(monkeypatch):
    with listening("127.0.0.2") as sock, listening("127.0.0.3") as later, holder(later) as young:
        address = sock.getsockname()
        holders = processes.Holders()
        assert holders.of([address]) == {address: {os.getpid()}}
        looked: list[int] = []
        look = holders._listening
        monkeypatch.setattr(holders, "_listening", lambda pid, wanted: looked.append(pid) or look(pid, wanted))
        assert holders.of([address]) == {address: {os.getpid()}}
        assert young in looked
        assert not {1, os.getpid()} & set(looked)  # known to hold none, and to hold one
        monkeypatch.setattr(processes, "YOUNG_S", -1.0)
        holders.of([address])
        looked.clear()
        holders.of([address])
        assert young not in looked
        new = later.getsockname()
        assert holders.of([address, new]) == {address: {os.getpid()}, new: {os.getpid(), young}}


def test_who_listens_is_found_behind_any_number_of_connections():
    with contextlib.ExitStack() as opened:
        busy = opened.enter_context(listening("127.0.0.2"))
        for _ in range(100):
            opened.enter_context(socket.create_connection(busy.getsockname()))
            opened.enter_context(busy.accept()[0])
        last = opened.enter_context(listening("127.0.0.2"))
        assert processes.Holders().of([last.getsockname()]) == {last.getsockname(): {os.getpid()}}


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


@contextlib.contextmanager
def serving(code: str) -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    """A server of a few statements, which read lines that it is told and say so; `burn(seconds)` uses CPU time."""
    head = (
        "import os, signal, socket, sys, time\n"
        "sock = socket.socket(); sock.bind(('127.0.0.6', 0)); print(sock.getsockname()[1], flush=True)\n"
        "def burn(seconds):\n"
        "    until = time.process_time() + seconds\n"
        "    while time.process_time() < until: pass\n"
        "def heard():\n"
        "    print('so', flush=True); sys.stdin.readline()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", head + code], text=True, **pipes) as process:
        try:
            assert process.stdout is not None
            yield process, ("127.0.0.6", int(process.stdout.readline()))
        finally:
            process.kill()


def come(process: subprocess.Popen[str]) -> None:
    """It is at the next place where it waits to be told to go on."""
    assert process.stdout is not None
    assert process.stdout.readline() == "so\n"


def go_on(process: subprocess.Popen[str]) -> None:
    """From there."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_server_goes_on_counting_while_another_is_dead():
    code = "sock.listen(); heard(); burn(.3); heard()"
    with serving(code) as (burns, one), serving(code) as (dies, other):
        come(burns)
        come(dies)
        watched = servers.Servers(None, [one, other])
        go_on(burns)
        come(burns)
        before = watched.look(float("inf"))[0][1]
        assert before >= 0.2
        dies.kill()
        dies.wait()
        assert [row[1] >= before for row in watched.look(float("inf"))] == [True, False]
        assert watched.look(float("inf"))[0][1] >= before


def test_one_that_was_there_before_it_listened_is_found_once_it_does():
    with serving("heard(); sock.listen(); burn(.2); heard()") as (process, address):
        watched = servers.Servers(None, [address])
        assert watched.look(float("inf")) == []
        come(process)
        go_on(process)
        come(process)
        ((_, _, _, _, count),) = watched.look(float("inf"))
        assert count == 1


WORKERS = """
sock.listen()
heard()
for _ in range(4):
    if not os.fork():
        burn(.15)
        heard()
        os._exit(0)
    os.wait()
heard()
"""


@pytest.mark.parametrize("looks", [0, 4])
def test_workers_that_come_and_go_are_counted_once_whether_they_were_seen_or_not(looks):
    with serving(WORKERS) as (process, address):
        come(process)
        watched = servers.Servers(None, [address])
        go_on(process)
        for number in range(4):
            come(process)
            if number < looks:
                assert watched.look(float("inf"))[0][4] == 2
            go_on(process)
        come(process)
        ((_, cpu_s, _, _, count),) = watched.look(float("inf"))
        assert (cpu_s, count) == (pytest.approx(0.6, abs=0.15), 1)


def test_a_worker_that_nobody_waits_for_is_not_forgotten():
    code = (
        "sock.listen(); signal.signal(signal.SIGCHLD, signal.SIG_IGN); heard()\n"
        "if not os.fork(): burn(.2); heard(); os._exit(0)\n"
        "time.sleep(60)\n"
    )
    with serving(code) as (process, address):
        come(process)
        watched = servers.Servers(None, [address])
        go_on(process)
        come(process)
        ((_, before, *_),) = watched.look(float("inf"))
        go_on(process)
        within(10, lambda: watched.look(float("inf"))[0][4] == 1)
        assert watched.look(float("inf"))[0][1] >= before >= 0.1


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

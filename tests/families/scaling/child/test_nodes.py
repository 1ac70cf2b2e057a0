"""Client nodes without Parsl: how a load is shared out, how clocks are compared, and what is asked is answered or ends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.families.scaling.loads import CHILD

NODES = CHILD / "nodes"
OURS, THEIRS = "0" * 12, "f" * 12


def module(name: str) -> Any:
    """One of the child programs' modules, which are no package."""
    before = set(sys.modules)
    sys.path[:0] = [str(NODES), str(CHILD), str(CHILD.parent)]
    try:
        return __import__(name)
    finally:
        del sys.path[:3]
        for added in set(sys.modules) - before:
            if str(CHILD) in str(getattr(sys.modules[added], "__file__", "")):
                del sys.modules[added]


clocks, words, one_load = module("clocks"), module("words"), module("one_load")


@given(st.integers(1, 40).flatmap(lambda nodes: st.tuples(st.integers(nodes, 1000), st.just(nodes))))
def test_every_client_is_on_one_node_and_no_node_has_two_more_than_another(asked: tuple[int, int]) -> None:
    clients, nodes = asked
    shares = one_load.shared_out(clients, nodes)
    assert [n for first, count in shares for n in range(first, first + count)] == list(range(clients))
    counts = [count for _, count in shares]
    assert (len(counts), max(counts) - min(counts) <= 1, min(counts) >= 1) == (nodes, True, True)


class Node:
    """A node whose clock is `ahead_s` of ours, `late_s` away."""

    def __init__(self, pool: str, boot: str, ahead_s: float = 0.0, late_s: tuple[float, float] = (0.0, 0.0)) -> None:
        self.pool, self.boot, self.ahead_s, self.late_s = pool, boot, ahead_s, late_s

    def ask(self) -> Future[dict[str, Any]]:
        future: Future[dict[str, Any]] = Future()
        threading.Thread(target=self._answer, args=(future,)).start()
        return future

    def _answer(self, future: Future[dict[str, Any]]) -> None:
        time.sleep(self.late_s[0])
        begun = time.time() + self.ahead_s
        told = {"pool": self.pool, "node": self.pool, "boot": self.boot, "begun": begun, "ended": begun}
        time.sleep(self.late_s[1])
        future.set_result(told)


def in_turn(*nodes: Node) -> Any:
    """Asks one after the other."""
    turns = iter(range(10**6))
    return lambda: nodes[next(turns) % len(nodes)].ask()  # noqa: PLW0108 (another node each time)


def test_a_clock_that_is_off_is_known_within_half_a_round_trip() -> None:
    far = Node("far", THEIRS, ahead_s=-7.5, late_s=(0.002, 0.03))
    found = clocks.compare(1, OURS, far.ask)["far"]
    assert 0.01 < found.within_s < 1
    assert abs(found.ahead_s + 7.5) <= found.within_s


def test_who_booted_with_us_has_our_clock() -> None:
    found = clocks.compare(2, OURS, in_turn(Node("here", OURS, 0.3), Node("there", THEIRS, 0.3)))
    assert (found["here"].ahead_s, found["here"].within_s) == (0.0, 0.0)
    assert abs(found["there"].ahead_s - 0.3) <= found["there"].within_s


def test_a_node_that_does_not_tell_its_clock_is_missing_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "LONGEST_S", 0.3)
    assert set(clocks.compare(2, OURS, Node("here", OURS).ask)) == {"here"}


def test_no_name_of_a_node_is_told_of_an_error() -> None:
    said = words.trouble(
        RuntimeError("srun: error: n17: task 3 exited on host n18, and secret-node.site sank"), {"secret-node.site"}
    )
    assert said == "RuntimeError: srun: error: <node>: task 3 exited on host <node>, and <node> sank"


def test_of_long_words_the_end_is_told_from_a_whole_word_on() -> None:
    said = words.plain(f"/home/{'x' * 200}/secret-name " + "many words " * 5 + "sbatch: error: invalid partition", ())
    assert said.startswith("many words")
    assert said.endswith("invalid partition")
    assert "secret-name" not in words.plain(f"/home/{'x' * 200}/secret-name " + "y" * 140, ())


def asked(folder: Path) -> subprocess.Popen[str]:
    plan = {"PERFDB_BESIDE_DIR": str(folder), "PERFDB_LOAD_PLAN": '{"clients": 2}'}
    return subprocess.Popen(
        [sys.executable, str(NODES / "ask.py")], env={**os.environ, **plan}, stdout=subprocess.PIPE, text=True
    )


def answering(folder: Path, answer: bytes) -> Path:
    """What keeps the nodes, as far as one answer; it comes up only after it is asked for. Its folder's path is too long for a socket."""
    deep = folder / ("deep" * 40)
    deep.mkdir()

    def serve() -> None:
        server = socket.socket(socket.AF_UNIX)
        server.bind(f"/proc/self/fd/{os.open(deep, os.O_RDONLY)}/asked")
        server.listen()
        connection, _ = server.accept()
        with connection, server:
            assert json.loads(connection.makefile().readline()) == {"clients": 2}
            connection.sendall(answer)

    timer = threading.Timer(0.3, serve)
    timer.daemon = True
    timer.start()
    return deep


def test_what_the_nodes_say_is_passed_on_to_its_end(tmp_path: Path) -> None:
    process = asked(answering(tmp_path, b'{"kind":"note"}\n{"kind":"over"}\n'))
    assert process.communicate(timeout=60)[0] == '{"kind":"note"}\n'
    assert process.returncode == 0


def test_what_keeps_the_nodes_and_ends_in_the_middle_fails_the_load(tmp_path: Path) -> None:
    process = asked(answering(tmp_path, b'{"kind":"note"}\n'))
    first, last = process.communicate(timeout=60)[0].splitlines()
    assert (first, json.loads(last)["outcome"]) == ('{"kind":"note"}', "failed")
    assert process.returncode == 1

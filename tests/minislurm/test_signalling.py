"""Real trees of processes of which some take SIGUSR1 and others would be ended by it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.minislurm import process, signalling
from tests.minislurm.supervisor.running import until

# Says that it listens, and how often it was told.
LISTENS = """
import os, signal, sys, time
told = -1
def hear(*_):
    global told
    told += 1
    with open(f"{sys.argv[1]}.new.{os.getpid()}", "w") as file: file.write(str(told))
    os.replace(file.name, sys.argv[1])
signal.signal(signal.SIGUSR1, hear)
hear()
if len(sys.argv) > 2: os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, sys.argv[2], sys.argv[1] + ".below"])
while True: time.sleep(1000)
"""


class Tree:
    """Processes below one that stands in for a supervisor, which ignores the signal as no supervisor has to."""

    def __init__(self, folder: Path, line: str) -> None:
        self.folder = folder
        (folder / "listens.py").write_text(LISTENS)
        listens = f"{sys.executable} {folder}/listens.py"
        self.top = subprocess.Popen(["sh", "-c", line.replace("LISTENS", listens)], cwd=folder)

    def told(self, name: str) -> int:
        path = self.folder / name
        return int(path.read_text()) if path.exists() else -1

    def end(self) -> None:
        for pid in [*process.descendants(self.top.pid), self.top.pid]:
            os.kill(pid, signal.SIGKILL)
        self.top.wait()


@pytest.fixture
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tree]:
    found = Tree(tmp_path, request.param)
    yield found
    found.end()


@pytest.mark.parametrize("tree", ["sh -c 'LISTENS a; :'; :"], indirect=True)
def test_the_program_below_two_shells_is_told_and_the_shells_live(tree: Tree) -> None:
    until(lambda: tree.told("a") >= 0)
    before = process.descendants(tree.top.pid)
    told = signalling.tell(tree.top.pid)
    assert [before[-1]] == told
    until(lambda: tree.told("a") == 1)
    assert before == process.descendants(tree.top.pid)


@pytest.mark.parametrize("tree", ["LISTENS a listens.py & sleep 1000 & wait"], indirect=True)
def test_who_is_below_one_that_was_told_hears_it_from_that_one(tree: Tree) -> None:
    until(lambda: tree.told("a.below") >= 0)
    assert len(signalling.tell(tree.top.pid)) == 1
    until(lambda: tree.told("a") == 1)
    assert tree.told("a.below") == 0


@pytest.mark.parametrize("tree", ["LISTENS a & LISTENS b & wait"], indirect=True)
def test_all_topmost_that_listen_are_told(tree: Tree) -> None:
    until(lambda: tree.told("a") >= 0 and tree.told("b") >= 0)
    assert len(signalling.tell(tree.top.pid)) == 2
    until(lambda: tree.told("a") == tree.told("b") == 1)


@pytest.mark.parametrize("tree", ["LISTENS a & LISTENS b & wait"], indirect=True)
def test_one_that_registered_is_told_alone(tree: Tree) -> None:
    until(lambda: tree.told("a") >= 0 and tree.told("b") >= 0)
    pid = process.descendants(tree.top.pid)[1]
    ticks = process.start_ticks(pid)
    assert ticks
    assert [pid] == signalling.tell(tree.top.pid, (pid, ticks))


@pytest.mark.parametrize("tree", ["LISTENS a & wait"], indirect=True)
def test_one_that_says_it_registered_but_is_another_is_not_told(tree: Tree) -> None:
    until(lambda: tree.told("a") >= 0)
    ours = process.descendants(tree.top.pid)
    ticks = process.start_ticks(ours[0])
    assert ticks
    assert ours == signalling.tell(tree.top.pid, (ours[0], ticks + 1)), "its number is another's by now"
    with subprocess.Popen([sys.executable, tree.folder / "listens.py", tree.folder / "other"]) as other:
        try:
            until(lambda: tree.told("other") >= 0)
            other_ticks = process.start_ticks(other.pid)
            assert other_ticks
            assert ours == signalling.tell(tree.top.pid, (other.pid, other_ticks)), "it is none of the job's"
        finally:
            other.kill()


@pytest.mark.parametrize("tree", ["sleep 1000 & wait"], indirect=True)
def test_who_registered_and_has_no_handler_any_more_is_not_ended_by_it(tree: Tree) -> None:
    pid = until(lambda: process.descendants(tree.top.pid))[0]
    ticks = process.start_ticks(pid)
    assert ticks
    assert signalling.tell(tree.top.pid, (pid, ticks)) == []
    assert ticks == process.start_ticks(pid)


def test_nobody_is_told_where_nobody_is() -> None:
    assert signalling.tell(2**22 + 1) == []

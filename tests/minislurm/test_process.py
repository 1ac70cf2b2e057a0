"""Processes that live, have ended, or have another's number."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from perfdb.minislurm import process
from tests.minislurm.supervisor.running import until


def test_a_process_is_known_by_when_it_began() -> None:
    ticks = process.start_ticks(os.getpid())
    assert ticks
    assert process.is_running(os.getpid(), ticks, process.boot_id())
    assert not process.is_running(os.getpid(), ticks + 1, process.boot_id())
    assert not process.is_running(os.getpid(), ticks, "another-boot")
    assert not process.is_running(0, ticks, process.boot_id())


def test_a_process_that_nobody_waited_for_does_not_live() -> None:
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert process.start_ticks(ended.pid) is None
        assert [pid for pid in process.descendants(os.getpid()) if pid == ended.pid] == []


def test_a_name_full_of_brackets_confuses_nobody(tmp_path: Path) -> None:
    odd = tmp_path / ") S 1 (x) Z"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([odd, "1000"]) as running:
        try:
            until(lambda: Path(f"/proc/{running.pid}/comm").read_text().startswith(")"))
            assert process.start_ticks(running.pid)
            assert os.getpid() == process.parent(running.pid)
        finally:
            running.kill()


def test_a_pidfd_is_had_of_that_process_alone() -> None:
    ticks = process.start_ticks(os.getpid())
    assert ticks
    pidfd = process.open_process(os.getpid(), ticks)
    assert pidfd is not None
    os.close(pidfd)
    assert process.open_process(os.getpid(), ticks + 1) is None
    assert process.open_process(2**22 + 1, ticks) is None
    assert process.open_process(-1, ticks) is None
    assert process.open_process(2**40, ticks) is None


def test_a_refused_pidfd_is_closed() -> None:
    before = _pidfds()
    process.open_process(os.getpid(), 1)
    assert before == _pidfds()


@pytest.mark.parametrize("has_children_files", [True, False])
def test_children_of_every_thread_and_theirs_are_found(
    monkeypatch: pytest.MonkeyPatch, has_children_files: bool
) -> None:
    if not has_children_files:
        read = process._read

        def without(path: str) -> bytes:
            if path.endswith("/children"):
                raise FileNotFoundError(path)
            return read(path)

        monkeypatch.setattr(process, "_read", without)
    program = (
        "import subprocess, threading, time\n"
        "def begin(): subprocess.Popen(['sh', '-c', 'sleep 1000; :']); time.sleep(1000)\n"
        "for _ in range(2): threading.Thread(target=begin).start()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as top:
        try:
            found = until(lambda: len(found := process.descendants(top.pid)) == 4 and found)
            assert found
            assert [top.pid, top.pid] == [process.parent(pid) for pid in found[:2]]
            assert set(found[:2]) == {process.parent(pid) for pid in found[2:]}
        finally:
            for pid in process.descendants(top.pid):
                os.kill(pid, 9)
            top.kill()


def test_nothing_is_below_a_process_that_is_not_there() -> None:
    assert process.descendants(2**22 + 1) == []


def _pidfds() -> int:
    """How many this process has open; other descriptors may be closed meanwhile, whenever their owners are forgotten."""
    found = 0
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 # names only
        with contextlib.suppress(FileNotFoundError):
            found += os.readlink(f"/proc/self/fd/{name}").startswith(("anon_inode:[pidfd]", "pidfd:"))  # noqa: PTH115
    return found

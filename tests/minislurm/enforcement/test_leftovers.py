"""What is left of a job whose supervisor, and whose fork server, were killed."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from perfdb.minislurm import enforcement, process
from tests.minislurm.supervisor.running import Running, cgroups, until


def _orphan(running: Running, line: str) -> tuple[str, list[int]]:
    """A job whose supervisor and fork server are gone; its group and its processes."""
    order = running.order("sh", "-c", line)
    supervisor = running.start(order)
    running.until_started(order)
    below = until(lambda: len(found := process.descendants(supervisor.pid)) == 3 and found)
    assert below
    os.kill(running.launcher.pid, signal.SIGKILL)
    until(lambda: running.launcher.received() == [] and running.launcher.is_lost)
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: process.start_ticks(supervisor.pid) is None)
    return order.group, below


@pytest.mark.parametrize("name", [None, "affinity"])
def test_all_of_it_is_found_and_ended(tmp_path: Path, name: str | None) -> None:
    with Running(tmp_path, name) as running:
        group, below = _orphan(running, "setsid sleep 1000 & sleep 1000 & exec sleep 1000")
        assert enforcement.end_all(group) == 3
        assert [process.start_ticks(pid) for pid in below] == [None] * 3
        assert cgroups(group) == []


def test_a_process_that_changed_its_environment_is_found_by_its_cgroup(tmp_path: Path) -> None:
    with Running(tmp_path) as running:
        if "affinity" in running.enforcement.name:
            pytest.skip("no cgroups here")
        group, below = _orphan(
            running, "setsid env -i /bin/sleep 1000 & env -i /bin/sleep 1000 & exec env -i /bin/sleep 1000"
        )
        enforcement.end_all(group)
        assert [process.start_ticks(pid) for pid in below] == [None] * 3


def test_nothing_else_is_ended() -> None:
    with subprocess.Popen(["sleep", "1000"], env={enforcement.MARK: "mini-slurm.test.other-1"}) as other:
        assert enforcement.end_all("mini-slurm.test.other") == 0
        assert process.start_ticks(other.pid) is not None
        assert enforcement.end_all("mini-slurm.test.other-1") == 1
        assert other.wait() == -signal.SIGKILL


def test_the_caller_may_be_in_the_group_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    group = "mini-slurm.test.nested"
    program = f"from perfdb.minislurm import enforcement; print(enforcement.end_all({group!r}))"
    told = subprocess.run(
        [".venv/bin/python", "-c", program], env={enforcement.MARK: group}, capture_output=True, text=True, check=True
    )
    assert told.stdout == "0\n"

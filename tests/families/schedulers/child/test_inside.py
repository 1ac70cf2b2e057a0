"""What a job does inside: its stamps, its work and its limit; real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from perfdb.families import schedulers
from tests.platforms.clusters import within

INSIDE = str(Path(schedulers.__file__).parent / "child" / "inside.py")


def begun(stamps: Path | str, limit_s: float, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-I", "-S", INSIDE, str(stamps), str(limit_s), *words])


def stamped(stamps: Path) -> list[tuple[str, int]]:
    return [(what, int(ns)) for what, ns in (line.split() for line in stamps.read_text().splitlines())]


def test_a_job_says_when_it_began_and_ended(tmp_path: Path) -> None:
    before = time.time_ns()
    assert begun(tmp_path / "it", 60, "sleep", "0.12").wait(30) == 0
    (began, began_ns), (ended, ended_ns) = stamped(tmp_path / "it")
    assert (began, ended) == ("began", "ended")
    assert before <= began_ns and began_ns + 0.12e9 <= ended_ns <= time.time_ns()


def test_burning_takes_a_cpu_for_as_long_as_it_is_told(tmp_path: Path) -> None:
    before = os.times()
    assert begun(tmp_path / "it", 60, "burn", "0.3").wait(30) == 0
    (_, began_ns), (_, ended_ns) = stamped(tmp_path / "it")
    used_s = os.times().children_user - before.children_user
    assert ended_ns - began_ns >= 0.3e9
    assert used_s > 0.05  # however many others want the CPU


def test_a_job_ends_at_its_limit_and_says_so(tmp_path: Path) -> None:
    for name, words in (("sleep", ["sleep", "600"]), ("run", ["run", "sleep", "600"])):
        assert begun(tmp_path / name, 0.1, *words).wait(30) == 124
        (_, began_ns), (limit, _), (ended, ended_ns) = stamped(tmp_path / name)
        assert (limit, ended) == ("limit", "ended") and ended_ns - began_ns < 0.5 * 600e9


def test_a_program_ends_a_job_with_its_own_exit_code(tmp_path: Path) -> None:
    assert begun(tmp_path / "it", 60, "run", "sh", "-c", "exit 3").wait(30) == 3
    assert [what for what, _ in stamped(tmp_path / "it")] == ["began", "ended"]


def test_a_job_that_begins_anew_adds_to_what_it_said(tmp_path: Path) -> None:
    for _ in range(2):
        begun(tmp_path / "it", 60, "sleep", "0").wait(30)
    assert [what for what, _ in stamped(tmp_path / "it")] == ["began", "ended"] * 2


def test_time_in_which_a_job_is_stopped_is_not_worked(tmp_path: Path) -> None:
    job = begun(tmp_path / "it", 60, "sleep", "0.6")
    within(30, (tmp_path / "it").exists)
    job.send_signal(signal.SIGSTOP)
    within(30, lambda: psutil.Process(job.pid).status() == psutil.STATUS_STOPPED)
    stopped_ns = time.time_ns()
    time.sleep(0.8)
    resumed_ns = time.time_ns()
    job.send_signal(signal.SIGCONT)
    assert job.wait(30) == 0
    (_, began_ns), (_, ended_ns) = stamped(tmp_path / "it")
    worked_s = (ended_ns - began_ns - (resumed_ns - stopped_ns)) / 1e9
    assert worked_s >= 0.6


def test_a_part_of_a_job_on_another_node_says_nothing(tmp_path: Path) -> None:
    job = subprocess.Popen([sys.executable, "-I", "-S", INSIDE, "-", "60", "burn", "0"], cwd=tmp_path)
    assert job.wait(30) == 0
    assert list(tmp_path.iterdir()) == []

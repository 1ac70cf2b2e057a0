"""A job of the mix, a real process: it does all of its work on as many CPUs as it has, and says what a resize cost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from perfdb.families import elastic
from perfdb.minislurm.control import Control

_WORKER = Path(elastic.__path__[0]) / "child" / "worker.py"
_PATIENCE_S = 60.0


@dataclass
class Running:
    """A worker whose scheduler is the test."""

    process: subprocess.Popen[bytes]
    folder: Path

    def answer(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "answer").read_text()))

    def resize(self, generation: int, cpus: int) -> None:
        """Returns when it has said that it is so."""
        control(cpus, generation).write(self.folder / "control")
        self.process.send_signal(signal.SIGUSR1)
        until(lambda: (self.answer()["applied"] or [0])[0] >= generation)

    def workers(self) -> int:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return len(path.read_text().split())

    def told(self) -> list[dict[str, Any]]:
        assert self.process.wait(_PATIENCE_S) == 0
        return [json.loads(line) for line in (self.folder / "told").read_text().splitlines()]


def control(cpus: int, generation: int) -> Control:
    return Control(cpus, 100, 1, 4, "RUNNING", time.time(), generation)


def until(is_so: Any) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextmanager
def running(folder: Path, units: int, unit_s: float, on_shrink: str, cpus: int) -> Iterator[Running]:
    control(cpus, 0).write(folder / "control")
    env = {
        **os.environ,
        "MINI_SLURM_ELASTIC": "1",
        "MINI_SLURM_JOB_ID": "7",
        "MINI_SLURM_CONTROL_FILE": str(folder / "control"),
        "MINI_SLURM_ANSWER_FILE": str(folder / "answer"),
        "MINI_SLURM_CURRENT_CPUS": str(cpus),
        "MINI_SLURM_MIN_CPUS": "1",
        "MINI_SLURM_MAX_CPUS": "4",
    }
    argv = [sys.executable, str(_WORKER), str(units), str(unit_s), "sleep", on_shrink, str(folder / "told")]
    process = subprocess.Popen(argv, env=env)
    try:
        until((folder / "answer").exists)
        yield Running(process, folder)
    finally:
        process.kill()
        process.wait()


def test_it_has_a_worker_for_each_cpu_and_does_every_unit(tmp_path: Path) -> None:
    with running(tmp_path, 40, 0.05, "finish", cpus=2) as worker:
        until(lambda: worker.workers() == 2)
        worker.resize(1, 4)
        assert worker.workers() == 4
        worker.resize(2, 1)
        assert worker.workers() == 1
        *costs, work = worker.told()
    assert work == {"units": 40, "done": 40, "lost": 0}
    assert [cost["generation"] for cost in costs] == [1, 2]
    assert all((cost["lost_units"], cost["lost_s"]) == (0, 0) for cost in costs)
    assert costs[0]["paused_s"] > 0


def test_units_that_are_dropped_are_done_again_and_told(tmp_path: Path) -> None:
    with running(tmp_path, 6, 0.5, "drop", cpus=4) as worker:
        until(lambda: worker.workers() == 4)
        worker.resize(1, 1)
        assert worker.workers() == 1
        cost, work = worker.told()
    assert cost["lost_units"] == 3
    assert cost["lost_s"] > 0
    assert work == {"units": 6, "done": 6, "lost": 3}


def test_with_nothing_left_to_do_a_grow_makes_no_worker(tmp_path: Path) -> None:
    with running(tmp_path, 1, 1.0, "finish", cpus=1) as worker:
        until(lambda: worker.workers() == 1)
        worker.resize(1, 4)
        assert worker.workers() == 1
        assert worker.told()[-1] == {"units": 1, "done": 1, "lost": 0}


def test_outside_of_any_scheduler_it_just_works(tmp_path: Path) -> None:
    argv = [sys.executable, str(_WORKER), "3", "0.001", "burn", "finish", str(tmp_path / "told")]
    env = {name: value for name, value in os.environ.items() if not name.startswith("MINI_SLURM_")}
    subprocess.run(argv, env=env, check=True, timeout=_PATIENCE_S)
    assert json.loads((tmp_path / "told").read_text()) == {"units": 3, "done": 3, "lost": 0}


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_job(tmp_path: Path, sent: signal.Signals) -> None:
    with running(tmp_path, 1000, 0.05, "finish", cpus=2) as worker:
        until(lambda: worker.workers() == 2)
        children = Path(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children").read_text().split()
        worker.process.send_signal(sent)
        worker.process.wait(_PATIENCE_S)
        until(lambda: not any(_is_there(pid) for pid in children))


def _is_there(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

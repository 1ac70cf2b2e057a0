"""A scheduler's side of one elastic job, by hand: real files, a real socket, real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from perfdb.minislurm.control import Control, Status
from perfdb.minislurm.sockets import short

PATIENCE_S = 30.0


class Desk:
    """What the scheduler has of job 7: 2 CPUs at first, between 1 and 8."""

    def __init__(self, folder: Path) -> None:
        self.control = folder / "job_7.control"
        self.answer_file = folder / "job_7.answer"
        self.hints = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.hints_path = folder / "hints.sock"
        with short(self.hints_path) as path:
            self.hints.bind(path)
        self.hints.settimeout(PATIENCE_S)
        self.generation = 0
        self.write(2)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "MINI_SLURM_ELASTIC": "1",
            "MINI_SLURM_JOB_ID": "7",
            "MINI_SLURM_CPUS": "2",
            "MINI_SLURM_CONTROL_FILE": str(self.control),
            "MINI_SLURM_CURRENT_CPUS": "2",
            "MINI_SLURM_MIN_CPUS": "1",
            "MINI_SLURM_MAX_CPUS": "8",
            "MINI_SLURM_ANSWER_FILE": str(self.answer_file),
            "MINI_SLURM_HINTS": str(self.hints_path),
        }

    def write(self, cpus: int, status: Status = "RUNNING") -> None:
        """Write the control file of this generation."""
        Control(cpus, 1024, 1, 8, status, time.time(), self.generation).write(self.control)

    def resize(self, cpus: int) -> int:
        """Write a new generation, without a signal; returns it."""
        self.generation += 1
        self.write(cpus)
        return self.generation

    def answer(self) -> dict[str, Any]:
        """The answer file."""
        found: dict[str, Any] = json.loads(self.answer_file.read_text())
        return found

    def hint(self) -> object:
        """Wait for one."""
        return json.loads(self.hints.recv(4096))

    def until_told(self, what: str, generation: int) -> dict[str, Any]:
        """Wait by hints until the job has `acknowledged` or `applied` that generation; returns its answer."""
        while (answer := self.answer())[what] is None or answer[what][0] < generation:
            self.hint()
        return answer


class Program:
    """A job's program that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> str:
        """Wait for the next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def type(self, line: str = "") -> None:
        """Give it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def signal(self) -> None:
        self.process.send_signal(signal.SIGUSR1)

    def ended(self) -> int:
        """Wait for its end; returns its exit code, below 0 where a signal ended it."""
        return self.process.wait(PATIENCE_S)


@contextmanager
def running(source: str, environment: dict[str, str], *, python: str = sys.executable) -> Iterator[Program]:
    """A Python program whose job has this environment; ended at the end, whatever it does."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MINI_SLURM_")}
    with subprocess.Popen(
        [python, "-u", "-c", textwrap.dedent(source)],
        env={**ours, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        # Whoever reads from it then reads its end.
        patience = threading.Timer(2 * PATIENCE_S, process.kill)
        patience.start()
        try:
            yield Program(process)
        finally:
            patience.cancel()
            process.kill()

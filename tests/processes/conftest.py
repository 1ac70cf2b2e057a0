"""Real children below a real supervisor."""

from __future__ import annotations

import os
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from perfdb.processes.log import ChildLog, Line, read_log
from perfdb.processes.supervised import ChildJob, Supervised
from perfdb.processes.tree import MARKER, marked


@pytest.fixture
def run() -> Iterator[str]:
    """A run's name; whatever of it still lives is ended after the test."""
    name = uuid.uuid4().hex
    yield name
    for process in marked(name):
        process.kill()


@pytest.fixture
def job(run: str, tmp_path: Path) -> Callable[..., ChildJob]:
    """A job that runs some Python source."""

    def make(source: str, **changes: Any) -> ChildJob:
        script = tmp_path / "child.py"
        script.write_text(textwrap.dedent(source))
        env = {**os.environ, MARKER: run, "PYTHONUNBUFFERED": "1"}
        fields = {"name": "child", "argv": (sys.executable, str(script)), "env": env, "cwd": tmp_path, "grace_s": 1.0}
        return ChildJob(**{**fields, **changes})

    return make


class Followed:
    """A supervised child seen to its end: what was told while it ran, and its log."""

    def __init__(self, job: ChildJob, log: Path, *, stop_at: tuple[str, ...] = ()) -> None:
        """`stop_at`: lines at which it is told to stop, one after another."""
        waiting = list(stop_at)
        self.events = []
        with Supervised(job, log) as child:
            while (events := child.read()) is not None:
                self.events += events
                for event in events:
                    if isinstance(event, Line) and waiting and event.text == waiting[0]:
                        child.stop()
                        waiting.pop(0)
        self.log: ChildLog = read_log(log)

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.log.lines]


@pytest.fixture
def follow(job: Callable[..., ChildJob], tmp_path: Path) -> Callable[..., Followed]:
    """Run some Python source to its end."""

    def run_it(source: str, *, stop_at: tuple[str, ...] = (), **changes: Any) -> Followed:
        return Followed(job(source, **changes), tmp_path / "01-child.jsonl", stop_at=stop_at)

    return run_it

"""Daemons under test, each in a home of its own, and jobs for them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from perfdb.minislurm import client, process
from perfdb.minislurm.client import Ended
from perfdb.minislurm.places import Places
from perfdb.minislurm.request import Request
from perfdb.minislurm.store.job import Event, Job
from perfdb.minislurm.store.reading import Reader
from perfdb.minislurm.supervisor import journal

# Long enough for a machine that is busy with other tests; nothing waits this long where all is well.
PATIENCE_S = 60.0


def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until `holds`, and return what it said."""
    end_s = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < end_s, f"in vain: {what}"
        time.sleep(0.01)
    return found


class House:
    """A home, its daemon, and what can be asked of it. Options are those of serving.py."""

    def __init__(self, home: Path) -> None:
        self.places = Places(home)
        self.daemon: subprocess.Popen[bytes] | None = None
        self._logs: list[Path] = []
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *, wait: bool = True, **options: Any) -> subprocess.Popen[bytes]:
        """A daemon; waits until it is ready."""
        options = {"cpus": 4, "overcommit": True, "cooldown_s": 0.1} | options
        self._logs.append(self.places.home.parent / f"daemon-{len(self._logs)}.log")
        with self._logs[-1].open("wb") as log:
            self.daemon = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.minislurm.daemon.serving", json.dumps(options)],
                env={**os.environ, "MINI_SLURM_HOME": str(self.places.home), "PYTHONPATH": str(Path.cwd())},
                stdout=log,
                stderr=log,
            )
        self._started.append(self.daemon)
        if wait:
            daemon = self.daemon
            until(lambda: "ready:" in self.said() or daemon.poll() is not None, "the daemon is ready")
            assert daemon.poll() is None, self.said()
        return self.daemon

    def said(self) -> str:
        """All that the latest daemon has said."""
        return self._logs[-1].read_text()

    def kill(self) -> None:
        """As a crash would."""
        assert self.daemon
        self.daemon.kill()
        self.daemon.wait()

    def stop(self) -> int:
        """In good order; returns its exit code."""
        assert self.daemon
        self.daemon.terminate()
        return self.daemon.wait(PATIENCE_S)

    def submit(self, *argv: str, **fields: Any) -> int:
        """A job; returns its id. Of 1 CPU where `fields` (those of Request) do not say otherwise."""
        return self.submit_all(*argv, **fields)[0]

    def submit_all(self, *argv: str, **fields: Any) -> range:
        return client.submit(self.places, request(*argv, **{"cwd": str(self.places.home)} | fields)).ids

    def wait(self, ids: Sequence[int]) -> dict[int, Ended]:
        """Their ends; all of them."""
        ended = client.wait(self.places, ids, PATIENCE_S, lambda one: None)
        assert set(ids) == set(ended), f"not ended: {[self.job(id) for id in set(ids) - set(ended)]}"
        return ended

    def ended(self, id: int) -> Ended:
        return self.wait([id])[id]

    def job(self, id: int) -> Job:
        with Reader(self.places) as reader:
            found = reader.job(id)
        assert found
        return found

    def events(self, id: int) -> list[Event]:
        with Reader(self.places) as reader:
            return reader.events(id)

    def started(self, id: int) -> Job:
        """The job, once its own process has begun."""
        until(lambda: self.job(id).started_ns or self.job(id).state.is_final, f"job {id} starts")
        return self.job(id)

    def journal(self, id: int) -> journal.Journal | None:
        return journal.read(self.places.journal(id, self.job(id).attempt))

    def close(self) -> None:
        """End all of it, jobs too."""
        for daemon in self._started:
            if daemon.poll() is None:
                daemon.kill()
            daemon.wait()
        for path in self.places.run.glob("job_*.journal"):
            said = journal.read(path)
            if said and said.claim and process.is_running(said.claim.pid, said.claim.ticks, said.claim.boot):
                for pid in process.descendants(said.claim.pid):
                    _kill(pid)
                until(lambda claim=said.claim: not process.is_running(claim.pid, claim.ticks, claim.boot), "it ends")


def request(*argv: str, **fields: Any) -> Request:
    """A job of 1 CPU, unless `fields` say otherwise; elastic where they have bounds."""
    cpus = fields.get("cpus", 1)
    defaults = {
        "argv": argv or ("true",),
        "env": {"PATH": os.environ["PATH"]},
        "cwd": "/",
        "name": "test",
        "cpus": cpus,
        "min_cpus": cpus,
        "max_cpus": cpus,
        "mem_mb": 64,
        "priority": 0,
        "is_elastic": "min_cpus" in fields or "max_cpus" in fields,
    }
    return Request(**defaults | fields)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 9)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A home without a daemon yet."""
    home = tmp_path / "home"
    home.mkdir()
    house = House(home)
    yield house
    house.close()
    shutil.rmtree(home, ignore_errors=True)

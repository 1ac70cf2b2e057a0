"""perfdb's end of a supervised child: start it, hear its lines, stop it."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from perfdb.processes.log import Exit, Line, parse_event
from perfdb.processes.tree import MARKER


@dataclass(frozen=True)
class ChildJob:
    """A program to run below a supervisor.

    Attributes:
        name: Names its log in the journal.
        argv: The command, an absolute program first.
        env: Its whole environment, MARKER included.
        cwd: Its folder.
        secrets: Text to mask wherever the child prints it.
        homes: Folders whose paths may tell who we are, to mask as homes are.
        sample_on: A regular expression; a line that it matches gets the tree's CPU time.
        timeout_s: Seconds until it is ended, or None.
        ballast: A file to delete should the disk be full, so that the log can go on.
        grace_s: Seconds it gets to clean up once it was told to end.
        when_abandoned: A command for the supervisor to run should perfdb die, after the child's end.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    secrets: tuple[str, ...] = field(default=(), repr=False)
    homes: tuple[str, ...] = ()
    sample_on: str = ""
    timeout_s: float | None = None
    ballast: Path | None = None
    grace_s: float = 10.0
    when_abandoned: tuple[str, ...] = ()


class Supervised:
    """A running child. As a context it never leaves one behind."""

    def __init__(self, job: ChildJob, log: Path) -> None:
        # -P: the user's folder may hold a psutil.py of its own, or a stranger's.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "perfdb.processes.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Our own environment, for it runs our Python; the marker lets a later command find it as well.
            env={**os.environ, MARKER: job.env[MARKER]},
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {
            "argv": list(job.argv),
            "env": dict(job.env),
            "cwd": str(job.cwd),
            "log": str(log),
            "ballast": str(job.ballast) if job.ballast else None,
            "secrets": list(job.secrets),
            "homes": list(job.homes),
            "sample_on": job.sample_on,
            "timeout_s": job.timeout_s,
            "grace_s": job.grace_s,
            "when_abandoned": list(job.when_abandoned),
        }
        self._rest = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        with contextlib.suppress(OSError):  # it could not start: that there is no exit in the log tells
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._selector.close()
        self._process.stdout.close()  # first: a supervisor that waits for us to read would not notice the rest
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # the supervisor takes this for our death and ends everything
        self._process.wait()

    def stop(self) -> None:
        """Have the child end in good order; its last lines and its exit still arrive."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(b"stop\n")
            self._process.stdin.flush()

    def read(self, tick_s: float | None = None) -> list[Line | Exit] | None:
        """The events that came, none after `tick_s` seconds of silence, or None when there will be no more.

        We sleep in between: nothing here takes time from what is measured.
        """
        assert self._process.stdout is not None
        if not self._selector.select(tick_s):
            return []
        data = os.read(self._process.stdout.fileno(), 65536)
        if not data:
            return None
        *whole, self._rest = (self._rest + data).split(b"\n")
        events = (parse_event(raw.decode()) for raw in whole)
        return [event for event in events if isinstance(event, (Line, Exit))]

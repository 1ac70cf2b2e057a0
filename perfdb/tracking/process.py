"""The parent's end of the child that talks to MLflow: lines out, lines in, never longer than asked."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from perfdb.processes.state_folder import make_state_folder
from perfdb.processes.tree import MARKER
from perfdb.tracking.faults import plain, trouble
from perfdb.tracking.target import Target

PROBE_S = 1.0
# Importing from a cold network file system is slow but no fault of MLflow's server; this is for one that never ends.
IMPORT_LIMIT_S = 90.0


class TooLate(Exception):
    """No answer came in the time that was given. Never leaves tracking/."""


class MirrorProcess:
    """One child. It starts at once and imports MLflow while we do something else."""

    def __init__(self, target: Target, *, request_timeout_s: int, retries: int) -> None:
        self._target = target
        self._buffer = b""
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 closed in `kill`
        state = Path(target.state_path)
        make_state_folder(state)
        # Not of a measured run's family, and in a folder where MLflow's own defaults (./mlruns) do no harm.
        environment = {name: value for name, value in os.environ.items() if name != MARKER}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "perfdb.tracking.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=state,
            env=environment,
            start_new_session=True,  # a Ctrl-C at the terminal is ours to handle: it still has to say KILLED
        )
        hello = {"target": target.document(), "probe_s": PROBE_S}
        self.send({**hello, "request_timeout_s": request_timeout_s, "retries": retries})

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it is no more."""
        return self._process.poll() is not None

    def send(self, job: dict[str, Any]) -> None:
        """One job. That the child is gone shows when its answer is read."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()

    def read(self, limit_s: float) -> dict[str, Any]:
        """The next answer; one with `error` also when the child ended without a word.

        Raises:
            TooLate: none came in `limit_s` seconds.
        """
        assert self._process.stdout is not None
        deadline = time.monotonic() + limit_s
        while b"\n" not in self._buffer:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._process.stdout], [], [], left)[0]:
                raise TooLate
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                return {"error": self._last_words()}
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def kill(self) -> None:
        """End it now; what it sent stays sent."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _last_words(self) -> str:
        code = self._process.wait()
        self._stderr.seek(0)
        lines = self._stderr.read()[-2000:].decode(errors="replace").strip().splitlines()
        said = f", saying: {plain(lines[-1])}" if lines else ""
        return str(trouble(self._target.uri, f"ended the process that talks to it (exit code {code}){said}"))

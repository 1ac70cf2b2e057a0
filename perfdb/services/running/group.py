"""`python -m perfdb.services.running.group`: start the parts that PERFDB_SERVICE_PARTS lists, and see to them.

It tells what happens as JSON lines on standard output:

    {"event": "started", "part": "backend-1", "pid": 4711}
    {"event": "ended", "part": "backend-1", "code": -9}

A part that ends is started again, as a cluster's own keeper would do it; one that ends again and again is given up, and the
end of one that may not be started again ends all.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from typing import Any

from perfdb.services.lifeline import PARENT, die_with_parent
from perfdb.services.limits import raise_file_limit

PARTS = "PERFDB_SERVICE_PARTS"
# A part that ended so often within that time can't be helped.
_GIVEN_UP_AFTER = 5
_WITHIN_S = 60.0
_GRACE_S = 5.0
_HEARD = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}


class _Part:
    """One program."""

    def __init__(self, name: str, argv: list[str], restart_s: float | None) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self.restart_at: float | None = None
        self._argv = argv
        self._restart_s = restart_s
        self._ends: deque[float] = deque(maxlen=_GIVEN_UP_AFTER)

    def start(self) -> None:
        self.restart_at = None
        environment = {name: value for name, value in os.environ.items() if name != PARTS}
        self.process = subprocess.Popen(
            self._argv,
            env=environment | {PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=2,  # ours is for events
            preexec_fn=_unblock,  # noqa: PLW1509 (there is one thread)
        )
        _tell("started", self.name, pid=self.process.pid)

    def look(self) -> bool:
        """Whether all is well, or will be."""
        if self.process is None or (code := self.process.poll()) is None:
            return True
        self.process = None
        _tell("ended", self.name, code=code)
        now = time.monotonic()
        self._ends.append(now)
        if self._restart_s is None:
            return False
        if len(self._ends) == _GIVEN_UP_AFTER and now - self._ends[0] < _WITHIN_S:
            _tell("given_up", self.name)
        else:
            self.restart_at = now + self._restart_s
        return True


def _unblock() -> None:
    """Signals that we block are heard by the programs that we start."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)


def _tell(event: str, part: str, **more: Any) -> None:
    # Nobody who listens: an error, and with it our end and that of all parts.
    os.write(1, json.dumps({"event": event, "part": part, **more}).encode() + b"\n")


def _see_to(parts: list[_Part]) -> int:
    for part in parts:
        part.start()
    while True:
        due = min((part.restart_at for part in parts if part.restart_at is not None), default=None)
        heard = signal.sigtimedwait(_HEARD, 3600.0 if due is None else max(0.0, due - time.monotonic()))
        if heard is not None and heard.si_signo != signal.SIGCHLD:
            return 0
        well = [part.look() for part in parts]  # each is looked at, whatever became of those before
        if not all(well):
            return 1
        for part in parts:
            if part.restart_at is not None and part.restart_at <= time.monotonic():
                part.start()


def _end(parts: list[_Part]) -> None:
    running = [part.process for part in parts if part.process is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + _GRACE_S
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> None:
    """See the module."""
    die_with_parent(os.getppid())
    raise_file_limit()  # the parts inherit it: Envoy needs two files a session
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    parts = [_Part(part["name"], part["argv"], part["restart_s"]) for part in json.loads(os.environ[PARTS])]
    code = 1
    try:
        code = _see_to(parts)
    finally:
        _end(parts)
    sys.exit(code)


if __name__ == "__main__":
    main()

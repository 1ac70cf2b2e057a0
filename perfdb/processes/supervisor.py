"""The program between perfdb and a child; `python -m perfdb.processes.supervisor` with a job on standard input.

It is kept small and light: it wakes for the child's lines and for nothing else, so that the measurement is left alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

import psutil

from perfdb.processes.event_log import EventLog
from perfdb.processes.lines import Lines
from perfdb.processes.tree import end
from perfdb.redaction import Identity, Redactor

PR_SET_CHILD_SUBREAPER = 36
# After the child itself is gone, its workers get this long to follow before they are told to.
SETTLE_S = 5.0
# What the child wrote last is read within this long, however much those it left behind go on to say.
DRAIN_S = 1.0
TERM_GRACE_S = 2.0


def role_of(command: str) -> str | None:
    """Which part of Parsl a command line is, None where it does not say."""
    if "process_worker_pool" in command:
        return "workers"
    return "interchange" if "interchange" in command else None


def cpu_by_role(main: int) -> dict[str, float]:
    """CPU seconds so far of every living process below us, by role.

    A process whose command line says nothing (a worker forked by its pool) plays its parent's role.
    """
    roles = {main: "main"}
    seconds: dict[str, float] = {}
    for process in psutil.Process().children(recursive=True):  # parents come before their children
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            inherited = roles.get(process.ppid(), "other")
            known = role_of(" ".join(process.cmdline())) or ("other" if inherited == "main" else inherited)
            role = roles.setdefault(process.pid, known)
            seconds[role] = seconds.get(role, 0.0) + times.user + times.system
    return {role: round(value, 3) for role, value in seconds.items()}


def adopt_orphans() -> None:
    """Have the kernel hand us the child's orphans, so that none escapes. Linux only; elsewhere the marker finds them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants() -> list[psutil.Process]:
    """Everything below us that still runs."""
    return [p for p in psutil.Process().children(recursive=True) if _running(p)]


def _running(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def reap() -> None:
    """Collect the orphans that ended. The child itself is left to Popen."""
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error, ChildProcessError):
            if process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)


class Supervision:
    """One child from start to end."""

    def __init__(self, job: dict[str, Any], commands: BinaryIO) -> None:
        self._job = job
        self._commands = commands
        here = Identity.here()
        self._redactor = Redactor(job["secrets"], replace(here, homes=(*here.homes, *job["homes"])))
        self._log = EventLog(job["log"], job["ballast"])
        self._sampled = re.compile(job["sample_on"]) if job["sample_on"] else None
        self._reason = "ended"
        self._hurry = False
        self._selector = selectors.DefaultSelector()
        self._open_streams = 0

    def run(self) -> None:
        """Start the child, see it to its end, and write down both and all that it says between."""
        job = self._job
        wake_in, wake_out = socket.socketpair()
        wake_out.setblocking(False)
        signal.set_wakeup_fd(wake_out.fileno(), warn_on_full_buffer=False)
        # A shell's `&` makes us ignore SIGINT, and Parsl's own clean-up answers to it. What is handled here, the child
        # gets back as it was meant to be.
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self._start_monotonic = time.monotonic()
        self._log.write({"event": "start", "at": datetime.now(UTC).isoformat(), "argv0": job["argv"][0]})
        try:
            self._child = subprocess.Popen(
                job["argv"],
                env=job["env"],
                cwd=job["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            why = self._redactor.text(str(error))
            self._log.write({"event": "line", "t": self._t(), "stream": "stderr", "text": why})
            self._exit(127)
            return
        for name in ("stdout", "stderr"):
            stream = getattr(self._child, name)
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, (name, Lines(self._redactor)))
            self._open_streams += 1
        self._selector.register(self._commands, selectors.EVENT_READ, "commands")
        self._selector.register(wake_in, selectors.EVENT_READ, "wake")
        self._watch(job["timeout_s"])
        self._end_the_rest()
        self._exit(self._child.wait())
        if self._reason == "abandoned" and job["when_abandoned"]:
            # Nobody else is left to take back what the child asked a scheduler for.
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(job["when_abandoned"], stdin=subprocess.DEVNULL, check=False, timeout=60)

    def _t(self) -> float:
        return round(time.monotonic() - self._start_monotonic, 6)

    def _watch(self, timeout_s: float | None) -> None:
        """Pass on the child's lines until it ends; see to it that it does."""
        deadline = None if timeout_s is None else self._start_monotonic + timeout_s
        kill_at: float | None = None
        while self._child.poll() is None:
            now = time.monotonic()
            until = min((moment for moment in (deadline, kill_at) if moment is not None), default=None)
            self._pump(None if until is None else max(0.0, until - now))
            now = time.monotonic()
            if self._reason == "ended" and deadline is not None and now >= deadline:
                self._reason, deadline = "timeout", None
            if self._reason != "ended" and kill_at is None:
                self._child.send_signal(signal.SIGINT)  # Parsl then cancels its blocks itself
                kill_at, deadline = now + self._job["grace_s"], None
            if kill_at is not None and (self._hurry or now >= kill_at):
                self._end_all()
                kill_at = now + TERM_GRACE_S
        drained = time.monotonic() + DRAIN_S
        while self._open_streams and time.monotonic() < drained and self._pump(0.2):
            pass

    def _end_all(self) -> None:
        """End the child and all below it. The child is left to Popen: whoever else waits for it takes its exit code."""
        with contextlib.suppress(ProcessLookupError):
            self._child.terminate()
        end([p for p in descendants() if p.pid != self._child.pid], grace_s=TERM_GRACE_S)
        try:
            self._child.wait(TERM_GRACE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()

    def _pump(self, timeout: float | None) -> bool:
        """Handle what there is; returns whether there was anything of the child's."""
        spoke = False
        for key, _ in self._selector.select(timeout):
            if key.data == "wake":
                signals = key.fileobj.recv(4096)  # type: ignore[union-attr]
                if self._reason == "ended" and (signal.SIGTERM in signals or signal.SIGHUP in signals):
                    self._reason = "stopped"
            elif key.data == "commands":
                order = os.read(self._commands.fileno(), 4096)
                self._hurry = self._reason != "ended"
                if self._reason == "ended":
                    self._reason = "stopped" if order else "abandoned"
                if not order:
                    self._selector.unregister(self._commands)
            else:
                spoke |= self._read(key)
        return spoke

    def _read(self, key: selectors.SelectorKey) -> bool:
        name, lines = key.data
        t = self._t()
        try:
            data = os.read(key.fd, 65536)
        except BlockingIOError:
            return False
        for text in lines.feed(data) if data else lines.close():
            self._line(t, name, text)
        if not data:
            self._selector.unregister(key.fileobj)
            self._open_streams -= 1
        return True

    def _line(self, t: float, stream: str, text: str) -> None:
        event: dict[str, Any] = {"event": "line", "t": t, "stream": stream, "text": text}
        marks = self._sampled is not None and self._sampled.match(text) is not None
        if marks:
            event["cpu"] = cpu_by_role(self._child.pid)
        self._log.write(event, durable=marks)

    def _end_the_rest(self) -> None:
        """Workers that outlive the child: let them finish, then end them."""
        deadline = time.monotonic() + (SETTLE_S if self._reason == "ended" else 0.0)
        while left := descendants():
            if time.monotonic() >= deadline:
                end(left, grace_s=TERM_GRACE_S)
            else:
                psutil.wait_procs(left, timeout=0.1)
            reap()
        reap()

    def _exit(self, code: int) -> None:
        used = os.times()
        event = {"event": "exit", "t": self._t(), "code": code, "reason": self._reason}
        self._log.write(event | {"cpu_s": round(used.children_user + used.children_system, 3)}, durable=True)


def main() -> None:
    """Read one job, see it through."""
    adopt_orphans()
    commands = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    # Unbuffered: what comes right behind it, a `stop`, is left for the supervision to read.
    order = commands.readline()
    if not order.endswith(b"\n"):
        sys.exit(0)  # perfdb died before it had told us everything
    Supervision(json.loads(order), commands).run()


if __name__ == "__main__":
    main()

"""The supervisors that live, by their jobs: begun through the fork server, or found again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from perfdb.minislurm import process
from perfdb.minislurm.supervisor.launcher import Launcher
from perfdb.minislurm.supervisor.order import Order


@dataclass(frozen=True)
class Alive:
    """One supervisor. `pidfd` is ours to close."""

    attempt: int
    pid: int
    pidfd: int


class Supervisors:
    """All of them. The event loop tells of what becomes of them."""

    def __init__(
        self,
        log: Path,
        begun: Callable[[int, int], None],
        gone: Callable[[int, int], None],
        unheard: Callable[[int, int], None],
    ) -> None:
        """Start the fork server.

        Args:
            log: Where it complains.
            begun: Called with job and attempt once its supervisor is known.
            gone: Called with job and attempt once its supervisor has ended.
            unheard: Called with job and attempt when the fork server was lost: whether it runs, its journal knows.

        Raises:
            OSError: it could not be started.
        """
        self._log = log
        self._begun = begun
        self._gone = gone
        self._unheard = unheard
        self._loop = asyncio.get_running_loop()
        self._alive: dict[int, Alive] = {}
        self._launcher: Launcher | None = None
        # A descriptor for each job and each client: a thousand, as a shell gives us, is soon too few.
        self._limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (self._limits[1], self._limits[1]))
        self._launch()

    def send(self, order: Order) -> None:
        """Have it run.

        Raises:
            OSError: there is no fork server, and none can be had now.
        """
        launcher = self._launcher or self._launch()
        launcher.send(order)
        if launcher.is_lost:
            self._replace(launcher)
        elif launcher.unsent:
            self._loop.add_writer(launcher.fileno(), self._flush, launcher)

    def adopt(self, job: int, attempt: int, pid: int, ticks: int) -> bool:
        """Watch one that was begun by another daemon; False where it is gone."""
        pidfd = process.open_process(pid, ticks)
        if pidfd is None:
            return False
        self._watch(job, Alive(attempt, pid, pidfd))
        return True

    def pid_of(self, job: int) -> int | None:
        """The process id of its supervisor; None where none is known."""
        found = self._alive.get(job)
        return found.pid if found else None

    def end(self, job: int) -> None:
        """Tell its supervisor to end the job, if there is one."""
        found = self._alive.get(job)
        if found:
            # Where it has ended, we are about to be told.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(found.pidfd, signal.SIGTERM)

    def close(self) -> None:
        """Let go of all of them. They live on."""
        if self._launcher:
            self._forget(self._launcher)
            self._launcher.close()
            self._launcher = None
        for job in list(self._alive):
            self._unwatch(job)

    def _launch(self) -> Launcher:
        launcher = self._launcher = Launcher(self._log)
        with contextlib.suppress(ProcessLookupError):  # ended already: we are about to be told
            # Jobs have the limit that we were started with.
            resource.prlimit(launcher.pid, resource.RLIMIT_NOFILE, self._limits)
        self._loop.add_reader(launcher.fileno(), self._receive, launcher)
        return launcher

    def _receive(self, launcher: Launcher) -> None:
        for job, attempt, pid, pidfd in launcher.received():
            self._watch(job, Alive(attempt, pid, pidfd))
            self._begun(job, attempt)
        if launcher.is_lost:
            self._replace(launcher)

    def _flush(self, launcher: Launcher) -> None:
        launcher.flush()
        if not launcher.unsent:
            self._loop.remove_writer(launcher.fileno())
        if launcher.is_lost:
            self._replace(launcher)

    def _replace(self, launcher: Launcher) -> None:
        """The next order starts another: one that dies at once must not keep us busy."""
        if self._launcher is not launcher:
            return
        self._forget(launcher)
        self._launcher = None
        unheard = launcher.unanswered
        launcher.close()
        for job, attempt in unheard:
            self._unheard(job, attempt)

    def _forget(self, launcher: Launcher) -> None:
        self._loop.remove_reader(launcher.fileno())
        self._loop.remove_writer(launcher.fileno())

    def _watch(self, job: int, alive: Alive) -> None:
        self._unwatch(job)
        self._alive[job] = alive
        self._loop.add_reader(alive.pidfd, self._ended, job, alive)

    def _unwatch(self, job: int) -> None:
        found = self._alive.pop(job, None)
        if found:
            self._loop.remove_reader(found.pidfd)
            os.close(found.pidfd)

    def _ended(self, job: int, alive: Alive) -> None:
        self._unwatch(job)
        self._gone(job, alive.attempt)

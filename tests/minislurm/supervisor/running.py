"""Orders given to a real fork server, and what becomes of them."""

from __future__ import annotations

import itertools
import os
import select
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from perfdb.minislurm import enforcement
from perfdb.minislurm.supervisor import journal
from perfdb.minislurm.supervisor.launcher import Launcher, Supervised
from perfdb.minislurm.supervisor.order import Order

DEADLINE_S = 60.0
T = TypeVar("T")


def until(condition: Callable[[], T]) -> T:
    """What `condition` says once it says something true; looked at every few milliseconds."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not (found := condition()):
        assert time.monotonic() < deadline_s, "it never came to that"
        time.sleep(0.005)
    return found


def cgroups(group: str) -> list[str]:
    """The folders of that name among the cgroups, of which others come and go meanwhile."""
    return [folder for folder, _, _ in os.walk("/sys/fs/cgroup") if Path(folder).name == group]


class Running:
    """A fork server with a folder for what its jobs leave."""

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.folder = folder
        self.enforcement = enforcement.strongest() if name is None else enforcement.by_name(name)
        self.launcher = Launcher(folder / "log")
        self.groups: list[str] = []
        self._numbers = itertools.count(1)
        self._begun: dict[int, Supervised] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.launcher.close()
        for group in self.groups:
            enforcement.end_all(group)
        for supervised in self._begun.values():
            if supervised.pidfd >= 0:
                os.close(supervised.pidfd)

    def order(self, *argv: str, **changes: Any) -> Order:
        """Not sent yet."""
        job = next(self._numbers)
        group = f"mini-slurm.test.{uuid.uuid4().hex[:12]}"
        self.groups.append(group)
        fields: dict[str, Any] = {
            "job": job,
            "attempt": 1,
            "argv": argv,
            "env": {"PATH": os.environ["PATH"], enforcement.MARK: group},
            "cwd": str(self.folder),
            "stdout": str(self.folder / f"{job}.out"),
            "stderr": str(self.folder / f"{job}.err"),
            "journal": str(self.folder / f"{job}.journal"),
            "cpu_ids": tuple(sorted(os.sched_getaffinity(0))),
            "memory_mb": 512,
            "limit_s": None,
            "grace_s": 30.0,
            "enforcement": self.enforcement.name,
            "group": group,
        }
        return Order(**fields | changes)

    def start(self, order: Order) -> Supervised:
        """Send it, and hear of its supervisor."""
        self.launcher.send(order)
        while self.launcher.unsent:
            select.select([], [self.launcher], [])
            self.launcher.flush()
        while order.job not in self._begun:
            assert select.select([self.launcher], [], [], DEADLINE_S)[0], "the fork server does not answer"
            self._begun |= {each.job: each for each in self.launcher.received()}
            assert not self.launcher.is_lost
        return self._begun[order.job]

    def journal(self, order: Order) -> journal.Journal:
        return journal.read(Path(order.journal)) or journal.Journal()

    def until_started(self, order: Order) -> int:
        """The pid of the job's first process, once its program runs."""
        pid = until(lambda: (started := self.journal(order).started) and started.pid)
        assert pid is not None
        until(lambda: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0] != self._fork_servers_word())
        return pid

    def _fork_servers_word(self) -> bytes:
        return Path(f"/proc/{self.launcher.pid}/cmdline").read_bytes().split(b"\0")[0]

    def wait(self, order: Order) -> journal.Exit:
        """How it ended, once its supervisor has."""
        supervised = self._begun[order.job]
        assert select.select([supervised.pidfd], [], [], DEADLINE_S)[0], "the supervisor does not end"
        ended = self.journal(order).exit
        assert ended is not None, (self.folder / "log").read_text()
        return ended

    def until_over(self) -> None:
        """All supervisors that were begun so far have ended."""
        for supervised in self._begun.values():
            assert select.select([supervised.pidfd], [], [], DEADLINE_S)[0], "the supervisor does not end"

    def run(self, *argv: str, **changes: Any) -> journal.Exit:
        order = self.order(*argv, **changes)
        self.start(order)
        return self.wait(order)

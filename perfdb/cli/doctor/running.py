"""Looking at many things at once, none of which can hold up the others."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from perfdb.cli.doctor.here import Here, end
from perfdb.cli.doctor.point import Point
from perfdb.errors import PerfdbError
from perfdb.settings import Settings

EACH_S = 2.0
# More would have them wait for one another's CPU.
AT_ONCE = 5


@dataclass(frozen=True)
class Check:
    """One thing to look at, apart from all others.

    Attributes:
        topic: What a person types to have only this looked at; several checks may share one.
        name: Its line's, where it hangs or fails.
        needed_for: As of a `Point`.
        look: Yields what it finds.
        wanted: Whether it is to be fixed that the check hangs or fails: where only a folder that is gone can hold it up.
    """

    topic: str
    name: str
    needed_for: str
    look: Callable[[Here], Iterator[Point]]
    wanted: bool = False

    def failed(self, found: str, fix: str) -> Point:
        """The line that tells so."""
        return Point(self.name, "fix" if self.wanted else "note", found, self.needed_for, fix)


@dataclass
class _Look:
    """One that was begun. What it has found stays, should it hang afterwards."""

    check: Check
    here: Here
    ends: queue.Queue[_Look]
    found: list[Point] = field(default_factory=list)
    over: bool = False

    def go(self) -> None:
        try:
            for point in self.check.look(self.here):
                self.found.append(point)
        except PerfdbError as error:
            what, _, next_ = str(error).partition(". ")
            self.found.append(
                self.check.failed(what, next_ or f"perfdb doctor {self.check.topic}, once that is mended")
            )
        except PermissionError as error:
            closed = "have its owner let you, or set PERFDB_REGISTRY, PERFDB_STATE_DIR to folders of yours"
            self.found.append(self.check.failed(f"{error.filename} may not be looked into", closed))
        except Exception as error:  # noqa: BLE001 whatever it is, the other checks go on
            told = " ".join(str(error).split())[:300]
            again = f"perfdb doctor {self.check.topic}; if it stays so, it is a fault of perfdb's: please report it"
            self.found.append(self.check.failed(f"the check failed: {type(error).__name__}: {told}", again))
        self.over = True
        self.ends.put(self)

    def result(self) -> list[Point]:
        points = list(self.found)
        if not self.over:
            again = f"perfdb doctor {self.check.topic}, once the machine has less to do; else see what it waits for"
            points.append(self.check.failed("the check hung, and was left behind", again))
        return points


def examine(checks: Sequence[Check], settings: Settings, *, each_s: float = EACH_S) -> list[Point]:
    """Everything that the checks find, in their order.

    A check that raises or hangs is one line that says so. One that hangs is left behind in its thread, which ends with
    the process; programs that it began are ended.

    Args:
        each_s: Seconds that a check may take, > 0. All take at most this times the number of checks over `AT_ONCE`,
            rounded up.
    """
    begun: set[subprocess.Popen[bytes]] = set()
    looks: list[_Look] = []
    running: list[_Look] = []
    ends: queue.Queue[_Look] = queue.Queue()
    results: dict[int, list[Point]] = {}
    try:
        while running or len(looks) < len(checks):
            while len(running) < AT_ONCE and len(looks) < len(checks):
                look = _Look(checks[len(looks)], Here(settings, time.monotonic() + each_s, begun), ends)
                threading.Thread(target=look.go, daemon=True).start()
                looks.append(look)
                running.append(look)
            with contextlib.suppress(queue.Empty):  # somebody is late
                ends.get(timeout=max(0.0, min(look.here.deadline_s for look in running) - time.monotonic()))
            for look in [look for look in running if look.over or look.here.deadline_s <= time.monotonic()]:
                running.remove(look)
                results[id(look)] = look.result()
    finally:  # after Ctrl-C too, of which nobody hears who has a session of his own
        for process in list(begun):
            end(process)
    return [point for look in looks for point in results[id(look)]]

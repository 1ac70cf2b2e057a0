"""A service that runs below a supervisor: what its parts do, as seen from perfdb."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from perfdb.errors import ServiceError
from perfdb.processes.log import Exit, Line
from perfdb.processes.supervised import ChildJob, Supervised
from perfdb.processes.tree import MARKER
from perfdb.services.running.group import PARTS

_TICK_S = 0.2
_LAST_WORDS = 6


@dataclass(frozen=True)
class Part:
    """One program of a service.

    Attributes:
        name: What it is called where it is spoken of.
        argv: The command.
        restart_s: Seconds after its end at which it is started again; None where its end is the service's.
    """

    name: str
    argv: tuple[str, ...]
    restart_s: float | None


class Service:
    """A running service. As a context it never leaves a process behind.

    Attributes:
        pids: Each part's process now; those that ended are not in it.
        restarted: Called when a part was started again.
    """

    def __init__(self, parts: Iterable[Part], log: Path, say: Callable[[str], None]) -> None:
        """Start it.

        Args:
            parts: Its programs, in the order of their start.
            log: Where the supervisor notes what they say; not there yet.
            say: Told of parts that end and of what they print.
        """
        self.pids: dict[str, int] = {}
        self.restarted: Callable[[], None] = lambda: None
        self._say = say
        self._words: list[str] = []
        self._ended: dict[str, str] = {}  # by part, what is told of its end
        self._ready = False
        told = json.dumps([{"name": part.name, "argv": part.argv, "restart_s": part.restart_s} for part in parts])
        job = ChildJob(
            name="service",
            argv=(sys.executable, "-P", "-m", "perfdb.services.running.group"),
            env={**os.environ, PARTS: told, MARKER: f"serve-{uuid.uuid4().hex}"},
            cwd=Path.cwd(),
        )
        self._child = Supervised(job, log)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.stop()
        with contextlib.suppress(ServiceError):
            while self._hear(None):
                pass
        self._child.__exit__(kind, error, trace)

    def wait_until(self, ready: Callable[[], str | None], patience_s: float) -> None:
        """Return once `ready` has nothing to object.

        Args:
            ready: What is not ready yet, in a few words, or None.
            patience_s: Seconds.

        Raises:
            ServiceError: a part ended, or it took too long.
        """
        deadline = time.monotonic() + patience_s
        while (objection := ready()) is not None:
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"the service was not ready within {patience_s:g} s: {objection}. {self._last_words()}"
                )
            self._hear(_TICK_S)
        self._ready = True

    def watch(self) -> None:
        """Tell what happens, for ever.

        Raises:
            ServiceError: the service ended.
        """
        while self._hear(None):
            pass

    def _hear(self, tick_s: float | None) -> bool:
        events = self._child.read(tick_s)
        if events is None:
            what = ", ".join(self._ended.values())
            raise ServiceError(f"the service ended by itself{what and f': {what}'}. {self._last_words()}")
        for event in events:
            if isinstance(event, Exit):
                self._ended = self._ended or {"": f"its keeper ended with code {event.code}"}
            elif event.stream == "stdout":
                self._happened(event)
            else:
                self._words.append(event.text)
                self._say(event.text)
        del self._words[:-_LAST_WORDS]
        return True

    def _happened(self, line: Line) -> None:
        try:
            told = json.loads(line.text)
            event, part = told["event"], str(told["part"])
        except (ValueError, KeyError, TypeError):
            return
        if event == "started":
            self.pids[part] = int(told["pid"])
            self._ended.pop(part, None)
            if self._ready:
                self._say(f"{part} was started again, as process {self.pids[part]}")
                self.restarted()
        elif event == "ended":
            self.pids.pop(part, None)
            said = self._ended[part] = f"{part} ended with code {told['code']}"
            self._say(said)
            if not self._ready:
                raise ServiceError(f"{said} before it was ready. {self._last_words()}")
        elif event == "given_up":
            self._say(f"{part} ends again and again and is not started any more")

    def _last_words(self) -> str:
        said = [text.strip() for text in self._words if text.strip()]
        return "It said last: " + " | ".join(said) if said else "It said nothing."

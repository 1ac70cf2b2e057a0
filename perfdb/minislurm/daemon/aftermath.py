"""What is done after a commit, and done again where it fails: a full disk has room again some time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from perfdb.minislurm.daemon.resizing import Resizing
from perfdb.minislurm.places import Places
from perfdb.minislurm.states import State
from perfdb.minislurm.store.promise import Promise

_RETRY_S = 1.0


class Aftermath:
    """Each deed may be done any number of times.

    Files are removed in a thread: on a busy disk that takes milliseconds, in which the next job could start.
    """

    def __init__(self, places: Places, resizing: Resizing, loop: asyncio.AbstractEventLoop) -> None:
        self._places = places
        self._resizing = resizing
        self._loop = loop
        self._undone: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._remover = ThreadPoolExecutor(max_workers=1)

    def do(self, deed: Callable[[], None]) -> None:
        """Do it; each second again, until it raises no OSError."""
        try:
            deed()
        except OSError:
            self._undone.append(deed)
            if self._timer is None:
                self._timer = self._loop.call_later(_RETRY_S, self._again)

    def clean_up(self, promise: Promise, state: State | None) -> None:
        """Leave of an attempt what stays: nothing, or the control file with the job's end.

        Args:
            state: How the job ended; None where it waits again.
        """
        self._resizing.forget(promise.id)
        self.do(partial(self._clean_up, promise, state))

    def close(self) -> None:
        """The next daemon does the rest."""
        if self._timer:
            self._timer.cancel()
        self._remover.shutdown(cancel_futures=True)

    def _again(self) -> None:
        self._timer = None
        undone, self._undone = self._undone, []
        for deed in undone:
            self.do(deed)

    def _clean_up(self, promise: Promise, state: State | None) -> None:
        if promise.is_elastic and state is not None:
            self._resizing.write_control(promise, "COMPLETED" if state == State.COMPLETED else "FAILED")
        paths = [self._places.answer(promise.id)] if promise.is_elastic and state is not None else []
        # The journal last of all: while it is there, the next daemon does all of this again.
        paths.append(self._places.journal(promise.id, promise.attempt))
        self._remover.submit(_remove, paths)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            if not is_fence(path):
                path.unlink()


def is_fence(path: Path) -> bool:
    """Whether that journal keeps an attempt from running. Somebody may still come who was told to run it."""
    try:
        return b'"fenced"' in path.read_bytes()[:100]
    except FileNotFoundError:
        return False

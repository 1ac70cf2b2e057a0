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
from perfdb.minislurm.supervisor import journal

_RETRY_S = 1.0
# Files of one or two blocks each.
_MOST_UNNEEDED = 10_000


class Aftermath:
    """Each deed may be done any number of times.

    Files of jobs that ended are removed once nothing runs, and in a thread: on some file systems each removal costs
    milliseconds, and makes the next files dearer too (ext4 looks through what was removed of late before it makes one).
    """

    def __init__(self, places: Places, resizing: Resizing, loop: asyncio.AbstractEventLoop) -> None:
        self._places = places
        self._resizing = resizing
        self._loop = loop
        self._undone: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._remover = ThreadPoolExecutor(max_workers=1)
        self._unneeded: list[Path] = []
        self._is_closed = False

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

    def tidy_up(self, *, nothing_runs: bool) -> None:
        """Remove what is not needed any more, if nobody is kept waiting by that or it has become too much."""
        if self._unneeded and (nothing_runs or len(self._unneeded) >= _MOST_UNNEEDED):
            self._remover.submit(self._remove, self._unneeded)
            self._unneeded = []

    def close(self) -> None:
        """The next daemon does the rest."""
        if self._timer:
            self._timer.cancel()
        self._is_closed = True
        self._remover.shutdown(cancel_futures=True)

    def _again(self) -> None:
        self._timer = None
        undone, self._undone = self._undone, []
        for deed in undone:
            self.do(deed)

    def _clean_up(self, promise: Promise, state: State | None) -> None:
        if promise.is_elastic and state is not None:
            self._resizing.write_control(promise, "COMPLETED" if state == State.COMPLETED else "FAILED")
            self._unneeded.append(self._places.answer(promise.id))
        # The journal last of all: while it is there, the next daemon does all of this again.
        self._unneeded.append(self._places.journal(promise.id, promise.attempt))

    def _remove(self, paths: list[Path]) -> None:
        for path in paths:
            if self._is_closed:
                return
            with contextlib.suppress(OSError):
                if not is_fence(path):
                    path.unlink()


def is_fence(path: Path) -> bool:
    """Whether that journal keeps an attempt from running. Somebody may still come who was told to run it."""
    said = journal.read(path)
    return said is not None and said.is_fenced

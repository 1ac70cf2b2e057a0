"""The jobs that wait, in the order in which they came. Pure.

Backfill looks at every job that waits, at every event: the numbers that it looks at lie in arrays, which numpy goes through at
once. A job that leaves becomes a gap, and gaps are closed when they are the greater part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GONE = np.iinfo(np.int64).max


class Queue:
    """Jobs, named by their places in the list; they come in the order of those."""

    def __init__(self, nodes: Sequence[int], limits_ns: Sequence[int]) -> None:
        """Args: nodes, limits_ns: What the jobs of the list ask for."""
        self._asked, self._limits_asked = nodes, limits_ns
        self._jobs = np.zeros(1024, np.int64)
        self._nodes = np.zeros(1024, np.int64)
        self._limits = np.zeros(1024, np.int64)
        self._begin = self._end = self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        """From the first to the last; nothing may be removed or appended meanwhile."""
        for place in range(self._begin, self._end):
            if self._nodes[place] != _GONE:
                yield int(self._jobs[place])

    def append(self, job: int) -> None:
        """It waits from now on."""
        if self._end == len(self._jobs):
            self._rebuild()
        self._jobs[self._end] = job
        self._nodes[self._end] = self._asked[job]
        self._limits[self._end] = self._limits_asked[job]
        self._end += 1
        self._count += 1

    def remove(self, job: int) -> None:
        """It waits no longer."""
        self._nodes[self._place(job)] = _GONE
        self._count -= 1
        while self._begin < self._end and self._nodes[self._begin] == _GONE:
            self._begin += 1
        if self._end - self._begin > 2 * self._count + 64:
            self._rebuild()

    def allowed_behind(self, head: int, free: int, window_ns: int, spare: int) -> list[int]:
        """Those behind `head` that ask for at most `free` nodes, and are over within `window_ns` or ask for at most `spare`."""
        window = slice(self._place(head) + 1, self._end)
        nodes, limits = self._nodes[window], self._limits[window]
        if spare >= free:
            return self._picked(window, nodes <= free)
        return self._picked(window, (nodes <= spare) | ((nodes <= free) & (limits <= window_ns)))

    def _picked(self, window: slice, which: NDArray[np.bool_]) -> list[int]:
        # `any` ends at the first, and mostly there is none.
        found: list[int] = self._jobs[window][which].tolist() if which.any() else []
        return found

    def _place(self, job: int) -> int:
        return self._begin + int(np.searchsorted(self._jobs[self._begin : self._end], job))

    def _rebuild(self) -> None:
        """Close the gaps, and leave as much room again."""
        window = slice(self._begin, self._end)
        stays = self._nodes[window] != _GONE
        size = max(1024, 2 * self._count)
        for name in ("_jobs", "_nodes", "_limits"):
            old = getattr(self, name)
            new = np.zeros(size, np.int64)
            new[: self._count] = old[window][stays]
            setattr(self, name, new)
        self._begin, self._end = 0, self._count

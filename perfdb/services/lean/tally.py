"""What a lean server counts, over all its workers.

Each worker writes its own row of a shared table and reads the others': no lock, and no message while something is measured.
"""

from __future__ import annotations

import mmap
from typing import Final

_FIELDS: Final = (
    "connections_open",
    "sessions_open",
    "sessions_peak",
    "sessions_total",
    "sessions_refused",
    "steps_in_flight",
    "steps_peak",
    "steps_total",
    "steps_delayed",
    "requests_total",
    "answered_503",
    "step_late_max_us",
    "step_late_sum_us",
    "loop_late_max_us",
    "cpu_us",
    "memory_bytes",
    "threads",
    "processes",
)
_AT = {name: number for number, name in enumerate(_FIELDS)}
# Those that a reset leaves alone: what is open stays open.
_STANDING = ("connections_open", "sessions_open", "steps_in_flight", "cpu_us", "memory_bytes", "threads", "processes")


class Tally:
    """The table. It is made before the workers are forked, and each then takes its own row with `mine`."""

    def __init__(self, workers: int) -> None:
        self._cells = memoryview(mmap.mmap(-1, workers * len(_FIELDS) * 8)).cast("q")
        self._workers = workers
        self._row = 0

    def mine(self, worker: int) -> None:
        """Count into that row from now on."""
        self._row = worker * len(_FIELDS)

    def add(self, field: str, by: int = 1) -> None:
        """Count so many more."""
        self._cells[self._row + _AT[field]] += by

    def put(self, field: str, value: int) -> None:
        """Have it be that."""
        self._cells[self._row + _AT[field]] = value

    def at_least(self, field: str, value: int) -> None:
        """Have it be no less than that."""
        at = self._row + _AT[field]
        self._cells[at] = max(self._cells[at], value)

    def session(self, by: int) -> None:
        """A session was opened (1) or closed (-1)."""
        self.add("sessions_open", by)
        if by > 0:
            self.add("sessions_total")
            # Of all workers together: the sum of their own peaks may never have stood at one time.
            self.at_least("sessions_peak", self.total("sessions_open"))

    def step(self, by: int) -> None:
        """A step began (1) or ended (-1)."""
        self.add("steps_in_flight", by)
        if by > 0:
            self.at_least("steps_peak", self.total("steps_in_flight"))
        else:
            self.add("steps_total")

    def total(self, field: str) -> int:
        """Over all workers: the largest of a peak, the sum of anything else."""
        cells = self._cells[_AT[field] :: len(_FIELDS)]
        if self._workers == 1:
            return cells[0]
        return max(cells) if field.endswith("_peak") or "_max_" in field else sum(cells)

    def reset(self) -> None:
        """Forget what was counted; the peaks become what is open now."""
        for name in set(_FIELDS) - set(_STANDING):
            for worker in range(self._workers):
                self._cells[worker * len(_FIELDS) + _AT[name]] = 0
        self.at_least("sessions_peak", self.total("sessions_open"))
        self.at_least("steps_peak", self.total("steps_in_flight"))

    def told(self) -> dict[str, int | float]:
        """All of it.

        A step's lateness is that of its answer behind its wait and planned delay, from when the step was read: the least
        that the server can have added to a latency, for what comes in and goes out waits besides, unseen. The loop's is
        how late a worker's ticker of 10 ms was: while it stood, nothing was read or answered.
        """
        counts: dict[str, int | float] = {name: self.total(name) for name in _FIELDS if not name.endswith("_us")}
        steps = self.total("steps_total")
        return counts | {
            "step_late_max_s": self.total("step_late_max_us") / 1e6,
            "step_late_mean_s": self.total("step_late_sum_us") / 1e6 / steps if steps else 0.0,
            "loop_late_max_s": self.total("loop_late_max_us") / 1e6,
            "cpu_s": self.total("cpu_us") / 1e6,
        }

"""What a benchmark found, beside the bounds that it states."""

from __future__ import annotations

import ctypes
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True)
class Figure:
    """One of them.

    Attributes:
        bound: What it is held to, in its own unit; None where it only stands beside others.
        sense: Whether the bound is the least or the most that it may be.
        says: What else is to be known of it.
    """

    name: str
    value: float
    unit: str
    bound: float | None = None
    sense: Literal["least", "most"] = "most"
    says: str = ""

    @property
    def is_met(self) -> bool:
        """Whether it keeps to its bound; one without a bound does."""
        if self.bound is None:
            return True
        return self.value >= self.bound if self.sense == "least" else self.value <= self.bound

    def line(self) -> str:
        """For people."""
        verdict = ""
        if self.bound is not None:
            verdict = f"at {self.sense} {self.bound:g}: {'met' if self.is_met else 'NOT MET'}"
        return f"{self.name:52} {self.value:9.3f} {self.unit:12} {verdict:20} {self.says}".rstrip()


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that at least `percent` % of them are not above: the nearest rank, no interpolation."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def cpu_s(pid: int) -> float:
    """CPU seconds, the user's and the system's, of a process that lives and all its threads; in nanoseconds, not ticks.

    Raises:
        ProcessLookupError: there is no such process.
    """
    clock = ctypes.c_int()
    error = _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise OSError(error, os.strerror(error))
    return time.clock_gettime(clock.value)

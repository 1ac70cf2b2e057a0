"""The two clocks, behind one door."""

from __future__ import annotations

import time

from perfdb.minislurm.process import boot_id


class Clock:
    """The real ones. A test's own may make the wall clock jump."""

    @property
    def boot(self) -> str:
        """Names the boot: `ns` of two boots have nothing to do with each other."""
        return boot_id()

    def ns(self) -> int:
        """CLOCK_MONOTONIC in nanoseconds: what is subtracted."""
        return time.monotonic_ns()

    def at(self) -> float:
        """The wall clock, in seconds since 1970: what people are told."""
        return time.time()

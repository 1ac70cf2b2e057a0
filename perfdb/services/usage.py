"""What a server's processes use, for it to tell whoever measures it from another machine."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """Of several processes together; memory that they share counts in each.

    Attributes:
        cpu_s: CPU seconds of those that run now, since each one's start.
        memory_bytes: Resident.
        threads: Of the operating system.
        processes: How many.
    """

    cpu_s: float
    memory_bytes: int
    threads: int
    processes: int


def usage(top: int | None = None) -> Usage:
    """What the process `top` and all below it use; this one alone where none is named."""
    import psutil

    found = [psutil.Process(os.getpid() if top is None else top)]
    if top is not None:
        found += found[0].children(recursive=True)
    cpu_s, memory, threads, count = 0.0, 0, 0, 0
    for process in found:
        with contextlib.suppress(psutil.Error), process.oneshot():  # it may be gone by now
            times = process.cpu_times()
            memory += process.memory_info().rss
            threads += process.num_threads()
            cpu_s += times.user + times.system
            count += 1
    return Usage(cpu_s, memory, threads, count)

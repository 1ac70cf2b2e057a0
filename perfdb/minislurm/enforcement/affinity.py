"""Without a cgroup: the affinity of every thread, and a look at what the processes have in memory.

A job can undo the first, and is over its memory for a moment before the second is seen: it keeps jobs that mean no harm.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from perfdb.minislurm import process
from perfdb.minislurm.enforcement.enforcement import Means, Share, Watch

_PAGE_KB = os.sysconf("SC_PAGE_SIZE") >> 10


class Affinity(Means):
    """sched_setaffinity, which threads and processes that begin later inherit."""

    def __init__(self) -> None:
        self._own = os.sched_getaffinity(0)

    def join(self, share: Share) -> None:
        os.sched_setaffinity(0, share.cpu_ids)

    def leave(self) -> None:
        os.sched_setaffinity(0, self._own)

    def set_cpus(self, group: str, cpu_ids: Collection[int], supervisor_pid: int) -> bool:  # noqa: ARG002 # no group here
        done: set[int] = set()
        found = False
        # Again until a pass finds nothing new: a thread that was not set yet may have begun another meanwhile.
        while fresh := [thread for thread in _threads(supervisor_pid) if thread not in done]:
            found = True
            for thread in fresh:
                done.add(thread)
                try:
                    os.sched_setaffinity(thread, cpu_ids)
                except ProcessLookupError:
                    continue
        return found


class WatchedMemory(Means):
    """Looks at the resident memory of the job's processes while they run."""

    def watch(self, share: Share) -> Watch:
        return _Looks(share.memory_mb << 10, share.supervisor_pid)


class _Looks:
    fd: int | None = None
    mask = 0
    look_s: float | None = 0.1

    def __init__(self, limit_kb: int, supervisor_pid: int) -> None:
        self._limit_kb = limit_kb
        self._supervisor_pid = supervisor_pid
        self._peak_kb = 0

    def is_over(self) -> bool:
        pids = process.descendants(self._supervisor_pid)
        used_kb = sum(map(_resident_kb, pids))
        if used_kb > self._limit_kb:
            # Counts what processes share once; it takes too long to be asked each time.
            used_kb = sum(map(_share_kb, pids))
        self._peak_kb = max(self._peak_kb, used_kb)
        return used_kb > self._limit_kb

    def peak_kb(self) -> int:
        return self._peak_kb


def _threads(supervisor_pid: int) -> list[int]:
    found: list[int] = []
    for pid in process.descendants(supervisor_pid):
        try:
            found += map(int, os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 # names only
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _resident_kb(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_KB
    except (OSError, IndexError):
        return 0


def _share_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0

"""Processes told apart from others that get their number later, and whole trees of them: what /proc says.

A pid with its start time (`ticks`, clock ticks since the boot) and the boot's id names one process for ever.
"""

from __future__ import annotations

import functools
import os

# Of /proc/PID/stat, counted after the name in brackets, which may hold anything.
_STATE, _PARENT, _THREADS, _START = 0, 1, 17, 19

_PIDS = 2**31  # of the kernel's type for them


@functools.cache
def boot_id() -> str:
    """Names this boot of the machine."""
    return _read("/proc/sys/kernel/random/boot_id").decode().strip()


def start_ticks(pid: int) -> int | None:
    """When `pid` began, or None where no such process lives; one that ended and was not waited for does not live."""
    fields = _stat(pid)
    if not fields or fields[_STATE] == b"X":
        return None
    # A process whose first thread has ended looks as if all of it had, and goes on in its others.
    is_over = fields[_STATE] == b"Z" and int(fields[_THREADS]) <= 1
    return None if is_over else int(fields[_START])


def is_running(pid: int, ticks: int, boot: str) -> bool:
    """Whether that very process lives."""
    return pid > 0 and boot == boot_id() and start_ticks(pid) == ticks


def open_process(pid: int, ticks: int) -> int | None:
    """A pidfd of the process that began at `ticks`, None where it is gone. The caller closes it."""
    if not 0 < pid < _PIDS:
        return None
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return None
    # Looked at after it was opened: had the number passed to another meanwhile, the ticks would differ.
    if start_ticks(pid) == ticks:
        return pidfd
    os.close(pidfd)
    return None


def children(pid: int) -> list[int]:
    """Processes that `pid` is the parent of, whichever of its threads began them; ended ones too."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 # names only, and often
        found = [_read(f"/proc/{pid}/task/{thread}/children") for thread in threads]
    except FileNotFoundError:
        # Gone; or a kernel without that file (CONFIG_PROC_CHILDREN), where all processes are looked at.
        return [each for each in all_processes() if parent(each) == pid] if _stat(pid) else []
    except ProcessLookupError:
        return []
    return [int(child) for line in found for child in line.split()]


def descendants(pid: int) -> list[int]:
    """All processes below `pid`, parents first, ended ones that nobody has waited for left out."""
    found: list[int] = []
    below = children(pid)
    while below:
        found += below
        below = [child for each in below for child in children(each)]
    return [each for each in found if start_ticks(each) is not None]


def parent(pid: int) -> int | None:
    """The parent's pid, None where there is no process `pid`."""
    fields = _stat(pid)
    return int(fields[_PARENT]) if fields else None


def all_processes() -> list[int]:
    """Every process of this machine that we can see."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208 # names only


def _stat(pid: int) -> list[bytes] | None:
    try:
        return _read(f"/proc/{pid}/stat").rpartition(b") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _read(path: str) -> bytes:
    """A small file of the kernel's, whole, with three system calls."""
    file = os.open(path, os.O_RDONLY)
    try:
        parts = []
        while part := os.read(file, 1 << 16):
            parts.append(part)
            if len(part) < 4096:
                break
        return b"".join(parts)
    finally:
        os.close(file)

"""Telling a job by SIGUSR1, and only who takes it: the signal's default is to end a process."""

from __future__ import annotations

import os
import signal

from perfdb.minislurm import process


def tell(supervisor_pid: int, registered: tuple[int, int] | None = None) -> list[int]:
    """Send SIGUSR1 to those of a job's processes that take it.

    Args:
        supervisor_pid: The job's processes are those below it.
        registered: (pid, start ticks) of the process that said it takes the signal; it is believed where it is one of the
            job's and lives. Else the topmost processes that have a handler for it are told, and none below those: a shell
            in between has none, and is left alone.

    Returns:
        The pids that were told; empty where nobody takes it.
    """
    below = process.descendants(supervisor_pid)
    if registered is not None and registered[0] in below and _send(*registered):
        return [registered[0]]
    return [pid for pid in takers(supervisor_pid) if (ticks := process.start_ticks(pid)) and _send(pid, ticks)]


def takers(supervisor_pid: int) -> list[int]:
    """The topmost processes below it that have a handler for SIGUSR1."""
    found = []
    level = process.children(supervisor_pid)
    while level:
        takes = {pid: takes_it(pid) for pid in level}
        found += [pid for pid in level if takes[pid]]
        level = [child for pid in level if not takes[pid] for child in process.children(pid)]
    return found


def takes_it(pid: int) -> bool:
    """Whether that process has a handler for SIGUSR1."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:  # noqa: PTH123 # often, and quick
            for line in file:
                if line.startswith(b"SigCgt:"):
                    return bool(int(line.split()[1], 16) >> (signal.SIGUSR1 - 1) & 1)
    except OSError:
        pass
    return False


def _send(pid: int, ticks: int) -> bool:
    pidfd = process.open_process(pid, ticks)
    if pidfd is None:
        return False
    try:
        # A process that is becoming another program has lost its handlers by now; the next one is not ours to end.
        if not takes_it(pid):
            return False
        signal.pidfd_send_signal(pidfd, signal.SIGUSR1)
    except OSError:
        return False
    finally:
        os.close(pidfd)
    return True

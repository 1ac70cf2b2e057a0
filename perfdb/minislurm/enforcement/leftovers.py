"""Ending what is left of a job whose supervisor is gone."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from perfdb.minislurm import process
from perfdb.minislurm.enforcement import files

MARK = "MINI_SLURM_GROUP"


def end_all(group: str) -> int:
    """End every process of that group, wherever it is: those in a cgroup of its name, those that carry it in the
    environment they began with, and all below them; then its cgroups. The caller is never among them.

    Without a cgroup, one that has left its parents and changed its environment is not found.

    Returns:
        How many were ended.
    """
    ended: set[int] = set()
    folders: set[str] = set()
    # Again until a pass finds none: what is being ended may have begun others meanwhile.
    while found := _members(group, folders):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                ended.add(pid)
        time.sleep(0.001)
    for controller in ("cpuset", "memory", ""):
        own = files.of_process("self", controller)
        if own is not None and (base := files.folder(own, controller)):
            folders.add(f"{base}/{group}")
    for folder in folders:
        files.remove(folder)
    return len(ended)


def _members(group: str, folders: set[str]) -> list[int]:
    """Those that live; the cgroups that they are in are added to `folders`."""
    mark = f"{MARK}={group}".encode()
    found = []
    for pid in process.all_processes():
        if process.start_ticks(pid) is None:
            continue
        is_in = False
        for controller in ("cpuset", "memory", ""):
            path = files.of_process(pid, controller)
            if path is not None and path.rpartition("/")[2] == group:
                is_in = True
                if folder := files.folder(path, controller):
                    folders.add(folder)
        with contextlib.suppress(OSError):
            is_in = is_in or mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        if is_in:
            found += [pid, *process.descendants(pid)]
    return list(dict.fromkeys(each for each in found if each != os.getpid()))

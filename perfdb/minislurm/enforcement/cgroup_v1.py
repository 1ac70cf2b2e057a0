"""cgroup v1: cpuset for CPUs, memory for memory; a cgroup for each job, below our own of each controller.

Source: Documentation/admin-guide/cgroup-v1/{cpusets,memory}.rst of the kernel.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
from collections.abc import Collection
from pathlib import Path

from perfdb.minislurm.enforcement import files
from perfdb.minislurm.enforcement.enforcement import Means, Share, Watch


class CpusetV1(Means):
    """A job's CPUs. Its processes can't leave them, whatever affinity they ask for."""

    def __init__(self, base: str) -> None:
        """`base` is our own cgroup's folder."""
        self._base = base
        self._nodes = Path(base, "cpuset.effective_mems").read_text(encoding="ascii").strip()

    def make(self, share: Share) -> None:
        folder = f"{self._base}/{share.group}"
        _make_folder(folder)
        files.write(f"{folder}/cpuset.cpus", files.cpu_list(share.cpu_ids))
        files.write(f"{folder}/cpuset.mems", self._nodes)

    def join(self, share: Share) -> None:
        _move_to(f"{self._base}/{share.group}")

    def leave(self) -> None:
        _move_to(self._base)

    def set_cpus(self, group: str, cpu_ids: Collection[int], supervisor_pid: int) -> bool:
        folder = files.of_group(group, self._base, "cpuset", supervisor_pid)
        if folder is None:
            return False
        try:
            files.write(f"{folder}/cpuset.cpus", files.cpu_list(cpu_ids))
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENODEV):  # it ended this moment
                return False
            raise
        return True

    def remove(self, group: str) -> None:
        files.remove(f"{self._base}/{group}")


class MemoryV1(Means):
    """A job's memory, with its page cache, as the kernel counts it; swap is not extra where the kernel counts it too."""

    def __init__(self, base: str) -> None:
        """`base` is our own cgroup's folder."""
        self._base = base
        self._counts_swap = Path(base, "memory.memsw.limit_in_bytes").exists()

    def make(self, share: Share) -> None:
        folder = f"{self._base}/{share.group}"
        _make_folder(folder)
        files.write(f"{folder}/memory.limit_in_bytes", str(share.memory_mb << 20))
        if self._counts_swap:
            files.write(f"{folder}/memory.memsw.limit_in_bytes", str(share.memory_mb << 20))

    def join(self, share: Share) -> None:
        _move_to(f"{self._base}/{share.group}")

    def leave(self) -> None:
        _move_to(self._base)

    def watch(self, share: Share) -> Watch:
        return _Events(f"{self._base}/{share.group}")

    def remove(self, group: str) -> None:
        files.remove(f"{self._base}/{group}")


class _Events:
    """The kernel counts up an eventfd before it ends a process for its memory; the rest of the job is for us to end."""

    mask = select.POLLIN
    look_s: float | None = None

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.fd: int | None = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        control = os.open(f"{folder}/memory.oom_control", os.O_RDONLY | os.O_CLOEXEC)
        try:
            files.write(f"{folder}/cgroup.event_control", f"{self.fd} {control}")
        finally:
            os.close(control)

    def is_over(self) -> bool:
        assert self.fd is not None
        with contextlib.suppress(BlockingIOError):
            return os.eventfd_read(self.fd) > 0
        return False

    def peak_kb(self) -> int:
        file = os.open(f"{self._folder}/memory.max_usage_in_bytes", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return int(os.read(file, 64)) >> 10
        finally:
            os.close(file)


def _make_folder(folder: str) -> None:
    # What is there can only be left from the same attempt, which was not run: its supervisor was lost before.
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder)  # noqa: PTH102 # a Path for each job costs more than the call


def _move_to(folder: str) -> None:
    # Only this thread, which is all of this process. To move a process by `cgroup.procs` the kernel first keeps all of the
    # machine's from forking, and waits 10 ms and more for that.
    files.write(f"{folder}/tasks", "0")

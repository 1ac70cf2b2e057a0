"""cgroup v2: one cgroup for a job's CPUs (cpuset) and its memory, below our own, where that has been delegated to us.

The kernel lets a cgroup other than the root's have controllers for its children only while no process is in it itself. So
the daemon moves to a child, `mini-slurm.daemon`, which must leave the cgroup empty: `systemd-run --user --scope -p Delegate=yes
mini-slurm scheduler` gives it one of its own.

Source: Documentation/admin-guide/cgroup-v2.rst of the kernel.
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

DAEMON = "mini-slurm.daemon"


class CgroupV2(Means):
    """CPUs, memory or both of a job, in one cgroup; `controllers` are those that are used."""

    def __init__(self, base: str, controllers: Collection[str]) -> None:
        """`base` is the folder of the cgroup that jobs' are made in; we are in it ourselves, or in its child `DAEMON`."""
        self._base = base
        below = f"{base}/{DAEMON}"
        self._own = below if Path(below).is_dir() else base
        self._controllers = frozenset(controllers)

    def make(self, share: Share) -> None:
        folder = f"{self._base}/{share.group}"
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder)  # noqa: PTH102 # a Path for each job costs more than the call
        if "cpuset" in self._controllers:
            files.write(f"{folder}/cpuset.cpus", files.cpu_list(share.cpu_ids))
        if "memory" in self._controllers:
            files.write(f"{folder}/memory.max", str(share.memory_mb << 20))
            files.write(f"{folder}/memory.oom.group", "1")
            # A kernel without swap accounting has no such file.
            with contextlib.suppress(FileNotFoundError):
                files.write(f"{folder}/memory.swap.max", "0")

    def join(self, share: Share) -> None:
        files.write(f"{self._base}/{share.group}/cgroup.procs", "0")

    def leave(self) -> None:
        files.write(f"{self._own}/cgroup.procs", "0")

    def set_cpus(self, group: str, cpu_ids: Collection[int], supervisor_pid: int) -> bool:
        folder = files.of_group(group, self._base, "", supervisor_pid)
        if folder is None:
            return False
        try:
            files.write(f"{folder}/cpuset.cpus", files.cpu_list(cpu_ids))
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENODEV):  # it ended this moment
                return False
            raise
        return True

    def watch(self, share: Share) -> Watch:
        return _Events(f"{self._base}/{share.group}")

    def remove(self, group: str) -> None:
        files.remove(f"{self._base}/{group}")


class _Events:
    """memory.events, which polls with POLLPRI after each change since it was read."""

    mask = select.POLLPRI
    look_s: float | None = None

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.fd: int | None = os.open(f"{folder}/memory.events", os.O_RDONLY | os.O_CLOEXEC)
        self.is_over()

    def is_over(self) -> bool:
        assert self.fd is not None
        counts = dict(line.split() for line in os.pread(self.fd, 4096, 0).splitlines())
        return int(counts.get(b"oom_kill", 0)) > 0

    def peak_kb(self) -> int:
        try:
            return int(Path(self._folder, "memory.peak").read_text(encoding="ascii")) >> 10
        except FileNotFoundError:  # before Linux 5.19
            return 0


def own_base() -> str | None:
    """The folder of the cgroup that jobs' cgroups go into: our own, or the one that a daemon moved down from; None without v2."""
    path = files.of_process("self", "")
    if path is None:
        return None
    if path.rpartition("/")[2] == DAEMON:
        path = path.rpartition("/")[0]
    return files.folder(path or "/", "")


def available(base: str) -> frozenset[str]:
    """Those of cpuset and memory that were delegated to `base`."""
    offered = Path(base, "cgroup.controllers").read_text(encoding="ascii").split()
    return frozenset({"cpuset", "memory"} & set(offered))


def open_up(base: str, controllers: Collection[str]) -> None:
    """Let children of `base` have those controllers, and move this process down where the kernel asks for that.

    Raises:
        OSError: it was not delegated to us, or other processes are in it; then all is as before.
    """
    wanted = " ".join(f"+{each}" for each in sorted(controllers))
    try:
        files.write(f"{base}/cgroup.subtree_control", wanted)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
    else:
        return
    below = Path(base, DAEMON)
    below.mkdir(exist_ok=True)
    files.write(f"{below}/cgroup.procs", "0")
    try:
        files.write(f"{base}/cgroup.subtree_control", wanted)
    except OSError:
        files.write(f"{base}/cgroup.procs", "0")
        files.remove(str(below))
        raise

"""A cgroup's files: written whole in one system call, and found from /proc."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection
from pathlib import Path

from perfdb.minislurm import process


def write(path: str, text: str) -> None:
    """Write to one of the kernel's files. Raises OSError with the file's name, also where the kernel refuses the value."""
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, text.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(file)


def cpu_list(cpu_ids: Collection[int]) -> str:
    """As cpuset.cpus wants it: "0,2,3"."""
    return ",".join(str(cpu) for cpu in sorted(set(cpu_ids)))


def remove(folder: str) -> None:
    """Remove a cgroup whose processes have ended; nothing where there is none, or where one of them lingers for seconds."""
    for attempt in range(8):
        try:
            os.rmdir(folder)  # noqa: PTH106 # a Path for each job costs more than the call
        except FileNotFoundError:
            return
        except OSError:
            # A process leaves its cgroup a moment after its parent has been told of its end.
            time.sleep(0.001 * 4**attempt / 4)
        else:
            return


def of_process(pid: int | str, controller: str) -> str | None:
    """The path of a process's cgroup for that controller ('' for v2's), below its mount; None where it has none."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines:
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return path
    return None


def mounted(controller: str) -> tuple[str, str] | None:
    """Where a controller's hierarchy ('' for v2's) is mounted, and which cgroup is seen there; None where it is not."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        place, _, kind = line.partition(" - ")
        root, point = place.split()[3:5]
        file_system, _, options = kind.split()[:3]
        if controller == "" and file_system == "cgroup2":
            return point, root
        if file_system == "cgroup" and controller and controller in options.split(","):
            return point, root
    return None


def folder(path: str, controller: str) -> str | None:
    """The folder of the cgroup `path` (as in /proc/PID/cgroup), or None where no mount shows it."""
    where = mounted(controller)
    if where is None:
        return None
    point, root = where
    if root != "/":
        if not (path + "/").startswith(root + "/"):
            return None
        path = path[len(root) :]
    found = point + path.rstrip("/")
    return found if Path(found).is_dir() else None


def of_group(group: str, base: str, controller: str, supervisor_pid: int) -> str | None:
    """The folder of a job's cgroup: below `base`, or where its supervisor made it, which a daemon before us began."""
    if Path(base, group).is_dir():
        return f"{base}/{group}"
    with contextlib.suppress(OSError):
        for pid in process.descendants(supervisor_pid):
            path = of_process(pid, controller)
            if path is not None and path.rpartition("/")[2] == group:
                return folder(path, controller)
    return None

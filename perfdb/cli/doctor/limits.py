"""What this process may use, as limits, affinity and cgroups have cut it."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator

from perfdb.cli.doctor.here import Here
from perfdb.cli.doctor.point import Point
from perfdb.units import bytes_

_SHM = "/dev/shm"  # noqa: S108 the system's own
_FEW_FILES = 1024
_FEW_PROCESSES = 256
_LITTLE_SHM_BYTES = 64 * 2**20
_LITTLE_MEMORY_MB = 1024
_WORKERS = "every run with workers on this host"


def look(here: Here) -> Iterator[Point]:  # noqa: ARG001 (a check's shape)
    """Files, processes, CPU time, shared memory, CPUs, memory."""
    yield _files()
    yield _processes()
    if (seconds := resource.getrlimit(resource.RLIMIT_CPU)[0]) != resource.RLIM_INFINITY:
        told = f"{seconds} s for each process, then it is killed"
        yield Point("cpu time", "note", told, _WORKERS, "measure in a job of the batch system, or: ulimit -t unlimited")
    yield _shared_memory()
    yield from _machine()


def _files() -> Point:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed_for = "HighThroughputExecutor with many workers; perfdb run scaling: a session is a file"
    told = f"{_shown(soft)}, can be raised to {_shown(hard)}"
    if soft != resource.RLIM_INFINITY and soft < _FEW_FILES:
        raised = hard == resource.RLIM_INFINITY or hard > soft
        fix = "ulimit -n $(ulimit -Hn)" if raised else "have an administrator raise nofile in /etc/security/limits.conf"
        return Point("open files", "note", told, needed_for, fix)
    return Point("open files", "ok", told, needed_for)


def _processes() -> Point:
    found = [resource.getrlimit(resource.RLIMIT_NPROC)[0], *_pids_limits()]
    fewest = min((limit for limit in found if limit != resource.RLIM_INFINITY), default=resource.RLIM_INFINITY)
    if fewest != resource.RLIM_INFINITY and fewest < _FEW_PROCESSES:
        fix = "ulimit -u $(ulimit -Hu); in a container, raise its limit of processes (pids)"
        return Point("processes", "note", _shown(fewest), _WORKERS, fix)
    return Point("processes", "ok", _shown(fewest), _WORKERS)


def _pids_limits() -> Iterator[int]:
    from perfdb.minislurm.machine import cgroup_folders

    for folder in cgroup_folders("pids"):
        try:
            text = (folder / "pids.max").read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            yield int(text)


def _shared_memory() -> Point:
    needed_for = "HighThroughputExecutor: its semaphores lie there; Envoy"
    try:
        room = os.statvfs(_SHM)
    except OSError:
        fix = f"mount -t tmpfs tmpfs {_SHM}, as root"
        return Point("shared memory", "fix", f"there is no {_SHM}", needed_for, fix)
    if not os.access(_SHM, os.W_OK):
        return Point("shared memory", "fix", f"{_SHM} cannot be written", needed_for, f"chmod 1777 {_SHM}, as root")
    free = room.f_bavail * room.f_frsize
    if free < _LITTLE_SHM_BYTES:
        fix = f"delete what is left in {_SHM}; in a container: --shm-size=1g"
        return Point("shared memory", "note", f"{bytes_(free)} free", needed_for, fix)
    return Point("shared memory", "ok", f"{bytes_(free)} free", needed_for)


def _machine() -> Iterator[Point]:
    from perfdb.minislurm.machine import here as machine_here

    machine = machine_here()
    usable, there = len(machine.cpu_ids), os.cpu_count() or 1
    told = f"{usable} of {there} may be used"
    if usable < there:
        fix = f"max_workers_per_node={usable} in the config: programs that count CPUs see {there}"
        yield Point("cpus", "note", f"{told} (affinity or cgroup)", _WORKERS, fix)
    else:
        yield Point("cpus", "ok", told, _WORKERS)
    has = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    told = f"{bytes_(machine.mem_mb * 2**20)} of {bytes_(has)} may be used"
    if machine.mem_mb < _LITTLE_MEMORY_MB:
        fix = "ask for more (a job's --mem, a container's --memory), or for fewer workers"
        yield Point("memory", "note", told, _WORKERS, fix)
    else:
        yield Point("memory", "ok", told, _WORKERS)


def _shown(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else f"{limit:,}"

"""Which means this machine lets us have: found by trying them, strongest first."""

from __future__ import annotations

import contextlib
import functools
import os

from perfdb.minislurm.enforcement import cgroup_v2, files
from perfdb.minislurm.enforcement.affinity import Affinity, WatchedMemory
from perfdb.minislurm.enforcement.cgroup_v1 import CpusetV1, MemoryV1
from perfdb.minislurm.enforcement.enforcement import Enforcement, Means, Share

# CPUs, memory -> the name; where they differ, it says both.
_CPUS = ("cgroup v2", "cgroup v1", "affinity")
_MEMORY = ("cgroup v2", "cgroup v1", "watched")
_JOINED = "CPUs by {}, memory by {}"
_NAMES = {
    (cpus, memory): cpus if _CPUS.index(cpus) == _MEMORY.index(memory) else _JOINED.format(cpus, memory)
    for cpus in _CPUS
    for memory in _MEMORY
}


def strongest() -> Enforcement:
    """The strongest that works here, tried on a process made for it. Takes some milliseconds: the daemon does it once.

    Under cgroup v2 this process may be moved to a cgroup below its own.
    """
    _open_up_v2()
    cpus = next(kind for kind in _CPUS if _works(kind, "watched"))
    memory = next(kind for kind in _MEMORY if _works("affinity", kind))
    return by_name(_NAMES[cpus, memory])


@functools.cache
def by_name(name: str) -> Enforcement:
    """The one that `strongest` called so, not tried again.

    Raises:
        OSError: nothing of that name can be had here, e.g. its file system is not mounted any more.
    """
    kinds = next((kinds for kinds, known in _NAMES.items() if known == name), None)
    if kinds is None:
        raise OSError(f"there is no enforcement called {name!r}")
    if kinds == ("cgroup v2", "cgroup v2"):
        both = cgroup_v2.CgroupV2(_base_v2(), ("cpuset", "memory"))
        return Enforcement(name, both, both)
    return Enforcement(name, _cpus(kinds[0]), _memory(kinds[1]))


def _cpus(kind: str) -> Means:
    if kind == "cgroup v2":
        return cgroup_v2.CgroupV2(_base_v2(), ("cpuset",))
    return CpusetV1(_base_v1("cpuset")) if kind == "cgroup v1" else Affinity()


def _memory(kind: str) -> Means:
    if kind == "cgroup v2":
        return cgroup_v2.CgroupV2(_base_v2(), ("memory",))
    return MemoryV1(_base_v1("memory")) if kind == "cgroup v1" else WatchedMemory()


def _base_v1(controller: str) -> str:
    path = files.of_process("self", controller)
    found = None if path is None else files.folder(path, controller)
    if found is None:
        raise OSError(f"no cgroup v1 with the controller {controller} is mounted here")
    return found


def _base_v2() -> str:
    found = cgroup_v2.own_base()
    if found is None:
        raise OSError("no cgroup v2 is mounted here")
    return found


def _open_up_v2() -> None:
    with contextlib.suppress(OSError):
        base = _base_v2()
        # Both, or whichever there is.
        if controllers := cgroup_v2.available(base):
            cgroup_v2.open_up(base, controllers)


def _works(cpus: str, memory: str) -> bool:
    """Whether a process can be put under it and be resized there."""
    # Here, and not in every fork of a fork server: it brings `threading`, which doubles what a fork costs.
    import subprocess

    group = f"mini-slurm.trial.{os.getpid()}"
    cpu_ids = tuple(os.sched_getaffinity(0))
    share = Share(group, cpu_ids, 64, os.getpid())
    try:
        enforcement = by_name(_NAMES[cpus, memory])
        try:
            enforcement.make(share)
            with subprocess.Popen(["cat"], stdin=subprocess.PIPE, preexec_fn=lambda: enforcement.join(share)):  # noqa: PLW1509 # the daemon has no threads yet
                if cpus != "affinity":
                    enforcement.set_cpus(group, cpu_ids[:1], os.getpid())
                if memory != "watched":
                    watch = enforcement.watch(share)
                    assert watch.fd is not None
                    os.close(watch.fd)
        finally:
            enforcement.remove(group)
    except (OSError, subprocess.SubprocessError):
        return False
    return True

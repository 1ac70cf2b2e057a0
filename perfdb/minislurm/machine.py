"""What this machine lets this process use: its CPUs and its memory, as affinity and cgroups have cut them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """What there is.

    Attributes:
        cpu_ids: The CPUs that may be used, by the kernel's numbers, ascending; at least one.
        mem_mb: Memory in MB of 2**20 bytes.
    """

    cpu_ids: tuple[int, ...]
    mem_mb: int


def here() -> Machine:
    """This machine, as it is now."""
    cpu_ids = sorted(os.sched_getaffinity(0))
    quota = min((cpus for cpus in _cpu_quotas()), default=float(len(cpu_ids)))
    # Half a CPU is no CPU to promise; but whoever has less than one has that one.
    cpu_ids = cpu_ids[: max(1, min(len(cpu_ids), int(quota)))]
    memory = min(_total_memory(), *_memory_limits())
    return Machine(tuple(cpu_ids), memory // 2**20)


def _total_memory() -> int:
    """Bytes of memory that the kernel has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _memory_limits() -> Iterator[int]:
    """Bytes, of each of our cgroups and of those above them."""
    yield _total_memory()
    for folder in cgroup_folders("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / name)
            if text.isdigit():
                yield int(text)


def _cpu_quotas() -> Iterator[float]:
    """CPUs, of each of our cgroups and of those above them."""
    for folder in cgroup_folders("cpu"):
        words = _read(folder / "cpu.max").split()
        if len(words) == 2 and words[0].isdigit() and int(words[1]) > 0:
            yield int(words[0]) / int(words[1])
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            yield int(quota) / int(period)


def cgroup_folders(controller: str) -> Iterator[Path]:
    """Our cgroup of `controller` and those above it, in whichever of the two hierarchies has it."""
    ours: dict[str, str] = {}
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, names, path = line.split(":", 2)
        ours |= dict.fromkeys(names.split(","), path)
    for line in _read(Path("/proc/self/mountinfo")).splitlines():
        before, _, after = line.partition(" - ")
        root, mount = before.split()[3:5]
        kind, _, options = after.split()[:3]
        is_v1 = kind == "cgroup" and controller in options.split(",")
        own = ours.get(controller if is_v1 else "")
        if own is None or not (is_v1 or kind == "cgroup2"):
            continue
        # In a container the mount may show only a part of the tree.
        inside = Path(mount, own.removeprefix(root).lstrip("/"))
        while inside.is_relative_to(mount):
            yield inside
            inside = inside.parent


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""

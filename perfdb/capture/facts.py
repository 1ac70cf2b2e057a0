"""What a host is, by the standard library alone: this file's text is also sent to workers, which may lack perfdb.

It runs under any Python since 3.8, so it uses nothing newer, and it never returns a name or an address.
"""

from __future__ import annotations

from typing import Any


def facts(key: str = "") -> dict[str, Any]:
    """Everything about this host that may move a number; what cannot be read is left out.

    Args:
        key: Makes the host's pseudonym; without it there is none.
    """
    import hashlib
    import hmac
    import os
    import platform
    import socket

    def read(path: str) -> str:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 (nothing more than it needs is imported)
                return file.read().strip()
        except OSError:
            return ""

    def field(path: str, name: str) -> str:
        for line in read(path).splitlines():
            left, _, right = line.partition(":" if ":" in line else "=")
            if left.strip() == name:
                return right.strip().strip('"')
        return ""

    def cgroup(name: str) -> list[str]:
        own = ""
        for line in read("/proc/self/cgroup").splitlines():
            if line.startswith("0::"):
                own = line[3:]
        # A limit set on any level above holds as well; the tightest one counts.
        limits = []
        while True:
            limits.append(read("/sys/fs/cgroup" + own.rstrip("/") + "/" + name))
            if own in ("", "/"):
                return [text for text in limits if text and not text.startswith("max")]
            own = own.rpartition("/")[0]

    cpu_limits = [int(quota) / int(period) for quota, period in (text.split() for text in cgroup("cpu.max"))]
    memory_limits = [int(text) for text in cgroup("memory.max")]
    usable = os.cpu_count()
    if hasattr(os, "sched_getaffinity"):
        usable = len(os.sched_getaffinity(0))
    memory: int | None
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        memory = None
    found = {
        "pseudonym": hmac.new(key.encode(), socket.gethostname().encode(), hashlib.sha256).hexdigest()[:12]
        if key
        else None,
        "cpu_model": field("/proc/cpuinfo", "model name") or platform.processor() or None,
        "cpu_count": os.cpu_count(),
        "cpu_usable": usable,
        "cpu_limit": min(cpu_limits) if cpu_limits else None,
        "memory_bytes": memory,
        "memory_limit_bytes": min(memory_limits) if memory_limits else None,
        "os": field("/etc/os-release", "PRETTY_NAME") or platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "python": platform.python_implementation() + " " + platform.python_version(),
    }
    return {name: value for name, value in found.items() if value is not None}

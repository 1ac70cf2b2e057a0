"""How many sessions this machine can have open: file descriptors, and ports to connect from."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def file_limit() -> int:
    """How many files this process may have open now."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def raisable_file_limit() -> int:
    """To how many it can raise that by itself."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def raise_file_limit() -> None:
    """Have as many as we may: a session is a file."""
    most = raisable_file_limit()
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def port_count() -> int | None:
    """How many connections this machine can have to one address and port at a time; None where it does not say."""
    try:
        first, last = map(int, _PORT_RANGE.read_text().split())
    except (OSError, ValueError):
        return None
    return last - first + 1

"""Small files of the current folder that a family likes to know of."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

_LARGEST = 1 << 20


def texts_of(names: Sequence[str]) -> dict[str, str]:
    """By name the texts of those that are there, that can be read, and that are files of at most 1 MiB."""
    found = {}
    for name in names:
        # A pipe would keep us at its opening for ever.
        with contextlib.suppress(OSError):
            descriptor = os.open(Path(name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor has no path)
                data = file.read(_LARGEST + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
            if data is not None and len(data) <= _LARGEST:
                found[name] = data.decode("utf-8", "replace")
    return found

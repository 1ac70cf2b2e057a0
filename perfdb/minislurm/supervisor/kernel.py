"""One of the kernel's services that Python has no word for."""

from __future__ import annotations

import ctypes
import os

_SET_CHILD_SUBREAPER = 36
_prctl = ctypes.CDLL(None, use_errno=True).prctl


def adopt_orphans() -> None:
    """Become the parent of every process below this one that loses its own, however it detaches itself. Raises OSError."""
    if _prctl(_SET_CHILD_SUBREAPER, *map(ctypes.c_ulong, (1, 0, 0, 0))) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

"""A process that ends when the one that started it does, however that was killed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

# Who starts a process of a service says in its environment who it is.
PARENT = "PERFDB_SERVICE_PARENT"
_PR_SET_PDEATHSIG = 1


def die_with_starter() -> None:
    """`die_with_parent` of the process that the environment names, if it names one."""
    if PARENT in os.environ:
        die_with_parent(int(os.environ[PARENT]))


def die_with_parent(parent: int) -> None:
    """Have the kernel kill us as soon as the thread that started us is gone. Linux only; elsewhere nothing happens.

    Args:
        parent: Its number, known from before we were started: it may be dead by now.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we had asked
        os.kill(os.getpid(), signal.SIGKILL)

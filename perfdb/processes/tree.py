"""Finding and ending every process of a run, however far it strayed from its parent."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

# Every child of a run inherits this variable, into new sessions and past dead parents.
MARKER = "PERFDB_RUN"


def marked(run: str) -> list[psutil.Process]:
    """Every process of this host whose environment names `run`; those of other users can't be seen and are not ours."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARKER) == run:
                found.append(process)
    return found


def end(processes: Iterable[psutil.Process], *, grace_s: float) -> None:
    """Ask them to end, and after `grace_s` seconds make them. psutil never signals a process that reused a number."""
    import psutil

    left = list(processes)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, left = psutil.wait_procs(left, timeout=grace_s)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=grace_s)


def end_run(run: str, *, grace_s: float, patience_s: float) -> bool:
    """End all of `run`, again and again until none is left, for at most `patience_s` seconds.

    Returns:
        Whether none is left.
    """
    deadline = time.monotonic() + patience_s
    while processes := marked(run):
        if time.monotonic() > deadline:
            return False
        end(processes, grace_s=grace_s)
    return True

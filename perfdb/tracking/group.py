"""A process group, known by its leader: who is in it, where it listens, and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import time

POLL_S = 0.05


def end_group(leader: int, *, grace_s: float) -> None:
    """Ask every process of the group to end, and after `grace_s` seconds make them; returns when none is left."""
    for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, number)
        deadline = time.monotonic() + patience_s
        while members_of(leader) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        if not members_of(leader):
            return


def members_of(leader: int) -> list[int]:
    """Who still runs; the dead that nobody buried yet don't count."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def listens(pids: list[int], port: int) -> bool:
    """Whether one of these processes listens on a TCP port."""
    import psutil

    for pid in pids:
        with contextlib.suppress(psutil.Error):
            for connection in psutil.Process(pid).net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                    return True
    return False

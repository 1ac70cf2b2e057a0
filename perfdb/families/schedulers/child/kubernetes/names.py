"""What a run's objects are called in a cluster, and how whoever comes later knows whose they are."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import uuid

LABEL = "perfdb-run"
# Which process of which host made it, as hashes: a cluster is no place for a host's name.
PROCESS = "perfdb/process"
# On the run's namespace: the kinds of objects that there may be besides Jobs and pods.
KINDS = "perfdb/kinds"
_RUN = re.compile(r"[0-9a-f]{10}")


def new_run() -> str:
    """Ten digits that no other run has."""
    return uuid.uuid4().hex[:10]


def is_run(text: str) -> bool:
    """Whether that is such a number."""
    return _RUN.fullmatch(text) is not None


def prefix(run: str) -> str:
    """How the name of every object of that run begins; also its namespace's name."""
    return f"perfdb-{run}"


def job_name(run: str, batch: int, job: int) -> str:
    """Of one job of one batch."""
    return f"{prefix(run)}-{batch}-{job}"


def of_this_process() -> str:
    """What only this process of this boot of this host is called."""
    pid = os.getpid()
    return "-".join((_host(), _boot(), str(pid), str(_ticks(pid))))


def is_orphan(process: str) -> bool:
    """Whether that is a process of this host which is gone; of another host's nobody here can tell."""
    parts = process.split("-")
    if len(parts) != 4 or parts[0] != _host() or not (parts[2].isascii() and parts[2].isdigit()):
        return False
    return parts[1] != _boot() or str(_ticks(int(parts[2]))) != parts[3]


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:12]


def _boot() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read(8)


def _ticks(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    # One that ended and was not waited for is gone.
    return None if fields[0] in "ZX" else int(fields[19])

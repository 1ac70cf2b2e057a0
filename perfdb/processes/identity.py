"""Telling a process from another that got the same number later, on this host or elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import psutil


@dataclass(frozen=True)
class ProcessIdentity:
    """One process of one boot of one host. `host` is a hash: the name itself is nobody's business."""

    host: str
    boot: str
    pid: int
    started: float

    @classmethod
    def mine(cls) -> Self:
        """This process."""
        found = cls.of(os.getpid())
        assert found is not None, "a running process exists"
        return found

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The process with that number now, or None."""
        import psutil

        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:  # it is over, though nobody has asked how it ended
                return None
            return cls(_host(), _boot(), pid, _started(process))
        except psutil.Error:
            return None

    @property
    def is_here(self) -> bool:
        """Whether it ran on this host; of another host's processes nothing can be known."""
        return self.host == _host()

    def alive(self) -> bool:
        """Whether it still runs; False for another host's, see `is_here`."""
        now = type(self).of(self.pid)
        return now is not None and self.is_here and now.boot == self.boot and now.started == self.started

    def to_json(self) -> str:
        """One line that `from_json` reads back."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """The identity in `text`, or None where it holds none (a file cut off by a crash)."""
        try:
            fields = json.loads(text)
            return cls(str(fields["host"]), str(fields["boot"]), int(fields["pid"]), float(fields["started"]))
        except (ValueError, KeyError, TypeError):
            return None


def _started(process: psutil.Process) -> float:
    try:
        # Clock ticks since boot: psutil's time of creation moves when somebody sets the clock.
        return float(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return process.create_time()


def _host() -> str:
    return hashlib.sha256(f"{machine_id()}\0{socket.gethostname()}".encode()).hexdigest()[:16]


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil

        return str(round(psutil.boot_time(), -1))


def machine_id() -> str:
    """What the operating system calls this installation; empty where it has no such thing."""
    for path in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        try:
            return path.read_text().strip()
        except OSError:
            continue
    return ""

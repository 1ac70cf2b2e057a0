"""What a job and its scheduler tell each other: the control file one way, the answer file and hints the other.

The scheduler's side is perfdb.minislurm.control and the daemon. This side stands alone, so that a job can take it along.
"""

from __future__ import annotations

import contextlib
import os
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    # Three counts, of a generation: when it was acknowledged; when it was applied, and what that has cost.
    Acknowledged = tuple[int, int]

State = namedtuple("State", "cpus min_cpus max_cpus status generation")
Applied = namedtuple("Applied", "generation ns lost_units lost_ns paused_ns")


class Channel:
    """One job's. Whatever is wrong with a file or a socket is no reason for a job to end: it is tried again later.

    Attributes:
        job: The job's number; None outside mini-slurm.
        is_elastic: Whether somebody is at the other end, who may resize the job.
        start: What the job started with, by its environment.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.job = _number(environ, "MINI_SLURM_JOB_ID")
        self._control = environ.get("MINI_SLURM_CONTROL_FILE", "")
        self._answer = environ.get("MINI_SLURM_ANSWER_FILE", "")
        self.is_elastic = environ.get("MINI_SLURM_ELASTIC") == "1" and self._control != ""
        fixed = _number(environ, "MINI_SLURM_CPUS") or len(os.sched_getaffinity(0))
        cpus = (_number(environ, "MINI_SLURM_CURRENT_CPUS") or fixed) if self.is_elastic else fixed
        least, most = ((_number(environ, f"MINI_SLURM_{end}_CPUS") or cpus) for end in ("MIN", "MAX"))
        self.start = State(cpus, least, most, "RUNNING", 0)
        if self.is_elastic:
            self._pid, self._ticks = os.getpid(), _start_ticks()
            self._open_hints(environ.get("MINI_SLURM_HINTS", ""))

    def read(self) -> State | None:
        """What the control file says, None where it can't be read or is no whole one."""
        try:
            # Not to wait for a writer, should somebody have put a pipe there.
            file = os.open(self._control, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                text = os.read(file, 4096).decode("utf-8", "replace")
            finally:
                os.close(file)
        except OSError:
            return None
        fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        try:
            cpus, least, most = (int(fields[name]) for name in ("CPUS", "MIN_CPUS", "MAX_CPUS"))
            state = State(cpus, least, most, fields["STATUS"], int(fields["GENERATION"]))
        except (KeyError, ValueError):
            return None
        is_status = state.status in ("RUNNING", "COMPLETED", "FAILED")
        return state if is_status and 0 < least <= cpus <= most and state.generation >= 0 else None

    def say(self, acknowledged: Acknowledged | None, applied: Applied | None) -> bool:
        """Replace the answer file. False where that can't be done now, on a full disk for one."""
        if not self._answer:
            return True
        done = None if applied is None else (applied.generation, applied.ns)
        cost = None if applied is None else (applied.generation, applied.lost_units, applied.lost_ns, applied.paused_ns)
        text = (
            f'{{"pid": {self._pid}, "ticks": {self._ticks}, "acknowledged": {_json(acknowledged)},'
            f' "applied": {_json(done)}, "cost": {_json(cost)}}}\n'
        )
        # Not kept through a power loss, which no job outlives; so not fsynced.
        beside = f"{self._answer}.{self._pid}.new"
        try:
            file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                is_whole = os.write(file, text.encode()) == len(text)
            finally:
                os.close(file)
            if is_whole:
                os.replace(beside, self._answer)  # noqa: PTH105 # pathlib is slow to import
        except OSError:
            return False
        return is_whole

    def hint(self) -> bool:
        """Tell whoever listens that the answer file is worth a look. False where that is to be tried again.

        Where nobody listens it is not: who comes to listen looks at the answer files first.
        """
        try:
            self._hints.sendto(f'{{"job": {"null" if self.job is None else self.job}}}'.encode(), self._hints_path)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def _open_hints(self, path: str) -> None:
        import socket

        self._hints = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._hints.setblocking(False)
        self._hints_path = path
        with contextlib.suppress(OSError):
            # By its open folder: a socket's path has 107 bytes at most.
            folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)  # noqa: PTH120
            self._hints_path = f"/proc/self/fd/{folder}/{os.path.basename(path)}"  # noqa: PTH119


def _number(environ: Mapping[str, str], name: str) -> int | None:
    """The whole number above 0 that a variable holds, or None."""
    text = environ.get(name, "")
    return int(text) if text.isdecimal() and int(text) > 0 else None


def _json(numbers: tuple[int, ...] | None) -> str:
    return "null" if numbers is None else str(list(numbers))


def _start_ticks() -> int:
    """When this process began, in clock ticks since the boot: with its pid, its name for ever."""
    with open("/proc/self/stat", "rb") as file:  # noqa: PTH123 # as above
        return int(file.read().rpartition(b") ")[2].split()[19])

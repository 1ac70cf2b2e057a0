"""What commands ask of the daemon; submitting and cancelling go without one too."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from perfdb.errors import MiniSlurmError, UsageError
from perfdb.minislurm.places import Places
from perfdb.minislurm.request import Request
from perfdb.minislurm.sockets import short

# cancelled: it waited, and never will run. ending: it was told to end. ended: it was over before. unknown: no such job.
Outcome = Literal["cancelled", "ending", "ended", "unknown"]

_CREDENTIALS = struct.Struct("3i")
# The daemon may start or end while we ask; a command that writes by itself holds the lock for an instant.
_PATIENCE_S = 10.0
_REPLY_S = 60.0


@dataclass(frozen=True)
class Submitted:
    """What became of a submission.

    Attributes:
        ids: Of a plain job its one id; of an array its tasks' in the order of their indices, without a gap. The first is
            the array's.
        notes: For people: what they may not expect.
    """

    ids: range
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """How a job ended. `state` is a State's value; `exit_code` is None where a signal ended it, or it never ran."""

    id: int
    state: str
    exit_code: int | None
    signal: int | None
    reason: str


def submit(places: Places, request: Request) -> Submitted:
    """Put `request`, which was checked, in the queue. It is on disk when this returns, daemon or not.

    Raises:
        UsageError: the daemon offers less than it wants.
        MiniSlurmError: it could not be stored; nothing was.
    """
    with _turn(places) as daemon:
        if daemon:
            answer = _ask(daemon, {"do": "submit", "request": asdict(request)})
            return Submitted(range(answer["first"], answer["first"] + answer["count"]))
        from perfdb.minislurm.store import alone

        return Submitted(
            alone.submit(places, request), ("no scheduler runs, so it waits until there is one: mini-slurm scheduler",)
        )


def cancel(places: Places, ids: Iterable[int]) -> dict[int, Outcome]:
    """End those jobs, or take them out of the queue. A running one is told to; it has its grace to end in.

    Raises:
        MiniSlurmError: it could not be stored; nothing was done.
    """
    wanted = list(ids)
    with _turn(places) as daemon:
        if daemon:
            answer = _ask(daemon, {"do": "cancel", "ids": wanted})
            return {int(id): outcome for id, outcome in answer["outcomes"].items()}
        from perfdb.minislurm.store import alone

        return alone.cancel(places, wanted)


def wait(
    places: Places, ids: Iterable[int], timeout_s: float | None, told: Callable[[Ended], None]
) -> dict[int, Ended]:
    """Wait until those jobs have ended, and tell of each one as it does.

    Args:
        timeout_s: Seconds; None for as long as it takes.

    Returns:
        The jobs that ended. After `timeout_s` some may be missing; ids that there are not always are.

    Raises:
        MiniSlurmError: no daemon runs, or it ended meanwhile.
    """
    end_s = None if timeout_s is None else time.monotonic() + timeout_s
    ended: dict[int, Ended] = {}
    with _connected(places) as daemon:
        if daemon is None:
            raise MiniSlurmError(
                f"no scheduler runs for {places.home}, so no job would end: start one with mini-slurm scheduler."
            )
        try:
            for answer in _answers(daemon, {"do": "wait", "ids": list(ids)}, end_s):
                if "done" in answer:
                    return ended
                one = Ended(**answer["ended"])
                ended[one.id] = one
                told(one)
        except TimeoutError:
            return ended
    raise MiniSlurmError(
        "the scheduler ended while we waited; its jobs go on: start it again (mini-slurm scheduler), and wait again."
    )


def is_running(places: Places) -> int | None:
    """The process id of the daemon that listens, or None."""
    with _connected(places) as daemon:
        if daemon is None:
            return None
        credentials = daemon.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return int(_CREDENTIALS.unpack(credentials)[0])


@contextlib.contextmanager
def _turn(places: Places) -> Iterator[socket.socket | None]:
    """The daemon, or None where none runs: then none starts, and nobody else writes, as long as this lasts."""
    from perfdb.minislurm.store.lock import WriterLock

    end_s = time.monotonic() + _PATIENCE_S
    while True:
        with _connected(places) as daemon:
            if daemon:
                yield daemon
                return
        with WriterLock(places) as lock:
            if lock.try_take():
                yield None
                return
        if time.monotonic() >= end_s:
            raise MiniSlurmError(
                f"something writes mini-slurm's state in {places.home}, and answers nobody: see what holds the lock "
                f"(fuser {places.database}), end it, and try again."
            )
        time.sleep(0.01)


@contextlib.contextmanager
def _connected(places: Places) -> Iterator[socket.socket | None]:
    """A connection to the daemon, None where nobody listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
        try:
            with short(places.socket) as name:
                daemon.connect(name)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            is_there = False
        except OSError as error:
            raise MiniSlurmError(
                f"the scheduler's socket {places.socket} can't be reached ({error.strerror}): see whose it is, or set "
                "MINI_SLURM_HOME to a folder of yours."
            ) from error
        else:
            is_there = True
        yield daemon if is_there else None


def _ask(daemon: socket.socket, question: dict[str, Any]) -> dict[str, Any]:
    """Its one answer."""
    try:
        for answer in _answers(daemon, question, time.monotonic() + _REPLY_S):
            return answer
    except TimeoutError:
        pass
    raise MiniSlurmError(
        "the scheduler did not answer, so whether it did what it was asked is not known: look with mini-slurm queue, and "
        "start it again if it has ended (mini-slurm scheduler)."
    )


def _answers(daemon: socket.socket, question: dict[str, Any], end_s: float | None) -> Iterator[dict[str, Any]]:
    """One after another, until it hangs up.

    Raises:
        TimeoutError: it is `end_s`, on the monotonic clock.
        UsageError, MiniSlurmError: the daemon says why it can't.
    """
    received = b""
    try:
        daemon.settimeout(_left_s(end_s))
        daemon.sendall(json.dumps(question).encode() + b"\n")
        while True:
            daemon.settimeout(_left_s(end_s))
            data = daemon.recv(1 << 16)
            if not data:
                return
            *lines, received = (received + data).split(b"\n")
            for line in lines:
                answer: dict[str, Any] = json.loads(line)
                if "error" in answer:
                    raise (UsageError if answer.get("is_usage") else MiniSlurmError)(answer["error"])
                yield answer
    except (BrokenPipeError, ConnectionResetError):
        return


def _left_s(end_s: float | None) -> float | None:
    if end_s is None:
        return None
    left_s = end_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s

"""The daemon's end of the fork server: orders go in, supervisors come out, each with a pidfd."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from perfdb.minislurm.supervisor.order import ANSWER, Order

# It has nothing to do then but to fork for orders that it was sent.
_PATIENCE_S = 5.0


class Supervised(NamedTuple):
    """A supervisor that was begun for an order. `pidfd` becomes readable when it has ended; whoever takes this closes it."""

    job: int
    attempt: int
    pid: int
    pidfd: int


class Launcher:
    """A fork server of our own.

    It never blocks. With asyncio: `add_reader(launcher.fileno(), ...)` for `received`, and after `send`, while `unsent`,
    `add_writer(launcher.fileno(), ...)` for `flush`.

    Supervisors live on when it ends, and when we do.
    """

    def __init__(self, log: Path) -> None:
        """Start the fork server.

        Args:
            log: Where it, and supervisors, complain of what should not be; appended to.

        Raises:
            OSError: it could not be started.
        """
        ours, theirs = socket.socketpair()
        with ours, theirs, log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "perfdb.minislurm.supervisor.fork_server", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C at the daemon is not for it
            )
            self._socket = ours.dup()
        self._socket.setblocking(False)
        self._unsent = bytearray()
        self._unanswered: dict[tuple[int, int], None] = {}
        self._is_lost = False

    def fileno(self) -> int:
        """Readable when supervisors were begun, or the fork server is gone."""
        return self._socket.fileno()

    @property
    def pid(self) -> int:
        """The fork server's."""
        return self._process.pid

    @property
    def is_lost(self) -> bool:
        """The fork server is gone: start another, and look at what became of `unanswered` in their journals."""
        return self._is_lost

    @property
    def unsent(self) -> bool:
        """Whether orders wait for `flush`."""
        return bool(self._unsent)

    @property
    def unanswered(self) -> list[tuple[int, int]]:
        """(job, attempt) of each order whose supervisor we have not heard of yet; one may have been begun all the same."""
        return list(self._unanswered)

    def send(self, *orders: Order) -> None:
        """Have those run; what can't be written at once is kept for `flush`."""
        for order in orders:
            self._unanswered[order.job, order.attempt] = None
            self._unsent += order.to_json().encode() + b"\n"
        self.flush()

    def flush(self) -> None:
        """Write what can be written."""
        with contextlib.suppress(BlockingIOError):
            try:
                while self._unsent:
                    del self._unsent[: self._socket.send(self._unsent[: 1 << 20], socket.MSG_NOSIGNAL)]
            except (BrokenPipeError, ConnectionResetError):
                self._is_lost = True
                self._unsent.clear()

    def received(self) -> list[Supervised]:
        """The supervisors begun since the last call. Sets `is_lost` where the fork server is gone.

        Raises:
            OSError: this process has as many descriptors open as it may.
        """
        found = []
        with contextlib.suppress(BlockingIOError):
            try:
                # One at a time: the kernel does not join messages that carry a descriptor.
                while (answer := socket.recv_fds(self._socket, ANSWER.size, 1))[0]:
                    job, attempt, pid = ANSWER.unpack(answer[0])
                    if not answer[1]:
                        raise OSError(errno.EMFILE, f"no descriptor is left for the supervisor {pid} of job {job}")
                    os.set_inheritable(answer[1][0], False)
                    self._unanswered.pop((job, attempt), None)
                    found.append(Supervised(job, attempt, pid, answer[1][0]))
                self._is_lost = True
            except ConnectionResetError:
                self._is_lost = True
        return found

    def close(self) -> None:
        """End the fork server, once it has read the orders it was sent; supervisors live on."""
        self._socket.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            # Somebody stopped it. What it had still to read is given to another.
            self._process.kill()
            self._process.wait()

"""Forks a supervisor for each order, ahead of it: so no job waits for a Python to start, nor for a fork.

    python -P -m perfdb.minislurm.supervisor.fork_server FD

FD is its end of a stream socket: orders come in, a line each; for each goes out an `ANSWER` with the supervisor's pidfd. It ends
when the other end is closed and all orders are read; its supervisors live on. While it lives it ends the job of a supervisor
that was killed.

It imports the standard library and its neighbours, no more: what it holds is copied for each job.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time
import traceback
from typing import NoReturn

from perfdb.minislurm import process
from perfdb.minislurm.enforcement.finding import by_name
from perfdb.minislurm.enforcement.leftovers import end_all
from perfdb.minislurm.supervisor.order import ANSWER, Order
from perfdb.minislurm.supervisor.supervise import supervise

_OURS = (signal.SIGTERM, signal.SIGCHLD)
# Jobs end one by one; a few may be begun at once.
_MOST_SPARES = max(1, min(4, len(os.sched_getaffinity(0))))


def serve(daemon: socket.socket) -> None:
    """Have supervisors see orders through, until `daemon` is closed."""
    signals, to_signals = _pipe()
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            if signal.getsignal(number) is signal.SIG_IGN:
                # What Python ignores, and whoever started the daemon (nohup does), is no job's choice.
                signal.signal(number, signal.SIG_DFL)
    for number in _OURS:
        signal.signal(number, lambda _number, _frame: None)
    signal.set_wakeup_fd(to_signals, warn_on_full_buffer=False)
    process.boot_id()
    gc.disable()
    gc.freeze()
    poll = select.poll()
    poll.register(daemon, select.POLLIN)
    poll.register(signals, select.POLLIN)
    buffer = bytearray()
    groups: dict[int, str] = {}  # by the pids of supervisors that live
    spares = Spares((daemon.fileno(), signals, to_signals))
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == signals:
                if signal.SIGTERM in os.read(signals, 4096):
                    return
                _reap(groups)
                continue
            received = daemon.recv(1 << 20)
            if not received:
                return
            buffer += received
            *lines, rest = buffer.split(b"\n")
            for line in lines:
                order = Order.from_json(line.decode())
                with contextlib.suppress(OSError):
                    by_name(order.enforcement)  # found once, for all that are forked from now on
                pid, pidfd = spares.give(bytes(line))
                groups[pid] = order.group
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    socket.send_fds(daemon, [ANSWER.pack(order.job, order.attempt, pid)], [pidfd], socket.MSG_NOSIGNAL)
                os.close(pidfd)
            buffer = bytearray(rest)
            spares.replace()


class Spares:
    """Supervisors that wait for an order: forked while nobody waits for them, since a fork is most of a start's time."""

    def __init__(self, ours: tuple[int, ...]) -> None:
        """`ours` are the descriptors that are none of a supervisor's business."""
        self._ours = ours
        self._waiting: list[tuple[int, int, socket.socket]] = []  # pid, pidfd, where its order goes

    def replace(self) -> None:
        """Have one more than jobs were begun since, up to the few that can be wanted at once."""
        while len(self._waiting) < _MOST_SPARES and (spare := self._fork()):
            self._waiting.append(spare)

    def give(self, order: bytes) -> tuple[int, int]:
        """Have a supervisor see that line through; returns its pid, and a pidfd that the caller closes."""
        while True:
            while not self._waiting:
                self.replace()
                if not self._waiting:
                    time.sleep(0.1)
            pid, pidfd, orders = self._waiting.pop(0)
            try:
                orders.sendall(order + b"\n", socket.MSG_NOSIGNAL)
            except (BrokenPipeError, ConnectionResetError):  # somebody ended it
                os.close(pidfd)
                continue
            finally:
                orders.close()
            return pid, pidfd

    def _fork(self) -> tuple[int, int, socket.socket] | None:
        orders, to_orders = socket.socketpair()
        # A signal that comes before the supervisor listens by itself must not be told to us.
        signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
        pid = _fork()
        if pid == 0:
            for descriptor in self._ours:
                os.close(descriptor)
            for _, pidfd, others in self._waiting:
                os.close(pidfd)
                others.close()
            to_orders.close()
            _supervise(orders)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)
        orders.close()
        if pid is None:
            to_orders.close()
            return None
        # Not waited for yet, so the number is still its own, whether it lives or not.
        return pid, os.pidfd_open(pid), to_orders


def _fork() -> int | None:
    try:
        return os.fork()
    except OSError as error:  # no room for one more process: there will be
        sys.stderr.write(f"fork server: {error}; tried again\n")
        return None


def _supervise(orders: socket.socket) -> NoReturn:
    """Wait for an order, and see it through; without one, end with the fork server."""
    status = 70
    try:
        signals, to_signals = _pipe()
        signal.set_wakeup_fd(to_signals, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)
        line = _read_all(orders)
        orders.close()
        if line.endswith(b"\n"):
            supervise(Order.from_json(line.decode()), signals)
        status = 0
    except BaseException:  # noqa: BLE001 # nothing may run on as a second fork server
        traceback.print_exc()
    finally:
        os._exit(status)


def _read_all(orders: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n") and (more := orders.recv(1 << 20)):
        data += more
    return data


def _pipe() -> tuple[int, int]:
    return os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)


def _reap(groups: dict[int, str]) -> None:
    """Wait for those that have ended, and where a supervisor did not come to its own end, see that its job does."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            group = groups.pop(pid, None)
            if status != 0 and group is not None and _fork() == 0:
                try:
                    end_all(group)
                finally:
                    os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))

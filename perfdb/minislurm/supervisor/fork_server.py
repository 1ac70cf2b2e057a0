"""Forks a supervisor for each order: a process that is warm, so that no job waits for a Python to start.

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


def serve(daemon: socket.socket) -> None:
    """Fork supervisors until `daemon` is closed."""
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
                groups[_launch(daemon, order, (signals, to_signals))] = order.group
            buffer = bytearray(rest)


def _launch(daemon: socket.socket, order: Order, ours: tuple[int, int]) -> int:
    with contextlib.suppress(OSError):
        by_name(order.enforcement)  # found once, for all of them
    # A signal that comes before the supervisor listens by itself must not be told to us.
    signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
    while (pid := _fork()) is None:
        time.sleep(0.1)
    if pid == 0:
        _supervise(daemon, order, ours)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)
    # Not waited for yet, so the number is still its own, whether it lives or not.
    pidfd = os.pidfd_open(pid)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        socket.send_fds(daemon, [ANSWER.pack(order.job, order.attempt, pid)], [pidfd], socket.MSG_NOSIGNAL)
    os.close(pidfd)
    return pid


def _fork() -> int | None:
    try:
        return os.fork()
    except OSError as error:  # no room for one more process: there will be
        sys.stderr.write(f"fork server: {error}; tried again\n")
        return None


def _supervise(daemon: socket.socket, order: Order, ours: tuple[int, int]) -> NoReturn:
    status = 70
    try:
        daemon.close()
        for descriptor in ours:
            os.close(descriptor)
        signals, to_signals = _pipe()
        signal.set_wakeup_fd(to_signals, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)
        supervise(order, signals)
        status = 0
    except BaseException:  # noqa: BLE001 # nothing may run on as a second fork server
        traceback.print_exc()
    finally:
        os._exit(status)


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

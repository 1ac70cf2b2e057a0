"""A supervisor's life: claim the attempt, run the job, see that all of it ends, and write down how."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import time

from perfdb.minislurm import process
from perfdb.minislurm.enforcement.enforcement import Share, Watch
from perfdb.minislurm.enforcement.finding import by_name
from perfdb.minislurm.supervisor import first_process, kernel
from perfdb.minislurm.supervisor.journal import Exit, Why
from perfdb.minislurm.supervisor.order import Order
from perfdb.minislurm.supervisor.writing import Writing


def supervise(order: Order, signals: int) -> None:
    """See one attempt of a job through, from the claim to the end of its last process.

    Args:
        signals: Readable, without blocking, the number of each signal that came: SIGTERM cancels the job, SIGCHLD says that
            a process ended.
    """
    os.setsid()
    kernel.adopt_orphans()
    journal = Writing.claim(
        order.journal,
        _here(os.getpid()) | {"boot": process.boot_id()},
    )
    if journal is None:
        return
    supervisor = _Supervisor(order, journal, signals)
    journal.end(vars(supervisor.run()) | {"ns": time.monotonic_ns(), "at": time.time()})


def _here(pid: int) -> dict[str, object]:
    return {"pid": pid, "ticks": process.start_ticks(pid) or 0, "ns": time.monotonic_ns(), "at": time.time()}


class _Supervisor:
    def __init__(self, order: Order, journal: Writing, signals: int) -> None:
        self._order = order
        self._journal = journal
        self._signals = signals
        self._share = Share(order.group, order.cpu_ids, order.memory_mb, os.getpid())
        self._first = 0
        self._status: int | None = None  # of the first process, once it has ended
        self._why: Why = "exited"
        self._ended: set[int] = set()
        self._look_s: float | None = None
        # On CLOCK_MONOTONIC: when the job is over its time, and when a job that was told to end is ended.
        self._ends_by_s: float | None = None
        self._kill_by_s: float | None = None

    def run(self) -> Exit:
        try:
            enforcement = by_name(self._order.enforcement)
        except OSError as error:
            return self._unstarted(str(error))
        peak_kb = 0
        try:
            enforcement.make(self._share)
            watch = enforcement.watch(self._share)
            self._first = first_process.begin(self._order, enforcement, self._share)
        except first_process.Unstarted as error:
            return self._unstarted(str(error))
        except OSError as error:
            return self._unstarted(f"it can't be kept to its CPUs and its memory: {error}")
        else:
            self._see_through(watch)
            if self._why == "exited" and watch.fd is not None and watch.is_over():
                self._why = "out_of_memory"
            with contextlib.suppress(OSError):
                peak_kb = watch.peak_kb()
        finally:
            enforcement.remove(self._order.group)
        return self._exit(peak_kb)

    def _see_through(self, watch: Watch) -> None:
        """Until no process of the job is left."""
        self._journal.add("started", _here(self._first))
        if self._order.limit_s is not None:
            self._ends_by_s = time.monotonic() + self._order.limit_s
        self._look_s = watch.look_s
        poll = select.poll()
        poll.register(self._signals, select.POLLIN)
        if watch.fd is not None:
            poll.register(watch.fd, watch.mask)
        while self._reap():
            for descriptor, _ in poll.poll(self._timeout_ms()):
                if descriptor == self._signals:
                    if signal.SIGTERM in os.read(self._signals, 4096):
                        self._tell_to_end("cancelled")
                elif watch.is_over():
                    poll.unregister(descriptor)
                    self._why = "out_of_memory"
                    self._kill()
            self._look_at_the_clock(watch)

    def _timeout_ms(self) -> float | None:
        """Until there is something to do that nobody tells us of."""
        times = [by_s for by_s in (self._ends_by_s, self._kill_by_s) if by_s is not None]
        left_s = [max(0.0, by_s - time.monotonic()) for by_s in times]
        if self._look_s is not None:
            left_s.append(self._look_s)
        # Up to the next millisecond: poll would come back before the time, and again and again.
        return min(3600.0, *left_s) * 1000 + 1 if left_s else None

    def _look_at_the_clock(self, watch: Watch) -> None:
        now_s = time.monotonic()
        if self._kill_by_s is not None and now_s >= self._kill_by_s:
            self._kill()
            self._kill_by_s = now_s + 0.01
        elif self._ends_by_s is not None and now_s >= self._ends_by_s:
            self._tell_to_end("timeout")
        if self._look_s is not None and self._status is None and watch.is_over():
            self._why = "out_of_memory"
            self._look_s = None
            self._kill()

    def _tell_to_end(self, why: Why) -> None:
        """TERM to all, and KILL later; the first reason stands, and so does the first deadline."""
        self._ends_by_s = None
        if self._why != "exited" or self._status is not None:
            return
        self._why = why
        self._kill_by_s = time.monotonic() + self._order.grace_s
        for pid in process.descendants(os.getpid()):
            _send(pid, signal.SIGTERM)

    def _kill(self) -> None:
        """KILL to all; what is begun meanwhile gets it the next time, which comes at once."""
        self._kill_by_s = time.monotonic()
        for pid in process.descendants(os.getpid()):
            _send(pid, signal.SIGKILL)
            if pid != self._first:
                self._ended.add(pid)

    def _reap(self) -> bool:
        """Take note of those that ended. Returns whether some are left: what detaches itself becomes our child, too."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                break
            if pid == self._first:
                self._status = status
        if self._status is not None and self._kill_by_s is None:
            # The job is over, by its first process; what it left behind goes with it.
            self._kill()
        return True

    def _exit(self, peak_kb: int) -> Exit:
        assert self._status is not None
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        is_signal = os.WIFSIGNALED(self._status)
        return Exit(
            why=self._why,
            code=None if is_signal else os.WEXITSTATUS(self._status),
            signal=os.WTERMSIG(self._status) if is_signal else None,
            ns=0,
            at=0.0,
            cpu_s=round(usage.ru_utime + usage.ru_stime, 6),
            peak_kb=peak_kb,
            ended=len(self._ended),
        )

    def _unstarted(self, detail: str) -> Exit:
        return Exit("unstarted", first_process.UNSTARTED_CODE, None, 0, 0.0, detail=detail)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)

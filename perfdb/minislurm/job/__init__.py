"""The job's side of a resize: register, hear of it, say that it was heard, and say when it is done.

    from perfdb.minislurm.job import register

    job = register()
    pool = Pool(job.cpus)
    while pool.has_work():
        pool.work()
        resize = job.poll()
        if resize:
            with resize:
                pool.resize(resize.cpus)

A resize is acknowledged as soon as its signal is here, between any two steps of the program, and it is applied where the
`with` ends: from then on the CPUs that were given up belong to others. `poll` fits a loop, `wait` a thread that has nothing
else to do, `on_resize` a function that should be called, and `fileno` a select or an event loop.

Where nobody resizes, in a job that is not elastic or outside of any, the same program runs with the CPUs that it has.

Nothing of perfdb is needed here, and nothing newer than Python 3.8: where a job's Python has no perfdb, a copy of this folder
beside the program will do.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import threading
import time
from collections import deque

# Relative, so that a copy of this folder finds itself.
from .channel import Applied, Channel, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

# A signal can go astray: another library takes the handler, or a controller is not allowed to send one.
_LOOK_EVERY_S = 1.0

_registered: Job | None = None


def register() -> Job:
    """The job that this process runs in. From now on this process answers for it.

    Call it early, in the main thread, before pools are made. Called again, it is the same object. In a job of several
    processes the one that registered last answers; a forked child does not, unless it registers itself.

    Raises:
        RuntimeError: this is not the main thread, and only there can Python install the handler of a signal.
    """
    global _registered  # noqa: PLW0603 # one process has one answer file
    if _registered is None or _registered.pid != os.getpid():
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("register() installs a signal handler: call it in the main thread, early")
        _registered = Job(os.environ)
    return _registered


class Resize:
    """A new allocation, acknowledged already. Leaving its `with` block without an exception says that it is applied.

    Attributes:
        generation: Counts the job's resizes from 1; some may be skipped, as only the latest counts.
        cpus: What the job has from now on.
        cpus_before: What the program was told before.
    """

    def __init__(self, state: State, cpus_before: int, tell: Callable[[Applied], None]) -> None:
        self.generation: int = state.generation
        self.cpus: int = state.cpus
        self.cpus_before = cpus_before
        self._tell = tell
        self._handed_ns = time.monotonic_ns()

    def applied(self, *, lost_units: int = 0, lost_s: float = 0.0, paused_s: float | None = None) -> None:
        """Say that the program keeps to it now, and what that has cost. Only the first call counts.

        Args:
            lost_units: Units of work under way that were dropped, to be done again, >= 0.
            lost_s: Worker seconds that had gone into them, >= 0.
            paused_s: Worker seconds in which no work was done for the resize, >= 0. Without it, what passed since the
                program got this object: right for a loop that does the resize itself and works alone.

        Raises:
            ValueError: one of them is less than 0.
        """
        now_ns = time.monotonic_ns()
        paused_ns = now_ns - self._handed_ns if paused_s is None else round(paused_s * 1e9)
        told = Applied(self.generation, now_ns, int(lost_units), round(lost_s * 1e9), paused_ns)
        if min(told) < 0:
            raise ValueError(f"a resize costs nothing or more, not {lost_units} units, {lost_s} s and {paused_s} s")
        self._tell(told)

    def __enter__(self) -> Resize:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.applied()


class Job:
    """The job that this process runs in, as `register` gives it. All of it may be used from any thread.

    Attributes:
        id: Its number; None outside mini-slurm.
        is_elastic: Whether it can be resized.
        cpus: What it has, by what was last heard; between min_cpus and max_cpus.
        generation: How often it was resized, by what was last heard.
        status: RUNNING; COMPLETED or FAILED for a process that is left when the job is over.
        pid: The process that answers. In a child of it nothing more is heard.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.pid = os.getpid()
        self._channel = Channel(environ)
        self.id = self._channel.job
        self.is_elastic = self._channel.is_elastic
        self._keep(self._channel.start)

        # Whoever has the lock looks and answers. Who finds it taken leaves word in _is_due, and its holder looks again:
        # the handler must not wait for the thread that it has interrupted.
        self._lock = threading.Lock()
        self._is_due = False
        self._is_unsaid = False
        self._is_hint_due = False
        self._acknowledged: tuple[int, int] | None = None
        self._applied: Applied | None = None
        self._told: deque[Applied] = deque()
        self._news: deque[State] = deque(maxlen=1)
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        if self.is_elastic:
            self._begin()
        self._cpus_before = self.cpus

    def fileno(self) -> int:
        """A descriptor that can be read from when `poll` should be called: for a select, or an event loop's add_reader."""
        return self._wake_read

    def poll(self) -> Resize | None:
        """The latest resize that no caller has had yet, or None. It does not wait."""
        if not self._answers():
            return None
        # Emptied before the look: what comes later is seen by the look, or is in the pipe again.
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 1 << 16)
        self._settle()
        try:
            state = self._news.popleft()
        except IndexError:
            return None
        cpus_before, self._cpus_before = self._cpus_before, state.cpus
        return Resize(state, cpus_before, self._tell)

    def wait(self, timeout_s: float | None = None) -> Resize | None:
        """The latest resize that no caller has had yet; waits until there is one.

        Args:
            timeout_s: Waits so many seconds at most; None for any time.

        Returns:
            None after `timeout_s`; where no resize can ever come, and without a `timeout_s`, at once.
        """
        if not self._answers():
            time.sleep(max(0.0, timeout_s or 0.0))
            return None
        ends_s = None if timeout_s is None else time.monotonic() + timeout_s
        poller = select.poll()
        poller.register(self._wake_read, select.POLLIN)
        while True:
            resize = self.poll()
            if resize is not None:
                return resize
            left_s = _LOOK_EVERY_S if ends_s is None else min(_LOOK_EVERY_S, ends_s - time.monotonic())
            if left_s <= 0:
                return None
            poller.poll(left_s * 1000)

    def on_resize(self, callback: Callable[[Resize], object]) -> None:
        """Call `callback` with each resize from now on, in a thread of its own; it is applied when `callback` returns.

        What `callback` raises is printed, and that resize is not said to be applied.
        """
        if self._answers():
            threading.Thread(target=self._call, args=(callback,), name="mini-slurm resizes", daemon=True).start()

    def _call(self, callback: Callable[[Resize], object]) -> None:
        while True:
            resize = self.wait()
            if resize is not None:
                try:
                    with resize:
                        callback(resize)
                except Exception:  # noqa: BLE001 # the next resize must be answered too
                    import traceback

                    traceback.print_exc()

    def _answers(self) -> bool:
        return self.is_elastic and os.getpid() == self.pid

    def _keep(self, state: State) -> None:
        self.cpus: int = state.cpus
        self.min_cpus: int = state.min_cpus
        self.max_cpus: int = state.max_cpus
        self.status: str = state.status
        self.generation: int = state.generation

    def _begin(self) -> None:
        """Take the signal, and only then tell who it may be sent to."""
        state = self._channel.read()
        if state is not None and state.generation > 0:
            # Resized before it registered. It starts with that, and whoever waits for its answer has it.
            self._keep(state)
            self._acknowledged = (state.generation, time.monotonic_ns())
            self._applied = Applied(*self._acknowledged, 0, 0, 0)
        self._chained = signal.getsignal(signal.SIGUSR1)
        signal.signal(signal.SIGUSR1, self._on_signal)
        # The handler runs at the main thread's next step, which in a long call into C is late. This wakes `wait` at once.
        before = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        if before != -1:
            signal.set_wakeup_fd(before)
        atexit.register(self._leave)
        os.register_at_fork(after_in_child=self._forget)
        self._is_unsaid = True
        self._settle()

    def _forget(self) -> None:
        # A child's signals would wake its parent.
        before = signal.set_wakeup_fd(-1)
        if before != self._wake_write:
            signal.set_wakeup_fd(before)

    def _leave(self) -> None:
        # A Python that ends gives signals their default back, which for this one is death.
        if os.getpid() == self.pid:
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._answers():
            # Even with nothing new: whoever signals again may have missed the answer.
            self._is_hint_due = True
            self._settle()
        if callable(self._chained):
            self._chained(number, frame)

    def _tell(self, applied: Applied) -> None:
        if self._answers():
            self._told.append(applied)
            self._settle()

    def _settle(self) -> None:
        self._is_due = True
        while self._is_due and self._lock.acquire(blocking=False):
            try:
                self._is_due = False
                self._look()
            finally:
                self._lock.release()

    def _look(self) -> None:
        """Read what there is to read, and say what there is to say."""
        state = self._channel.read()
        if state is not None and state.generation >= self.generation:
            is_new = state.generation > self.generation
            self._keep(state)
            if is_new:
                self._acknowledged = (state.generation, time.monotonic_ns())
                self._is_unsaid = True
                self._news.append(state)
                with contextlib.suppress(BlockingIOError):  # full: whoever waits wakes anyhow
                    os.write(self._wake_write, b"!")
        while self._told:
            applied = self._told.popleft()
            if self._applied is None or applied.generation > self._applied.generation:
                self._applied = applied
                self._is_unsaid = True
        if self._is_unsaid:
            self._is_unsaid = not self._channel.say(self._acknowledged, self._applied)
            self._is_hint_due = True
        if self._is_hint_due:
            self._is_hint_due = not self._channel.hint()

"""Many sessions on one core: one loop over epoll, no task and no thread a session.

An answer's moment is that at which the kernel told us of it, so what we do meanwhile for other sessions does not count as
the service's time; how long that can have kept us from asking the kernel is `longest_busy_s`, and no moment is later than it
was by more than that.
"""

import errno
import heapq
import os
import select
import socket
from collections import deque
from time import perf_counter, process_time

import faults
import protocols
import shapes
from session import Session

# So many begin, or go on from the barrier, before what arrived is looked at again.
SLICE = 32
MOST_EVENTS = 128
RECEIVE = 65536
TICK_S = 0.01
# A wait for the kernel that was shorter than this was none.
WAITED_S = 5e-5
# An answer to a step that came sooner than the step lasts was not waited for.
SOONER_S = 5e-3
# By so much more than we measured a service's own account of a step is believed: its clock is another one.
MORE_S, MORE_SHARE = 0.1, 1e-3
_WANTED = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
_ENDED = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_READABLE = select.EPOLLIN | _ENDED


class Engine:
    """Runs one client's share of a plan. `begin` is the load's beginning by `perf_counter`.

    sessions: those that are over. begun, failed: how many so far. lags: by how much each session, or its step after a
    barrier, was sent too late, in seconds. ticks: by how much each tick came too late. cpu: CPU seconds used so far, once a
    second, when `on_progress` is called as well.
    """

    def __init__(self, address, protocol, shape, wait_s, timeout_s, begin, on_progress):
        self.sessions = []
        self.begun = self.failed = 0
        self.lags = []
        self.ticks = []
        self.cpu = []
        self.longest_busy_s = 0.0
        self.stopping = False
        self._family, self._address = address
        self._protocol, self._shape = protocol, shape
        self._wait_s, self._timeout_s = wait_s, timeout_s
        self._begin = begin
        self._on_progress = on_progress
        self._starts = iter(shape.starts)
        self._next_start = next(self._starts, None)
        self._again = []  # a heap of when users in a closed loop begin their next session, and its number
        self._held = deque()
        self._barrier_s = shape.barrier_s
        self._deadlines = deque()
        self._open = {}
        self._epoll = select.epoll()

    def run(self):
        """Until every session is over, or `stopping` is set."""
        next_tick = self._now()
        next_cpu = 0.0
        busy_since = next_tick
        while not self.stopping:
            now = self._now()
            if now >= next_tick:
                self.ticks.append(now - next_tick)
                next_tick = now + TICK_S
                self._time_out(now)
                if now >= next_cpu:
                    self.cpu.append((now, process_time()))
                    next_cpu = now + 1.0
                    self._on_progress(self, now)
            due = self._due(now)
            if due is None:
                break
            before = self._now()
            events = self._epoll.poll(max(0.0, min(due, next_tick) - before), MOST_EVENTS)
            at = self._now()
            if at - before > WAITED_S:
                self.longest_busy_s = max(self.longest_busy_s, before - busy_since)
                busy_since = at
            for descriptor, mask in events:
                session = self._open.get(descriptor)
                if session is not None:
                    self._on(session, mask, at)
        now = self._now()
        self.longest_busy_s = max(self.longest_busy_s, now - busy_since)
        self.cpu.append((now, process_time()))
        for session in list(self._open.values()):
            self._fail(session, faults.Fault(faults.CLIENT, "the load was stopped"), now)
        self._epoll.close()

    def _now(self):
        return perf_counter() - self._begin

    def _due(self, now):
        """Begin what is due; when the next is, None when nothing is left to do."""
        for _ in range(SLICE):
            if self._next_start is not None and self._next_start[1] <= now:
                self._start(*self._next_start)
                self._next_start = next(self._starts, None)
            elif self._again and self._again[0][0] <= now:
                scheduled, number = heapq.heappop(self._again)
                self._start(number, scheduled)
            elif self._held and self._barrier_s <= now:
                self._step_from_barrier(self._held.popleft())
            else:
                break
        due = [now + TICK_S] if self._open else []
        if self._next_start is not None:
            due.append(self._next_start[1])
        if self._again:
            due.append(self._again[0][0])
        if self._held:
            due.append(self._barrier_s)
        return min(due, default=None)

    def _start(self, number, scheduled):
        session = Session(number, scheduled, self._now(), protocols.Seen())
        self.begun += 1
        self.lags.append(session.sent - scheduled)
        session.talk = self._protocol.talk(session.seen, lambda data: self._send(session, data))
        try:
            session.sock = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            descriptor = session.sock.fileno()
            session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            failed = session.sock.connect_ex(self._address)
            if failed not in (0, errno.EINPROGRESS):
                raise OSError(failed, os.strerror(failed))
            self._open[descriptor] = session
            self._epoll.register(descriptor, _WANTED)
        except OSError as error:
            self._fail(session, faults.of_error(error), self._now())
            return
        self._deadlines.append((max(session.sent, self._barrier_s or 0.0) + self._timeout_s, session))

    def _on(self, session, mask, at):
        try:
            if not session.connected:
                if mask & (select.EPOLLERR | select.EPOLLHUP):
                    error = session.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or errno.ECONNRESET
                    raise OSError(error, os.strerror(error))
                if not mask & select.EPOLLOUT:
                    return
                session.connected = True
                self._go_on(session, None, at)
            elif session.out:
                self._send(session, b"")
            if mask & _READABLE and session.closed is None:
                self._receive(session, mask, at)
        except faults.Fault as fault:
            self._fail(session, fault, at)
        except OSError as error:
            self._fail(session, faults.of_error(error), at)
        except Exception as error:  # noqa: BLE001 (one answer ends one session, not all of them)
            text = f"an answer that could not be read ({type(error).__name__})"
            self._fail(session, faults.Fault(faults.WRONG, text), at)

    def _receive(self, session, mask, at):
        more, failure = True, None
        while more:
            try:
                data = session.sock.recv(RECEIVE)
            except BlockingIOError:
                break
            except OSError as error:  # told once what came before it is understood
                failure = error
                break
            session.ended = session.ended or not data
            session.buffer += data
            # What is left is told of anew, except for an end that we were told of just now.
            more = data and (len(data) == RECEIVE or mask & _ENDED)
        self._understand(session, at)
        if session.closed is None and failure is not None:
            raise failure
        if session.closed is None and session.ended:
            raise faults.Fault(faults.RESET, "closed before it had answered")

    def _understand(self, session, at):
        while session.read is not None:
            answer = session.read(session.buffer, session.ended)
            if answer is None:
                break
            session.read = None
            self._go_on(session, answer, at)

    def _go_on(self, session, answer, at):
        """Take an answer's moment, and say the next thing."""
        try:
            phase, data, read = session.talk.send(answer)
        except StopIteration:
            self._end_phase(session, at)
            self._end(session, at)
            return
        if phase != session.phase:
            self._end_phase(session, at)
            session.phase = phase
            if phase == "step" and self._barrier_s is not None:
                session.began, session.next, session.read = at, data, read  # pings are answered meanwhile
                self._held.append(session)
                return
            session.began = self._now()
            if phase == "step":
                session.stepped = session.began
        session.read = read
        self._send(session, data)

    def _end_phase(self, session, at):
        took = at - session.began
        session.took[session.phase] = took
        if session.phase == "connect":
            session.opened = at
        elif session.phase == "step":
            if session.stepped is None:
                raise faults.Fault(faults.WRONG, "answered a step that was not asked for yet")
            if self._protocol.waits and at - session.stepped < self._wait_s - SOONER_S:
                raise faults.Fault(faults.WRONG, f"answered a step of {self._wait_s:g} s after {took:.3f}")
            lasted, waited = at - session.stepped, session.seen.waited_s
            if waited is not None and waited > lasted * (1 + MORE_SHARE) + MORE_S:
                raise faults.Fault(faults.WRONG, f"waited {waited:g} s, it says, in a step that lasted {lasted:.3f}")
            session.answered = at

    def _step_from_barrier(self, session):
        if session.closed is not None:
            return
        # Counted from when it should have been sent, like any other latency.
        ready, session.began = session.began, max(session.began, self._barrier_s)
        session.held = session.began - ready
        session.stepped = self._now()
        self.lags.append(session.stepped - session.began)
        data, session.next = session.next, None
        try:
            self._send(session, data)
        except OSError as error:
            self._fail(session, faults.of_error(error), self._now())

    def _send(self, session, data):
        data = session.out + data if session.out else data
        try:
            session.out = data[session.sock.send(data) :]
        except BlockingIOError:
            session.out = data
        except (BrokenPipeError, ConnectionResetError):
            session.out = b""  # what came before it tells more: the end is told when that is read

    def _time_out(self, now):
        while self._deadlines and self._deadlines[0][0] <= now:
            _, session = self._deadlines.popleft()
            if session.closed is None:
                self._fail(session, faults.Fault(faults.TIMEOUT, f"no answer in {session.phase}"), now)

    def _fail(self, session, fault, at):
        if session.answered is not None:
            session.close_fault = fault
        else:
            session.fault = fault
            self.failed += 1
            if session.next is not None:
                session.held = max(0.0, at - session.began)
        self._end(session, at)

    def _end(self, session, at):
        session.closed = at
        session.talk = session.read = session.next = None
        session.buffer = session.out = b""
        if session.sock is not None:
            self._open.pop(session.sock.fileno(), None)
            session.sock.close()
            session.sock = None
        self.sessions.append(session)
        over = self._shape.over_s
        if over is not None:
            after = at + (shapes.PAUSE_S if session.fault is not None else 0.0)
            if after < over:
                heapq.heappush(self._again, (after, session.number + self._shape.users))

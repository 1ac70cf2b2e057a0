"""Tasks that keep Parsl scaling out until every node has run one; what a round and the nodes' report have in common."""

import json
import os
import platform
import queue
import signal
import socket
import sys
import threading
import time
import traceback

import parsl
import telling
import user_config
from scaling import Refused, Scaling

MOST_TASKS = 15_000  # of which the log has room for every word
LONGEST_FAILURE = 300
LOOK_S = 0.25
FIRST_POLL_S = 120.0
FAILURES_S = 2.0
OFFSET_S = 5.0  # at most, for asking the nodes' clocks
OFFSET_TRIPS = 5


class Stopped(BaseException):
    """We were told to end."""


def main(run, asks_python=False):
    """Run it on the config under test, leave nothing behind, and exit with the code that it returns."""

    def stop(number, _):
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, signal.SIG_IGN)
        raise Stopped(number)

    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, stop)
    code = 1
    try:
        with Scaling(user_config.load(), asks_python) as scaling:
            code = run(scaling, json.loads(os.environ["PERFDB_WORKLOAD"]))
    except Refused as refused:
        print(refused, file=sys.stderr)
    except Stopped:
        telling.answer("note", text="stopped")
    except Exception:  # noqa: BLE001 (told here, for a thread that hangs must not keep this process)
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


def wait_for_phase(scaling, share):
    """Until `share` of a period has passed since Parsl's strategy last looked at its executor."""
    if not scaling.polled.wait(FIRST_POLL_S):
        raise RuntimeError(f"Parsl's strategy has not looked at its executor within {FIRST_POLL_S:g} s")
    time.sleep(max(0.0, scaling.polled_at + share * scaling.period_s - time.monotonic_ns() / 1e9))


def tell_begin(scaling, key, begun):
    """The circumstances; returns the pseudonym of this host's boot."""
    boot = telling.pseudonym(key, telling.boot_name())
    telling.answer(
        "begin",
        python=platform.python_implementation() + " " + platform.python_version(),
        parsl=str(parsl.__version__),
        host=telling.pseudonym(key, socket.gethostname()),
        boot=boot,
        strategy=str(scaling.config.strategy),
        strategy_period_s=scaling.period_s,
        max_idletime_s=float(scaling.config.max_idletime),
        nodes_per_block=scaling.managers_per_block,
        phase_s=max(0.0, begun[1] - scaling.polled_at),
    )
    return boot


def tell_blocks(scaling):
    """What is known of the blocks besides: who registered, what their scripts wrote, the last words of those who failed."""
    managers = scaling.interchange.managers()
    for manager in managers:
        telling.answer("registered", block=manager["block"], pool=manager["pool"], at=manager["at"])
    scaling.tell_scripts()
    scaling.tell_last_words({manager["block"] for manager in managers})


class Workload:
    """The tasks in flight.

    Args:
        scaling: The watched executor.
        submit: Hands one task over and returns its future.
        tasks: How many to begin with.
        blocks: How many blocks are to run one.
        tell: Called with a task's number, its result, and the stamp at which that was here.
    """

    def __init__(self, scaling, submit, tasks, blocks, tell):
        self.first = []  # futures of the tasks that it began with
        self.nodes = set()  # pools that have run a task
        self.goal = blocks * scaling.managers_per_block
        self.failed = 0
        self.last_trouble = None
        self._scaling, self._submit, self._tasks, self._blocks, self._tell = scaling, submit, tasks, blocks, tell
        self._count = 0
        self._in_flight = 0
        self._results = queue.Queue()

    @property
    def complete(self):
        """Whether every node has run a task."""
        return len(self.nodes) >= self.goal

    def begin(self):
        """Hand the first tasks over; returns the stamp of the very first."""
        stamps = [self._send() for _ in range(self._tasks)]
        for number, at in enumerate(stamps):
            telling.answer("submitted", task=number, at=at)
        return stamps[0]

    def run(self, timeout_s, linger_s):
        """Until every node has run one and all are back; returns the outcome and what went wrong.

        Args:
            timeout_s: For every node to have run one.
            linger_s: For the others to end after that.
        """
        try:
            return self._run(timeout_s, linger_s)
        except BaseException:
            self._receive_what_is_there()
            raise

    def _run(self, timeout_s, linger_s):
        deadline = time.monotonic() + timeout_s
        arrived = False
        while self._in_flight:
            self._receive()
            if self._scaling.bad_state:
                self._receive_failures()
                return "bad_state", self._scaling.bad_state
            if self.failed >= 10 + 10 * (self._count - self._in_flight - self.failed):
                return "bad_state", self.last_trouble
            if self.complete:
                if not arrived:
                    arrived, deadline = True, time.monotonic() + linger_s
                if time.monotonic() > deadline:
                    return "all", f"{self._in_flight} tasks did not end within {linger_s:g} s"
            elif time.monotonic() > deadline:
                return "timeout", f"{len(self.nodes)} of {self.goal} nodes ran a task within {timeout_s:g} s"
            elif self._count >= MOST_TASKS:
                return "timeout", f"{len(self.nodes)} of {self.goal} nodes ran one of {MOST_TASKS} tasks"
            else:
                self._top_up()
        return "all", None

    def _receive_failures(self):
        """Parsl fails all tasks once it has given an executor up."""
        deadline = time.monotonic() + FAILURES_S
        while self._in_flight and time.monotonic() < deadline:
            self._receive()

    def _receive(self):
        try:
            self._handle(*self._results.get(timeout=LOOK_S))
        except queue.Empty:
            return
        self._receive_what_is_there()

    def _receive_what_is_there(self):
        while not self._results.empty():
            self._handle(*self._results.get())

    def _handle(self, number, future, received):
        self._in_flight -= 1
        error = future.exception()
        if error is not None:
            self.failed += 1
            self.last_trouble = telling.trouble(error)
            telling.answer("task_failed", task=number, trouble=self.last_trouble[:LONGEST_FAILURE], received=received)
            return
        result = future.result()
        if result["pool"] not in self.nodes:
            self.nodes.add(result["pool"])
            telling.answer("note", text=f"{len(self.nodes)} of {self.goal} nodes have run a task")
        self._tell(number, result, received)

    def _top_up(self):
        """Keep a task waiting beyond all that the managers take, so that a newcomer gets one at once."""
        scaling = self._scaling
        taken = sum(manager["capacity"] for manager in scaling.interchange.managers())
        wanted = max(self._tasks, taken + 1)
        active = len(scaling.active)
        if active < self._blocks:  # enough for the strategy to ask for another block
            parallelism = float(getattr(scaling.provider, "parallelism", 1) or 1)
            wanted = max(wanted, int(active * scaling.workers_per_block / parallelism) + 1)
        while self._in_flight < wanted and self._count < MOST_TASKS:
            number = self._count
            telling.answer("submitted", task=number, at=self._send())

    def _send(self):
        number = self._count
        self._count += 1
        self._in_flight += 1
        at = telling.stamp()
        future = self._submit()
        if number < self._tasks:
            self.first.append(future)
        future.add_done_callback(lambda done: self._results.put((number, done, telling.stamp())))
        return at


def tell_offsets(hosts, boot, ask):
    """How far the clocks of other machines are off ours, by the shortest of some round trips.

    Args:
        hosts: Pseudonyms of all hosts that ran a task, with their boot's: those with our own boot share our clock.
        boot: Ours.
        ask: Hands one task over that tells the clock; returns its future.
    """
    best = {host: (0.0, 0.0) for host, theirs in hosts.items() if theirs == boot}
    others = {host for host, theirs in hosts.items() if theirs != boot}
    trips = dict.fromkeys(others, 0)
    deadline = time.monotonic() + OFFSET_S
    while trips and min(trips.values()) < OFFSET_TRIPS and time.monotonic() < deadline:
        for told, sent, received in _round_trips(ask, 2 * len(others), deadline):
            (t0, _), (t1, _), (t2, _), (t3, _) = sent, told["started"], told["ended"], received
            within = max(0.0, ((t3 - t0) - (t2 - t1)) / 2)
            host = told["host"]
            if host in trips:
                trips[host] += 1
                if host not in best or within < best[host][1]:
                    best[host] = (((t1 - t0) + (t2 - t3)) / 2, within)
    for host, (ahead, within) in sorted(best.items()):
        telling.answer("offset", host=host, ahead_s=ahead, within_s=within)


def _round_trips(ask, count, deadline):
    arrived = queue.Queue()
    for _ in range(count):
        sent = telling.stamp()
        ask().add_done_callback(lambda done, sent=sent: arrived.put((done, sent, telling.stamp())))
    for _ in range(count):
        try:
            done, sent, received = arrived.get(timeout=max(0.01, deadline - time.monotonic()))
        except queue.Empty:
            return
        if done.exception() is None:
            yield done.result(), sent, received


class Gatherer:
    """The seed's loop over the results, in order of submission: when it had each one."""

    def __init__(self, futures):
        self._at = {}
        self._news = threading.Condition()
        threading.Thread(target=self._gather, args=(futures,), daemon=True).start()

    def at(self, number, patience_s=0.0):
        """Epoch seconds at which the loop had that result, None as long as it has not."""
        with self._news:
            self._news.wait_for(lambda: number in self._at, timeout=patience_s)
            return self._at.get(number)

    def _gather(self, futures):
        for number, future in enumerate(futures):
            if future.exception() is not None:  # waits for the result
                continue
            at = time.time()
            with self._news:
                self._at[number] = at
                self._news.notify_all()

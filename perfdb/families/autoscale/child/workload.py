"""Tasks that keep Parsl scaling out until every node has run one; what a round and the nodes' report have in common."""

import os
import platform
import queue
import socket
import time
import uuid

import parsl
import telling

MOST_TASKS = 15_000  # of which the log has room for every word
LONGEST_FAILURE = 300
# A node whose manager registers is to find a task: so often is looked whether there are enough, until all have come.
LOOK_S, LOOK_AGAIN_S = 0.02, 0.25
FIRST_POLL_S = 120.0
FAILURES_S = 2.0
TOLD_EVERY_S = 30.0


def wait_for_phase(scaling, share):
    """Until `share` of a period has passed since Parsl's strategy last looked at its executor."""
    if not scaling.polled.wait(FIRST_POLL_S):
        raise RuntimeError(f"Parsl's strategy has not looked at its executor within {FIRST_POLL_S:g} s")
    time.sleep(max(0.0, scaling.polled_at + share * scaling.period_s - time.monotonic_ns() / 1e9))


def leave_token(scaling):
    """A secret in the run folder, which whoever sees that folder can read; its path and itself."""
    path, token = os.path.join(os.path.abspath(scaling.run_dir), "token"), uuid.uuid4().hex
    with open(path, "w", encoding="ascii") as file:
        file.write(token)
    return path, token


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
        sent: If given, called with each task's number and its future.
    """

    def __init__(self, scaling, submit, tasks, blocks, tell, sent=None):
        self.nodes = set()  # pools that have run a task
        self.goal = blocks * scaling.managers_per_block
        self.failed = 0
        self.last_trouble = None
        self._scaling, self._submit, self._tasks, self._blocks = scaling, submit, tasks, blocks
        self._tell, self._sent = tell, sent
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
        arrived, tell_at = False, time.monotonic() + TOLD_EVERY_S
        while self._in_flight:
            self._receive()
            if not arrived and time.monotonic() > tell_at:
                tell_at += TOLD_EVERY_S
                left_s = max(0.0, deadline - time.monotonic())
                nodes = f"{len(self.nodes)} of {self.goal} nodes have run a task"
                telling.answer(
                    "note", text=f"{nodes}, {len(self._scaling.jobs)} blocks were asked for, {left_s:.0f} s are left"
                )
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
            self._handle(*self._results.get(timeout=LOOK_AGAIN_S if self.complete else LOOK_S))
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
        """Keep tasks waiting beyond all that the managers take, so that each newcomer gets one at once, however many come."""
        scaling = self._scaling
        capacities = [manager["capacity"] for manager in scaling.interchange.managers()]
        to_come = max(1, self.goal - len(capacities))
        expected = int(scaling.workers_per_block / scaling.managers_per_block)
        wanted = max(self._tasks, sum(capacities) + to_come * max([*capacities, expected, 1]))
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
        if self._sent is not None:
            self._sent(number, future)
        future.add_done_callback(lambda done: self._results.put((number, done, telling.stamp())))
        return at

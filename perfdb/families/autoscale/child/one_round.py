"""One round: Parsl scales from zero until every node has run a task, and in again.

Parsl's strategy looks at its executors every `strategy_period` seconds; a process that hands its tasks over as soon as it is
up would meet the same phase of that every time. So it waits for one such look and then the share PERFDB_PHASE of a period,
which differs from round to round.
"""

import os
import threading
import time

import offsets
import telling
import workload

GATHER_S = 1.0


class Tasks:
    """Tells every task that ended: those of the seed's loop once it has them."""

    def __init__(self, loop_length):
        self.hosts = {}
        self.gatherer = None
        self._loop_length = loop_length
        self._waiting = {}

    def arrived(self, number, told, received):
        """A result is here."""
        self.hosts[told["host"]] = told["boot"]
        self._waiting[number] = dict(told, task=number, received=received)
        self.tell(0.0)

    def tell(self, patience_s, everything=False):
        """Tell those whose turn has come."""
        for number, fields in sorted(self._waiting.items()):
            gathered = self.gatherer.at(number, patience_s) if number < self._loop_length else None
            if gathered is not None or number >= self._loop_length or everything:
                telling.answer("task", gathered=gathered, **fields)
                del self._waiting[number]


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


def one_round(scaling, asked, submit, key):
    """Scale out, work, wait for the scale-in; returns the exit code."""
    tasks = Tasks(asked["tasks"])
    work = workload.Workload(
        scaling, lambda: submit("work", asked["task_s"]), asked["tasks"], asked["blocks"], tasks.arrived
    )
    workload.wait_for_phase(scaling, float(os.environ["PERFDB_PHASE"]))
    begun = work.begin()
    tasks.gatherer = Gatherer(work.first)
    boot = workload.tell_begin(scaling, key, begun)
    patience_s = 0.0
    try:
        outcome, why = work.run(asked["acquire_timeout_s"], asked["release_timeout_s"])
        patience_s = GATHER_S if outcome == "all" and why is None else 0.0
    finally:
        tasks.tell(patience_s, everything=True)
        workload.tell_blocks(scaling)
    if outcome == "all" and why is None:
        offsets.tell(tasks.hosts, boot, lambda: submit("clock"))
        why = scaled_in(scaling, asked["release_timeout_s"])
    telling.answer("end", outcome=outcome, trouble=why, at=telling.stamp())
    return 0 if work.nodes and outcome != "bad_state" else 1


def scaled_in(scaling, timeout_s):
    """Wait until Parsl's own strategy has given every block back; what is wrong where it has not."""
    deadline = time.monotonic() + timeout_s
    while scaling.active:
        if time.monotonic() > deadline:
            return f"{len(scaling.active)} blocks were not scaled in within {timeout_s:g} s"
        time.sleep(workload.LOOK_S)
    return None

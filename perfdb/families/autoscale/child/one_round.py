"""One round: Parsl scales from zero until every node has run a task, and in again.

Parsl's strategy looks at its executors every `strategy_period` seconds; a process that hands its tasks over as soon as it is
up would meet the same phase of that every time. So it waits for one such look and then the share PERFDB_PHASE of a period,
which differs from round to round.
"""

import os
import queue
import threading
import time

import offsets
import telling
import workload

GATHER_S = 1.0


class Tasks:
    """Tells every task that ended once the loop over the results has it."""

    def __init__(self, gatherer):
        self.boots = {}
        self._gatherer = gatherer
        self._waiting = {}

    def arrived(self, number, told, received):
        """A result is here."""
        self.boots[told["boot"]] = told["host"]
        self._waiting[number] = dict(told, task=number, received=received)
        self.tell(0.0)

    def tell(self, patience_s, everything=False):
        """Tell those whose turn has come."""
        for number, fields in sorted(self._waiting.items()):
            gathered = self._gatherer.at(number, patience_s)
            if gathered is not None or everything:
                telling.answer("task", gathered=gathered, **fields)
                del self._waiting[number]


class Gatherer:
    """A loop over the results in order of submission, as in scripts that time completions: when it had each one."""

    def __init__(self):
        self._at = {}
        self._news = threading.Condition()
        self._futures = queue.Queue()
        threading.Thread(target=self._gather, daemon=True).start()

    def add(self, number, future):
        """The next task, in order of submission."""
        self._futures.put((number, future))

    def at(self, number, patience_s=0.0):
        """Epoch seconds at which the loop had that result, None as long as it has not."""
        with self._news:
            self._news.wait_for(lambda: number in self._at, timeout=patience_s)
            return self._at.get(number)

    def _gather(self):
        while True:
            number, future = self._futures.get()
            if future.exception() is not None:  # waits for the result
                continue
            at = time.time()
            with self._news:
                self._at[number] = at
                self._news.notify_all()


def one_round(scaling, asked, submit, key):
    """Scale out, work, wait for the scale-in; returns the exit code."""
    token_path, token = workload.leave_token(scaling)
    gatherer = Gatherer()
    tasks = Tasks(gatherer)
    work = workload.Workload(
        scaling,
        lambda: submit("work", asked["task_s"], token_path, token),
        asked["tasks"],
        asked["blocks"],
        tasks.arrived,
        sent=gatherer.add,
    )
    workload.wait_for_phase(scaling, float(os.environ["PERFDB_PHASE"]))
    begun = work.begin()
    boot = workload.tell_begin(scaling, key, begun)
    patience_s = 0.0
    try:
        outcome, why = work.run(asked["acquire_timeout_s"], asked["release_timeout_s"])
        patience_s = GATHER_S if outcome == "all" and why is None else 0.0
    finally:
        tasks.tell(patience_s, everything=True)
        workload.tell_blocks(scaling)
    if outcome == "all" and why is None:
        offsets.tell(tasks.boots, boot, lambda: submit("clock"))
        telling.answer(
            "note", text=f"waiting for Parsl to scale in (max_idletime {float(scaling.config.max_idletime):g} s)"
        )
        why = scaled_in(scaling, asked["release_timeout_s"])
    telling.answer("end", outcome=outcome, trouble=why, at=telling.stamp())
    return 0 if work.nodes and outcome != "bad_state" else 1


def scaled_in(scaling, timeout_s):
    """Wait until Parsl's own strategy has given every block back; what is wrong where it has not."""
    deadline = time.monotonic() + timeout_s
    while scaling.active:
        if scaling.bad_state:
            return scaling.bad_state
        if time.monotonic() > deadline:
            return f"{len(scaling.active)} blocks were not scaled in within {timeout_s:g} s"
        time.sleep(workload.LOOK_AGAIN_S)
    return None

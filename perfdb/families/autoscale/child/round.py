"""One round: Parsl scales from zero until every node has run a task, and in again. See `answers.py` for what it tells.

Standard library and Parsl alone, any Python since 3.8. Parsl's strategy looks at its executors every `strategy_period`
seconds; a process that hands its tasks over as soon as it is up would meet the same phase of that every time. So it waits
for one such look and then the share PERFDB_PHASE of a period, which differs from round to round.
"""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "..", "parsl_config", "child")]
import parsl
import telling
import workload

del sys.path[:2]

with open(os.path.join(HERE, "on_node.py"), encoding="utf-8") as file:
    ON_NODE = file.read()
KEY = os.environ["PERFDB_HOST_KEY"]
GATHER_S = 1.0


@parsl.python_app
def on_node(source, name, arguments, parsl_resource_specification={}):  # noqa: B006 (Parsl reads this argument by name)
    """Run one function of on_node.py; the stamp is taken before anything else."""
    import time

    started = [time.time_ns() / 1e9, time.monotonic_ns() / 1e9]
    namespace = {}
    exec(source, namespace)
    return namespace[name](started, *arguments)


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


def one_round(scaling, asked):
    """Scale out, work, wait for the scale-in; returns the exit code."""
    tasks = Tasks(asked["tasks"])

    def submit(name, *arguments):
        return on_node(ON_NODE, name, (KEY, *arguments), parsl_resource_specification=scaling.resources)

    work = workload.Workload(
        scaling, lambda: submit("work", asked["task_s"]), asked["tasks"], asked["blocks"], tasks.arrived
    )
    workload.wait_for_phase(scaling, float(os.environ["PERFDB_PHASE"]))
    begun = work.begin()
    tasks.gatherer = workload.Gatherer(work.first)
    boot = workload.tell_begin(scaling, KEY, begun)
    patience_s = 0.0
    try:
        outcome, why = work.run(asked["acquire_timeout_s"], asked["release_timeout_s"])
        patience_s = GATHER_S if outcome == "all" and why is None else 0.0
    finally:
        tasks.tell(patience_s, everything=True)
        workload.tell_blocks(scaling)
    if outcome == "all" and why is None:
        workload.tell_offsets(tasks.hosts, boot, lambda: submit("clock"))
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


if __name__ == "__main__":
    workload.main(one_round)

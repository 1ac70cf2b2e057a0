"""Every node reports before the first round: its interpreter, its Parsl, whether it sees the run folder, its clock.

Standard library and Parsl alone, any Python since 3.8. See `answers.py` for what it tells.
"""

import os
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "..", "parsl_config", "child")]
import parsl
import telling
import workload

del sys.path[:2]

with open(os.path.join(HERE, "on_node.py"), encoding="utf-8") as file:
    ON_NODE = file.read()
with open(os.environ["PERFDB_FACTS"], encoding="utf-8") as file:
    FACTS = file.read()
KEY = os.environ["PERFDB_HOST_KEY"]
TASK_S = 0.5  # long enough that a node does not do the work of those that are still coming


@parsl.python_app
def on_node(source, name, arguments, parsl_resource_specification={}):  # noqa: B006 (Parsl reads this argument by name)
    """Run one function of on_node.py; the stamp is taken before anything else."""
    import time

    started = [time.time_ns() / 1e9, time.monotonic_ns() / 1e9]
    namespace = {}
    exec(source, namespace)
    return namespace[name](started, *arguments)


class Reports:
    """Tells each node's report once."""

    def __init__(self):
        self.hosts = {}
        self._told = set()

    def arrived(self, _, told, __):
        """A result is here."""
        self.hosts[told["host"]] = told["boot"]
        if told["pool"] not in self._told:
            self._told.add(told["pool"])
            telling.answer("node", **{name: value for name, value in told.items() if name not in ("started", "ended")})


def reports(scaling, asked):
    """Scale out and have every node report; returns the exit code. The clean-up scales in at once."""
    token_path, token = os.path.join(os.path.abspath(scaling.run_dir), "token"), uuid.uuid4().hex
    with open(token_path, "w", encoding="ascii") as file:
        file.write(token)
    told = Reports()

    def submit(name, *arguments):
        return on_node(ON_NODE, name, (KEY, *arguments), parsl_resource_specification=scaling.resources)

    work = workload.Workload(
        scaling,
        lambda: submit("report", TASK_S, FACTS, token_path, token),
        asked["tasks"],
        asked["blocks"],
        told.arrived,
    )
    workload.wait_for_phase(scaling, 0.0)
    boot = workload.tell_begin(scaling, KEY, work.begin())
    try:
        outcome, why = work.run(asked["acquire_timeout_s"], asked["acquire_timeout_s"])
    finally:
        workload.tell_blocks(scaling)
    if outcome == "all" and why is None:
        workload.tell_offsets(told.hosts, boot, lambda: submit("clock"))
    telling.answer("end", outcome=outcome, trouble=why, at=telling.stamp())
    return 0 if outcome == "all" else 1


if __name__ == "__main__":
    workload.main(reports, asks_python=True)

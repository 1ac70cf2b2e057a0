"""Every node reports before the first round: its interpreter, its Parsl, whether it sees the run folder, its clock."""

import os

import offsets
import telling
import workload

TASK_S = 0.5  # long enough that a node does not do the work of those that are still coming


class Reports:
    """Tells each node's report once."""

    def __init__(self):
        self.boots = {}
        self._told = set()

    def arrived(self, _, told, __):
        """A result is here."""
        self.boots[told["boot"]] = told["host"]
        if told["pool"] not in self._told:
            self._told.add(told["pool"])
            telling.answer("node", **{name: value for name, value in told.items() if name not in ("started", "ended")})


def reports(scaling, asked, submit, key):
    """Scale out and have every node report; returns the exit code. The clean-up scales in at once."""
    token_path, token = workload.leave_token(scaling)
    with open(os.environ["PERFDB_FACTS"], encoding="utf-8") as file:
        facts = file.read()
    told = Reports()
    work = workload.Workload(
        scaling,
        lambda: submit("report", TASK_S, facts, token_path, token),
        asked["tasks"],
        asked["blocks"],
        told.arrived,
    )
    workload.wait_for_phase(scaling, 0.0)
    boot = workload.tell_begin(scaling, key, work.begin())
    try:
        outcome, why = work.run(asked["acquire_timeout_s"], asked["acquire_timeout_s"])
    finally:
        workload.tell_blocks(scaling)
    if outcome == "all" and why is None:
        offsets.tell(told.boots, boot, lambda: submit("clock"))
    telling.answer("end", outcome=outcome, trouble=why, at=telling.stamp())
    return 0 if outcome == "all" else 1

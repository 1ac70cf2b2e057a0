"""Rounds whose every stage is known: what their child says, and what a scheduler would say of their jobs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from perfdb.families import ChildRun, Setup
from perfdb.parsl_config import ConfigDescription, ExecutorDescription
from perfdb.platforms import Job
from perfdb.platforms.base import NodeBoot, Stamp
from perfdb.processes.log import ChildLog, Exit, Line
from perfdb.record import Host

ZERO = 1_790_000_000.0
# The process began so long before, by the clock that never steps.
MONO = 1000.0
OURS = "0" * 12
# Of a cold node: seconds that each stage takes.
COLD = {
    "scale_out_decided": 2.0,
    "submit_returned": 0.25,
    "job_pending": 0.0,
    "job_allocated": 0.5,
    "power_up_asked": 0.125,
    "node_booted": 2.5,
    "script_started": 0.375,
    "pool_started": 0.25,
    "manager_registered": 1.5,
    "first_task_started": 0.75,
    "first_task_ended": 5.0,
    "result_received": 0.0625,
}
WARM = {**COLD, "power_up_asked": 0.0, "node_booted": 0.0}
# Each further node is allocated so much later.
LATER_S = 0.5
IDLE_S, RELEASE_S = 4.0, 1.5
ENDED = Exit(60.0, 0, "ended", 1.0)


def pseudonym(name: str) -> str:
    """Twelve hex digits."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def stamp(at: float, step_s: float = 0.0) -> list[float]:
    """Wall and monotonic clock, the wall stepped forward by so much."""
    return [at + step_s, at - ZERO + MONO]


def by_scheduler(at: float, resolution_s: float = 0.001) -> Stamp:
    """An instant by the scheduler's log."""
    return Stamp(at=datetime.fromtimestamp(at, UTC), resolution_s=resolution_s, source="slurmctld.log")


@dataclass(frozen=True)
class Planted:
    """A round to be told.

    Attributes:
        stages: What each takes, by milestone.
        nodes: How many blocks, of one node each.
        ahead_s: How far the nodes' clocks are ahead of ours; None: they share ours.
        told_ahead_s: What the child measured of that; None: the truth.
        scheduler_s: How far the scheduler's clock is ahead.
        step_s: By how much our wall clock steps before the results are here.
        batch: Whether there is a scheduler.
    """

    kind: str = "cold"
    number: int = 1
    stages: Mapping[str, float] = field(default_factory=lambda: COLD)
    nodes: int = 3
    ahead_s: float | None = None
    told_ahead_s: float | None = None
    within_s: float = 0.001
    scheduler_s: float = 0.0
    step_s: float = 0.0
    batch: bool = True
    zero: float = ZERO

    def instants(self, node: int) -> dict[str, float]:
        """When each milestone of that node was, on our clock."""
        at, reached = {"task_submitted": self.zero}, self.zero
        for name, taken in self.stages.items():
            reached += taken + (LATER_S * node if name == "job_allocated" else 0.0)
            at[name] = reached
        return at

    def answers(self) -> list[dict[str, Any]]:
        """What the round's child says, in order."""
        every = [self.instants(node) for node in range(self.nodes)]
        theirs = self.ahead_s or 0.0
        last = max(at["result_received"] for at in every)
        said: list[dict[str, Any]] = [
            {
                "kind": "begin",
                "python": "CPython 3.11.7",
                "parsl": "2026.10.26",
                "host": OURS,
                "boot": OURS,
                "strategy": "simple",
                "strategy_period_s": 1.0,
                "max_idletime_s": 3.0,
                "nodes_per_block": 1,
                "phase_s": 0.5,
            },
            *({"kind": "submitted", "task": n, "at": stamp(self.zero + n / 1024)} for n in range(2 * self.nodes)),
            {"kind": "scale_out", "count": self.nodes, "at": stamp(every[0]["scale_out_decided"])},
        ]
        for node, at in enumerate(every):
            returned = at["submit_returned"]
            said.append(
                {
                    "kind": "block",
                    "block": str(node),
                    "job": str(100 + node),
                    "called": stamp(returned - 0.125),
                    "returned": stamp(returned),
                }
            )
        for node, at in enumerate(every):
            said.append(
                {"kind": "registered", "block": str(node), "pool": f"pool{node}", "at": at["manager_registered"]}
            )
            said += [self._task(node, task, at, theirs) for task in (node, node + self.nodes)]
        if self.ahead_s is not None:
            told = self.ahead_s if self.told_ahead_s is None else self.told_ahead_s
            said += [
                {
                    "kind": "offset",
                    "host": pseudonym(f"host{n}"),
                    "boot": pseudonym(f"host{n}"),
                    "ahead_s": told,
                    "within_s": self.within_s,
                }
                for n in range(self.nodes)
            ]
        called = last + 6.0 + IDLE_S
        said.append(
            {
                "kind": "cancelled",
                "jobs": [str(100 + node) for node in range(self.nodes)],
                "called": stamp(called, self.step_s),
                "returned": stamp(called + 0.25, self.step_s),
            }
        )
        said.append({"kind": "end", "outcome": "all", "trouble": None, "at": stamp(called + 1, self.step_s)})
        return said

    def _task(self, node: int, task: int, at: Mapping[str, float], theirs: float) -> dict[str, Any]:
        """Its first one, or the one after that, a second later."""
        again = 6.0 if task >= self.nodes else 0.0
        host = pseudonym(f"host{node}") if self.ahead_s is not None else OURS
        started, ended, received = (
            at[n] + again for n in ("first_task_started", "first_task_ended", "result_received")
        )
        return {
            "kind": "task",
            "task": task,
            "block": str(node),
            "pool": f"pool{node}",
            "node": pseudonym(f"node{node}"),
            "host": host,
            "boot": host,
            "python": "CPython 3.11.7",
            "parsl": "2026.10.26",
            "sees_run_dir": True,
            "started": [started + theirs, started - ZERO + 77.0],
            "ended": [ended + theirs, ended - ZERO + 77.0],
            "script": at["script_started"] + theirs,
            "pool_at": at["pool_started"] + theirs,
            "received": stamp(received, self.step_s),
            "gathered": received + self.step_s + 0.125,
        }

    def jobs(self) -> tuple[Job, ...]:
        """What the scheduler says, by its own clock."""
        if not self.batch:
            return ()
        last = max(self.instants(node)["result_received"] for node in range(self.nodes))
        made = []
        for node in range(self.nodes):
            at = {name: when + self.scheduler_s for name, when in self.instants(node).items()}
            name = f"n{node}"
            boot = NodeBoot(
                node=name, asked=by_scheduler(at["power_up_asked"]), registered=by_scheduler(at["node_booted"])
            )
            made.append(
                Job(
                    job_id=str(100 + node),
                    # Within sbatch: it says the id a little after the scheduler has taken the job.
                    pending=by_scheduler(at["submit_returned"] - 0.0625),
                    allocated=by_scheduler(at["job_allocated"]),
                    started=by_scheduler(at["script_started"] - 0.0625),
                    ended=by_scheduler(last + 6.0 + IDLE_S + RELEASE_S + self.scheduler_s),
                    state="CANCELLED",
                    nodes=(name,),
                    boots=(boot,) if self.kind == "cold" else (),
                )
            )
        return tuple(made)

    def run(self, exit_: Exit = ENDED) -> ChildRun:
        """The child as it is read from its log."""
        return child(f"{self.number * 2:02}-{self.kind}-{self.number}", self.answers(), self.jobs(), exit_)


def child(name: str, answers: Sequence[Mapping[str, Any]], jobs: tuple[Job, ...] = (), exit_: Exit = ENDED) -> ChildRun:
    """A child that said that."""
    lines = tuple(Line(n / 10, "stdout", json.dumps(answer)) for n, answer in enumerate(answers))
    return ChildRun(ChildLog(name, None, lines, exit_), jobs)


def nodes_run(nodes: int = 3, exit_: Exit = ENDED, **changes: Any) -> ChildRun:
    """The child before the first round: every node says who it is."""
    begin = Planted().answers()[0]
    facts = {"pseudonym": OURS, "cpu_count": 4}
    said = [
        {
            "kind": "node",
            "block": str(node),
            "pool": f"pool{node}",
            "node": pseudonym(f"node{node}"),
            "host": OURS,
            "boot": OURS,
            "python": "CPython 3.11.7",
            "parsl": "2026.10.26",
            "sees_run_dir": True,
            "facts": facts,
            **changes,
        }
        for node in range(nodes)
    ]
    end = {"kind": "end", "outcome": "all", "trouble": None, "at": stamp(ZERO - 10)}
    return child("01-nodes", [begin, *said, end], (), exit_)


def setup(provider: str = "SlurmProvider") -> Setup:
    """A described config."""
    return Setup(
        config=ConfigDescription(
            name="slurm_fake",
            params={},
            fingerprint="a" * 64,
            source="config = ...\n",
            source_sha256="b" * 64,
            executors=(
                ExecutorDescription(
                    label="htex",
                    class_name="HighThroughputExecutor",
                    provider_class=provider,
                    launcher_class="SingleNodeLauncher",
                ),
            ),
            parsl_version="2026.10.26",
            python_version="3.11.7",
            python_implementation="CPython",
            packages={"parsl": "2026.10.26"},
            parsl_perf=Path("/nowhere/parsl-perf"),
            parsl_perf_flags=(),
            monitoring=False,
            usage_tracking=False,
        ),
        host=Host(cpu_count=8, cpu_usable=4),
    )

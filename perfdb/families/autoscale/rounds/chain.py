"""One round, joined: what its child stamped, what the nodes told, and what the scheduler knows of its jobs. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from perfdb.families.autoscale.rounds.answers import Answer, Begin, ClockAsked, Ended, Failed, Gone, Submitted
from perfdb.families.autoscale.rounds.clocks import Clocks
from perfdb.families.autoscale.rounds.heard import Heard, heard
from perfdb.families.autoscale.rounds.lives import (
    EPOCH_S,
    INTERCHANGE,
    SCRIPT,
    WORKLOAD,
    BlockLife,
    lives,
    milestones_of_boot,
)
from perfdb.families.autoscale.rounds.stages import Told
from perfdb.platforms import Job
from perfdb.platforms.base import NodeBoot

# The kernel counts in clock ticks.
TICK_S = 0.01
TASK = "the task, on its node"


@dataclass(frozen=True)
class Acquisition:
    """A node that was acquired: one worker pool that ran a task.

    Attributes:
        ordinal: Which of the round's nodes it was, from 1, by the start of their first tasks.
        milestones: By name; None for one that had nothing to wait for; one that nobody told is not there.
        booted: Whether it was powered up for this; None where nobody knows.
        clocked_total_s: From the round's first submission to the first task's result, on the process's monotonic clock.
        seed_s: From the submission of the first task, in their order, that ran here until the loop over results had it.
        late_s: How long its manager had been there before its first task was submitted; 0 where that waited for it.
        software: Python's and Parsl's versions there, and whether it sees the run folder.
        used_s: During which at least one task ran.
        last_task_ended: The end of the last task, those that only told the clock included.
    """

    block: str
    pool: str
    node: str
    ordinal: int
    milestones: Mapping[str, Told | None]
    booted: bool | None
    clocked_total_s: float
    seed_s: float | None
    late_s: float
    software: tuple[str, str, bool]
    used_s: float
    last_task_ended: Told


@dataclass(frozen=True)
class Round:
    """A round as far as it got. `submitted` is None where it had not begun."""

    kind: str
    number: int
    begin: Begin | None
    submitted: Submitted | None
    acquisitions: tuple[Acquisition, ...]
    blocks: tuple[BlockLife, ...]
    end: Gone | None
    clocks: Clocks
    failed: tuple[Failed, ...] = ()

    @property
    def name(self) -> str:
        """As its child is called."""
        return f"{self.kind}-{self.number}"

    @property
    def nodes_per_block(self) -> int:
        """What the config asks for."""
        return self.begin.nodes_per_block if self.begin else 1


def read_round(kind: str, number: int, answers: Sequence[Answer], jobs: Sequence[Job], powers: bool) -> Round:
    """What those answers and jobs say of one round.

    Args:
        kind: `cold` or `warm`, as it was meant.
        jobs: The scheduler's own account; names of nodes are real ones or the pseudonyms that tasks tell.
        powers: Whether the platform powers nodes up as they are wanted, so that a job without a boot found its node up.
    """
    told = heard(answers)
    clocks = Clocks(told.begin, told.offsets, told.tasks)
    blocks = lives(told, {job.job_id: job for job in jobs})
    acquired = [
        _acquisition(tasks, told, told.first, blocks.get(block), clocks, powers)
        for (block, _), tasks in told.pools.items()
        if told.first is not None
    ]
    acquired.sort(key=lambda a: (_at(a.milestones["first_task_started"]), a.block, a.pool))
    return Round(
        kind=kind,
        number=number,
        begin=told.begin,
        submitted=told.first,
        acquisitions=tuple(replace(a, ordinal=ordinal) for ordinal, a in enumerate(acquired, 1)),
        blocks=tuple(blocks.values()),
        end=told.end,
        clocks=clocks,
        failed=tuple(told.failed),
    )


def _at(told: Told | None) -> float:
    return told.at if told is not None else math.inf


def _acquisition(
    tasks: Sequence[Ended],
    told: Heard,
    submitted: Submitted,
    life: BlockLife | None,
    clocks: Clocks,
    powers: bool,
) -> Acquisition:
    pool = (tasks[0].block, tasks[0].pool)
    busy: list[Ended | ClockAsked] = [*tasks, *(c for c in told.clocks_asked if (c.block, c.pool) == pool)]
    first = min(tasks, key=lambda t: clocks.here(t.boot, t.started[0], 0.0, "").at)
    job = life.job if life else None
    milestones: dict[str, Told | None] = {"task_submitted": Told(submitted.at[0], EPOCH_S, WORKLOAD)}
    if life:
        own = ("scale_out_decided", "submit_returned", "job_pending", "job_allocated")
        milestones |= {name: life.milestones[name] for name in own if name in life.milestones}
    booted = _booted(first, job, told.nodes_per_block, powers)
    if isinstance(booted, NodeBoot):
        milestones |= milestones_of_boot(booted)
    elif booted is False:
        milestones |= {"power_up_asked": None, "node_booted": None}

    def stamp(at: float, resolution_s: float, source: str) -> Told:
        return clocks.here(first.boot, at, resolution_s, source)

    if first.script is not None:
        milestones["script_started"] = stamp(first.script, EPOCH_S, SCRIPT)
    if first.pool_at is not None:
        milestones["pool_started"] = stamp(first.pool_at, TICK_S, "the kernel of its node")
    if (known := told.registered.get((first.block, first.pool))) is not None:
        milestones["manager_registered"] = Told(known.at, EPOCH_S, INTERCHANGE)
    milestones["first_task_started"] = stamp(first.started[0], EPOCH_S, TASK)
    milestones["first_task_ended"] = stamp(first.ended[0], EPOCH_S, TASK)
    milestones["result_received"] = Told(first.received[0], EPOCH_S, WORKLOAD)
    return Acquisition(
        block=first.block,
        pool=first.pool,
        node=first.node,
        ordinal=0,
        milestones=milestones,
        booted=None if booted is None else bool(booted),
        clocked_total_s=first.received[1] - submitted.at[1],
        seed_s=_seed_s(tasks, told),
        late_s=_late_s(first, told),
        software=(first.python, first.parsl, first.sees_run_dir),
        used_s=_union_s([(t.started[1], t.ended[1]) for t in tasks]),
        last_task_ended=max(
            (clocks.here(t.boot, t.ended[0], EPOCH_S, TASK) for t in busy),
            key=lambda told: told.at,
        ),
    )


def _booted(task: Ended, job: Job | None, nodes_per_block: int, powers: bool) -> NodeBoot | bool | None:
    """The boot of the node that ran this task; False where it was up, None where nobody knows."""
    if job is None or not powers or (job.state is None and job.pending is None):
        return None
    for boot in reversed(job.boots):
        if boot.node == task.node:
            return boot
    if not job.boots or task.node in job.nodes:
        return False
    if nodes_per_block > 1 or len(job.nodes) > 1:
        return None
    return next((boot for boot in reversed(job.boots) if boot.node in job.nodes), job.boots[-1])


def _seed_s(tasks: Sequence[Ended], told: Heard) -> float | None:
    first = min((t for t in tasks if t.gathered is not None), key=lambda t: t.task, default=None)
    own = told.submitted.get(first.task) if first else None
    return first.gathered - own.at[0] if first and first.gathered is not None and own else None


def _late_s(first: Ended, told: Heard) -> float:
    manager, sent = told.registered.get((first.block, first.pool)), told.submitted.get(first.task)
    return max(0.0, sent.at[0] - manager.at) if manager and sent else 0.0


def _union_s(spans: Sequence[tuple[float, float]]) -> float:
    """Seconds that are in at least one of the spans."""
    total, reached = 0.0, -math.inf
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total

"""One block from its submission to its release, as the workload and the scheduler tell it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from perfdb.families.autoscale.rounds.answers import Block, Cancelled, Ended
from perfdb.families.autoscale.rounds.heard import Heard
from perfdb.families.autoscale.rounds.stages import Told
from perfdb.platforms import Job
from perfdb.platforms.base import NodeBoot, Stamp

# Nanoseconds since 1970 as a float.
EPOCH_S = 1e-6
WORKLOAD = "the workload's process"
SCRIPT = "the job script, on its node"
INTERCHANGE = "Parsl's interchange.log"


class Held(NamedTuple):
    """Node-seconds that a block held for each of its pools, how far off they may be, and from when to when that is."""

    seconds: float
    resolution_s: float
    source: str


@dataclass(frozen=True)
class BlockLife:
    """One block from its submission to its release.

    Attributes:
        milestones: Those of the block itself, up to its job script.
        registered: How many of its pools the interchange knew.
        missing: How many of its nodes ran no task.
        allocated: What each of its pools costs; None where nobody tells.
    """

    block: str
    submitted: Block | None
    job: Job | None
    milestones: Mapping[str, Told | None]
    registered: int
    missing: int
    allocated: Held | None
    cancel_called: Told | None
    cancel_returned: Told | None
    job_ended: Told | None
    last_words: str


def lives(heard: Heard, jobs: Mapping[str, Job]) -> dict[str, BlockLife]:
    """Every block that was submitted, registered or worked, by name, in the order of their names."""
    names = {*heard.blocks, *(block for block, _ in heard.registered), *(task.block for task in heard.tasks)}
    pools = heard.pools
    return {name: _life(name, heard, jobs, pools) for name in sorted(names, key=lambda name: (len(name), name))}


def milestones_of_boot(boot: NodeBoot) -> Iterator[tuple[str, Told]]:
    """When the node was asked to power up, and when it was there."""
    for name, stamp in (("power_up_asked", boot.asked), ("node_booted", boot.registered)):
        told = _of_scheduler(stamp)
        if told is not None:
            yield name, told


def _life(
    name: str, heard: Heard, jobs: Mapping[str, Job], pools: Mapping[tuple[str, str], Sequence[Ended]]
) -> BlockLife:
    block = heard.blocks.get(name)
    job = jobs.get(block.job or "") if block else None
    cancelled = heard.cancelled.get(block.job or "") if block else None
    worked = {key for key in pools if key[0] == name}
    milestones = dict(_milestones_of_block(block, job, heard))
    missing = max(0, heard.nodes_per_block - len(worked))
    if missing:
        milestones |= _milestones_of_missing(name, block, job, heard, worked)
    return BlockLife(
        block=name,
        submitted=block,
        job=job,
        milestones=milestones,
        registered=len(worked | {key for key in heard.registered if key[0] == name}),
        missing=missing,
        allocated=_for_each_pool(_allocated(block, job, bool(jobs), cancelled), job, heard.nodes_per_block),
        cancel_called=Told(cancelled.called[0], EPOCH_S, WORKLOAD) if cancelled else None,
        cancel_returned=Told(cancelled.returned[0], EPOCH_S, WORKLOAD) if cancelled else None,
        job_ended=_of_scheduler(job.ended) if job else None,
        last_words=heard.last_words.get(name, ""),
    )


def _milestones_of_block(block: Block | None, job: Job | None, heard: Heard) -> Iterator[tuple[str, Told]]:
    if heard.first is not None:
        yield "task_submitted", Told(heard.first.at[0], EPOCH_S, WORKLOAD)
    if block is None:
        return
    asked = max((s for s in heard.scale_outs if s.at[1] <= block.called[1]), key=lambda s: s.at[1], default=None)
    if asked is not None:
        yield "scale_out_decided", Told(asked.at[0], EPOCH_S, WORKLOAD)
    if block.job is not None:
        yield "submit_returned", Told(block.returned[0], EPOCH_S, WORKLOAD)
    for name, stamp in (("job_pending", job.pending), ("job_allocated", job.allocated)) if job else ():
        told = _of_scheduler(stamp)
        if told is not None:
            yield name, told


def _milestones_of_missing(
    name: str, block: Block | None, job: Job | None, heard: Heard, worked: set[tuple[str, str]]
) -> dict[str, Told]:
    """How far a node came that ran no task, as far as its block tells."""
    found = dict(milestones_of_boot(job.boots[-1])) if job and job.boots else {}
    script = heard.scripts.get(block.job or "") if block else None
    if script is not None:
        found["script_started"] = Told(script.started, EPOCH_S, SCRIPT)
    idle = [told.at for key, told in heard.registered.items() if key[0] == name and key not in worked]
    if idle:
        found["manager_registered"] = Told(min(idle), EPOCH_S, INTERCHANGE)
    return found


def _of_scheduler(stamp: Stamp | None) -> Told | None:
    return Told(stamp.at.timestamp(), stamp.resolution_s, stamp.source) if stamp else None


def _for_each_pool(held: Held | None, job: Job | None, pools: int) -> Held | None:
    """A launcher may start fewer pools than the job has nodes; all of them are held."""
    nodes = max(1.0, len(job.nodes) / pools) if job else 1.0
    return held._replace(seconds=held.seconds * nodes, resolution_s=held.resolution_s * nodes) if held else None


def _allocated(block: Block | None, job: Job | None, batch: bool, cancelled: Cancelled | None) -> Held | None:
    """For how long it held one node, by the scheduler's times; by ours where there is no scheduler."""
    if block is None:
        return None
    if block.job is None:
        return Held(0.0, 0.0, "nothing was granted")
    if job is not None and job.restarts:
        return None  # what it held before it was requeued, nobody tells
    if job is not None:
        begun, since = (job.allocated, "allocated") if job.allocated else (job.started, "started")
        if begun is not None and job.ended is not None:
            taken = max(0.0, (job.ended.at - begun.at).total_seconds())
            return Held(
                taken, begun.resolution_s + job.ended.resolution_s, f"job {since} to job ended, by the scheduler"
            )
        if begun is None and job.state in ("PENDING", "CANCELLED"):
            return Held(0.0, 0.0, "the scheduler never started the job")
        return None
    if batch or cancelled is None:
        return None
    taken = max(0.0, cancelled.returned[1] - block.returned[1])
    return Held(taken, 2 * EPOCH_S, "provider.submit's return to provider.cancel's return")

"""The way from a task's submission to its run on a node that was acquired for it: the milestones, in order.

A stage is the time that a milestone took, counted from the latest one before it. A milestone that fell before one that
stands earlier here (Slurm may start a job before sbatch has returned) adds nothing: its stage is 0. So the stages of a
node add up to its total whichever milestones are known. What is out of order is told by `causes`, not by the place here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Milestone:
    """One event on the way.

    Attributes:
        name: As in samples; the stage that it ends has the same name.
        definition: What happened, and who saw it.
        causes: Milestones without which it cannot have happened, so that it is never before them.
    """

    name: str
    definition: str
    causes: tuple[str, ...] = ()


CHAIN = (
    Milestone("task_submitted", "the round's first task was handed to Parsl; stamped by the workload"),
    Milestone(
        "scale_out_decided",
        "Parsl's strategy asked its executor for blocks; stamped in the process",
        ("task_submitted",),
    ),
    Milestone(
        "submit_returned", "provider.submit returned with the job's id; stamped in the process", ("scale_out_decided",)
    ),
    Milestone("job_pending", "the scheduler took the job; the scheduler's own time", ("scale_out_decided",)),
    Milestone(
        "job_allocated",
        "the scheduler gave the job its nodes, for the last time where it was requeued; the scheduler's own time",
        ("job_pending",),
    ),
    Milestone(
        "power_up_asked",
        "the scheduler asked for the node to be powered up; nothing where it was up",
        ("job_allocated",),
    ),
    Milestone(
        "node_booted", "the node's daemon registered with the scheduler; nothing where it was up", ("power_up_asked",)
    ),
    Milestone(
        "script_started",
        "the job script's first line ran, before worker_init; stamped by the script",
        ("job_allocated", "node_booted"),
    ),
    Milestone(
        "pool_started", "the worker pool's process was created; the kernel's time on the node", ("script_started",)
    ),
    Milestone(
        "manager_registered", "the interchange knew the node's manager; Parsl's interchange.log", ("pool_started",)
    ),
    Milestone(
        "first_task_started",
        "the first task on the node began; stamped by the task on the node",
        ("manager_registered",),
    ),
    Milestone("first_task_ended", "that task ended; stamped by the task on the node", ("first_task_started",)),
    Milestone(
        "result_received", "its result was in the submitting process's hands; stamped there", ("first_task_ended",)
    ),
)
MILESTONES = {milestone.name: milestone for milestone in CHAIN}

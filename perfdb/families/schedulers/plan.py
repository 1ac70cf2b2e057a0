"""What a child is to do: the JSON that it gets in PERFDB_SCHEDULERS_PLAN."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

VARIABLE = "PERFDB_SCHEDULERS_PLAN"
# Of LAMMPS, for a second that a job is to run, in every arm: about as many of the melt as a core of 2020 does in half of it.
STEPS_PER_S = 200


class Workload(BaseModel):
    """From what a list of jobs is made. A child makes it again, and refuses to go on where the digest is another one.

    Attributes:
        source: A built-in name, or the whole path of a .toml or .swf file.
        nodes, seed, load, jobs, compress: As in the spec.
        sha256: The list's digest, see `workload.job.digest`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    nodes: int
    seed: int
    load: float
    jobs: int
    compress: float
    sha256: str


class Delays(BaseModel):
    """Of a simulated arm: seconds that a real scheduler takes.

    Attributes:
        schedule_s: From when a job could start (it is there, and so are its nodes) to when its program begins.
        release_s: From the end of its program to when its nodes are free.
        cycle_s: The scheduler looks at its queue only so often; 0 for whenever something happens. What a job waits for that comes
            on top of `schedule_s`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schedule_s: float
    release_s: float
    cycle_s: float = 0.0


class Plan(BaseModel):
    """One arm, once.

    Attributes:
        arm: As `arms.Arm.label` says it; the child parses it again.
        iteration: From 1. batches: how often the list is given to the scheduler, the next time when the one before is over.
        nodes: How many the scheduler is to have.
        job: What a job does for its `run_s`: `sleep`, `burn` (one CPU of each node), or a `lammps` run of
            `STEPS_PER_S` steps for each second of it.
        patience_s: After the last arrival of a batch; what is not over then is ended, and told as censored.
        kubernetes: The text of the arm's description, as JSON, where it is of that kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    arm: str
    iteration: int
    batches: int
    nodes: int
    workload: Workload
    job: Literal["sleep", "burn", "lammps"]
    patience_s: float
    delays: Delays
    kubernetes: str = ""

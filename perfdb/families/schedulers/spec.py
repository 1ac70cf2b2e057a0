"""What a run that sets schedulers against each other can be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from perfdb.families.schedulers.arms import Arm, parse
from perfdb.families.schedulers.plan import Delays
from perfdb.families.schedulers.workload.job import (
    HIGHEST_LOAD,
    HIGHEST_SEED,
    LONGEST_S,
    LOWEST_LOAD,
    MOST_JOBS,
    MOST_NODES,
    WorkJob,
)

# What a record has in place of the path.
KUBERNETES_FILE = "a file of the user's"
# To begin and end a job, and for whatever else may be slow.
_A_JOB_MORE_S, _MORE_S = 5.0, 120.0
_Delay = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]


class SchedulersSpec(BaseModel):
    """The arms, the list of jobs, and how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arms: Annotated[str, Field(max_length=1000)] = Field(
        "slurm:backfill,slurm:builtin",
        description="the schedulers that take turns: slurm[:WORD+WORD…], slurm=NAME, mini-slurm, kubernetes:NAME, simulated:POLICY; "
        "of the first one all others are told the difference",
    )
    iters: Annotated[int, Field(ge=1, le=1000)] = Field(
        5, description="how often each arm gets the list; from 6 on a difference has an interval of 95 %"
    )
    batches: Annotated[int, Field(ge=1, le=1000)] = Field(
        1, description="how often an arm gets the list in one iteration, the next time when all jobs are over"
    )
    nodes: Annotated[int, Field(ge=1, le=MOST_NODES)] = Field(4, description="nodes that each scheduler has")
    seed: Annotated[int, Field(ge=0, le=HIGHEST_SEED)] = Field(1, description="of the list: one seed, one list of jobs")
    load: Annotated[float, Field(ge=LOWEST_LOAD, le=HIGHEST_LOAD, allow_inf_nan=False)] = Field(
        0.7, description="node-seconds that arrive, over those that there are; of lists that arrive at random"
    )
    jobs: Annotated[int, Field(ge=0, le=MOST_JOBS)] = Field(
        0, description="how many jobs the list has; 0 for as many as it has by itself"
    )
    compress: Annotated[float, Field(ge=1e-3, le=1e6, allow_inf_nan=False)] = Field(
        1.0, description="divide arrivals and run times by this, for a trace of days"
    )
    job: Literal["sleep", "burn", "lammps"] = Field(
        "sleep", description="what a job does: `sleep`, `burn` (one CPU of each node), or run `lammps`"
    )
    patience_s: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] | None = Field(
        None,
        description="seconds after a batch's last arrival after which jobs that are not over are ended, and kept as censored; without "
        "it, as long as the list takes one job after another, and some more",
    )
    schedule_delay_s: _Delay = Field(
        0.0,
        description="of simulated arms: seconds from when a job could start to its start; `perfdb schedulers fit` tells",
    )
    release_delay_s: _Delay = Field(
        0.0, description="of simulated arms: seconds from a job's end until its nodes are free"
    )
    schedule_cycle_s: _Delay = Field(
        0.0,
        description="of simulated arms: seconds from one look at the queue to the next; 0 to look whenever something happens",
    )
    kubernetes: Annotated[str, Field(max_length=4000)] | None = Field(
        None, description="a TOML file that describes arms of the kind kubernetes:NAME"
    )
    yes: bool = Field(False, description="make the objects that arms of Kubernetes need in the cluster, unasked")

    @field_validator("arms")
    @classmethod
    def _names_arms(cls, text: str) -> str:
        return ",".join(arm.label for arm in parse(text))

    @property
    def parsed(self) -> tuple[Arm, ...]:
        """The arms, in order."""
        return parse(self.arms)

    @property
    def delays(self) -> Delays:
        """Of simulated arms."""
        return Delays(schedule_s=self.schedule_delay_s, release_s=self.release_delay_s, cycle_s=self.schedule_cycle_s)

    def patience_for(self, jobs: Sequence[WorkJob]) -> float:
        """Seconds after a batch's last arrival that its jobs have: as asked for, else what the slowest scheduler may take."""
        if self.patience_s is not None:
            return self.patience_s
        return min(LONGEST_S, sum(min(job.run_s, job.limit_s) + _A_JOB_MORE_S for job in jobs) + _MORE_S)

    def order(self, iteration: int) -> tuple[tuple[int, Arm], ...]:
        """The arms of an iteration by their places: every second time backwards, so that a drift is shared by all."""
        placed = tuple(enumerate(self.parsed, start=1))
        return placed if iteration % 2 else placed[::-1]

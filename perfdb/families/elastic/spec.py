"""What an elastic run can be asked for."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from perfdb.families.elastic.events import Arm
from perfdb.families.elastic.mix import Class, MixJob, mix_of

MOST_OF_A_CLASS = 200
ARMS: tuple[Arm, ...] = ("off", "on", "threshold")
_Jobs = Annotated[int, Field(ge=0, le=MOST_OF_A_CLASS)]
_Units = Annotated[int, Field(ge=1, le=100_000)]
_Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class ElasticSpec(BaseModel):
    """The mix of jobs, the rules of the scheduler, and how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reps: Annotated[int, Field(ge=1, le=1000)] = Field(
        6, description="how often the mix is run in each arm; from 6 on a difference has an interval of 95 %"
    )
    cpus: Annotated[int, Field(ge=1, le=10_000)] = Field(
        2, description="CPUs that the scheduler gives; of slurm, nodes"
    )
    overcommit: bool = Field(
        False, description="let --cpus be more than the machine has, for --work sleep; the record says so"
    )
    seed: Annotated[int, Field(ge=0, lt=2**53)] = Field(1, description="of the mix: one seed, one list of jobs")
    elastic_jobs: _Jobs = Field(2, description="elastic jobs, of one CPU that may become all of them")
    rigid_jobs: _Jobs = Field(1, description="rigid jobs of the same priority, of up to half the CPUs")
    urgent_jobs: _Jobs = Field(3, description="rigid jobs of a higher priority, of up to half the CPUs")
    elastic_units: _Units = Field(40, description="units of work of an elastic job, on average")
    rigid_units: _Units = Field(10, description="units of work of a rigid job, on average")
    urgent_units: _Units = Field(8, description="units of work of an urgent job, on average")
    unit_s: Annotated[float, Field(ge=0.001, le=3600, allow_inf_nan=False)] = Field(
        0.03, description="seconds of a unit of work on one CPU"
    )
    work: Literal["burn", "sleep"] = Field("burn", description="`burn`: a unit is CPU time; `sleep`: it only lasts")
    on_shrink: Literal["finish", "drop"] = Field(
        "finish", description="units on CPUs to be given back: `finish` them first, or `drop` them and do them again"
    )
    arrive_within_s: _Seconds = Field(2.0, description="seconds in which the jobs arrive, at random")
    threshold: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = Field(
        75.0, description="of the arm threshold: jobs grow while less than this percentage of the CPUs is promised"
    )
    cooldown_s: _Seconds = Field(0.3, description="so long after a resize a job does not grow")
    patience_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = Field(
        120.0, description="seconds after the last arrival after which what still runs is ended"
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if not self.elastic_jobs:
            raise ValueError("without an elastic job nothing is resized: --elastic-jobs is at least 1")
        if self.overcommit and self.work != "sleep":
            raise ValueError("--overcommit is for jobs that leave the CPUs idle: add --work sleep")
        return self

    @property
    def mix(self) -> tuple[MixJob, ...]:
        """The jobs, in order of arrival; the same in every arm and repetition."""
        counts: dict[Class, int] = {
            "elastic": self.elastic_jobs,
            "rigid": self.rigid_jobs,
            "urgent": self.urgent_jobs,
        }
        units: dict[Class, int] = {
            "elastic": self.elastic_units,
            "rigid": self.rigid_units,
            "urgent": self.urgent_units,
        }
        return mix_of(self.seed, self.cpus, counts, units, self.arrive_within_s)

    def order(self, repetition: int) -> tuple[Arm, ...]:
        """The arms of a repetition: every second one the other way round, so that a drift is shared by all."""
        return ARMS if repetition % 2 else ARMS[::-1]

"""What a child is to do: the JSON that it gets in PERFDB_ELASTIC_PLAN."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from perfdb.families.elastic.events import Arm, Target
from perfdb.families.elastic.mix import MixJob

VARIABLE = "PERFDB_ELASTIC_PLAN"


class Plan(BaseModel):
    """One arm, once.

    Attributes:
        mix: The jobs; `mix_sha256` is what `begin` says of them.
        cpus: What the scheduler is to give: CPUs, or nodes of Slurm.
        overcommit: Whether that may be more than there is.
        elastic: Whether jobs are resized at all.
        threshold_percent: Jobs grow only while less than this share is promised.
        cooldown_s: A job does not grow so soon after a resize.
        release_s: What a job that was told to shrink has, to let go.
        unit_s: Of a unit of work: CPU seconds with `work` burn, seconds with `sleep`.
        on_shrink: Units under way on CPUs that are to be given back are finished, or dropped and done again.
        patience_s: After the last arrival; what is not over then is ended.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target
    arm: Arm
    mix: tuple[MixJob, ...]
    mix_sha256: str
    cpus: int
    overcommit: bool
    elastic: bool
    threshold_percent: float
    cooldown_s: float
    release_s: float
    unit_s: float
    work: Literal["burn", "sleep"]
    on_shrink: Literal["finish", "drop"]
    patience_s: float

"""What an autoscale run can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from perfdb.record import Scalar

_Seconds = Annotated[float, Field(gt=0, le=7 * 86400, allow_inf_nan=False)]


class AutoscaleSpec(BaseModel):
    """The workload, how often it scales from zero, and how long to wait for what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: Annotated[int, Field(ge=1, le=10_000)] = Field(
        12, description="tasks of each round; further ones keep some waiting until every node has run one"
    )
    task_s: _Seconds = Field(5.0, description="seconds that each task takes")
    reps: Annotated[int, Field(ge=1, le=1000)] = Field(
        5,
        validation_alias=AliasChoices("rounds", "reps"),
        description="rounds, each from zero nodes; where nodes are powered up on demand, as many warm ones besides",
    )
    blocks: Annotated[int, Field(ge=1, le=1000)] = Field(3, description="blocks to scale out to (max_blocks)")
    acquire_timeout_s: _Seconds = Field(600.0, description="seconds to wait for every node to have run a task")
    release_timeout_s: _Seconds = Field(
        600.0,
        description="seconds to wait, after a round, for the blocks to be scaled in, and then for the nodes to be powered down",
    )
    clock_offset_s: _Seconds = Field(
        0.1, description="most that a host's clock may be off the submit host's for a valid record"
    )

    @model_validator(mode="before")
    @classmethod
    def _given_once(cls, given: object) -> object:
        if isinstance(given, Mapping) and {"rounds", "reps"} <= given.keys():
            raise ValueError("rounds and reps are two names of one thing, so give one of them")
        return given

    @property
    def rounds(self) -> int:
        """The repetitions of this family."""
        return self.reps

    def overrides(self) -> Mapping[str, Scalar]:
        """What the config's provider is set to: it scales from zero."""
        return {"provider.init_blocks": 0, "provider.min_blocks": 0, "provider.max_blocks": self.blocks}

"""A serverless platform as a few given numbers, and the curve of cores that they make. Pure.

A core is granted, and then starts. Grants come one after another, a core each `seconds_per_core`. A core that is kept
warm is ready when it is granted; any other one needs `cold_start_s` more, and of those at most `concurrency` start at a
time. With p, d and c for these three, w cores kept warm, and k counted from 1:

    granted(k) = k * p
    ready(k)   = granted(k)                                   for k <= w
    ready(k)   = max(granted(k), ready(k - c)) + d            for k > w, ready(k - c) only where k > c

So p alone is one core each p seconds; p = 0 and c = 1 is one cold start after another; c without a limit lets all overlap.
"""

from __future__ import annotations

import tomllib
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from perfdb.errors import UsageError
from perfdb.families.autoscale.analysis.curves import Curve

_Seconds = Annotated[float, Field(ge=0, le=7 * 86400, allow_inf_nan=False, strict=True)]
_Text = Annotated[str, Field(min_length=1, max_length=200)]
MOST_CORES = 10_000


class Serverless(BaseModel):
    """What is said of a serverless platform. Nothing of it is measured, and nothing but what is said is assumed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    given_by: _Text = Field(description="who says so, such as a paper or a provider's page")
    seconds_per_core: _Seconds = Field(description="seconds from one grant of a core to the next")
    cold_start_s: _Seconds = Field(
        0.0, description="seconds from a core's grant to its readiness, where it is not kept warm"
    )
    concurrency: Annotated[int, Field(ge=1, le=MOST_CORES, strict=True)] | None = Field(
        None, description="cold starts that may overlap; no limit unless said"
    )
    kept_warm: Annotated[int, Field(ge=0, le=MOST_CORES, strict=True)] = Field(
        0, description="cores that are kept warm, and have no cold start"
    )

    @model_validator(mode="after")
    def _takes_time(self) -> Serverless:
        if self.seconds_per_core == 0 and (self.cold_start_s == 0 or self.kept_warm):
            raise ValueError("seconds_per_core and cold_start_s leave cores that take no time at all")
        return self

    def curve(self, cores: int) -> Curve:
        """The cores that are ready over time, up to so many."""
        return Curve.of([(at, 1) for at in self.ready_s(cores)])

    def ready_s(self, cores: int) -> tuple[float, ...]:
        """When each of so many cores is ready, in seconds; the formula stands above."""
        ready: list[float] = []
        for place in range(cores):
            granted = (place + 1) * self.seconds_per_core
            if place < self.kept_warm:
                ready.append(granted)
                continue
            before = place - self.concurrency if self.concurrency else -1
            free = ready[before] if before >= 0 else 0.0
            ready.append(max(granted, free) + self.cold_start_s)
        return tuple(ready)

    def scenarios(self) -> tuple[tuple[str, Serverless], ...]:
        """The same platform with its cold starts one after another, as it is, and with every core kept warm, under names.

        A platform whose cold starts do not overlap anyway is not told twice, and one that has nothing kept warm for which a
        grant takes no time has no warm one.
        """
        apart = self.model_copy(update={"concurrency": 1})
        warm = self.model_copy(update={"kept_warm": MOST_CORES})
        return (
            ("serverless in turn", apart),
            *((("serverless overlapping", self),) if self.concurrency != 1 else ()),
            *((("serverless kept warm", warm),) if self.seconds_per_core else ()),
        )

    @property
    def told(self) -> str:
        """The numbers, in words."""
        parts = [f"{self.seconds_per_core:g} s per core"]
        if self.kept_warm == MOST_CORES:
            return f"{parts[0]}, no cold start"
        if self.cold_start_s:
            many = "all overlapping" if self.concurrency is None else f"{self.concurrency} at a time"
            parts.append(f"cold start {self.cold_start_s:g} s, {many}")
        if self.kept_warm:
            parts.append(f"{self.kept_warm} kept warm")
        return ", ".join(parts)


def read_profile(text: str, name: str) -> Serverless:
    """A profile from TOML, a key for each field.

    Args:
        name: What to call the file in an error.

    Raises:
        UsageError: it is no TOML, or no profile.
    """
    try:
        told = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a plain ValueError
        raise UsageError(f"{name} is no TOML: {error}. {_EXAMPLE}") from error
    try:
        return Serverless.model_validate(told)
    except ValidationError as error:
        raise UsageError(f"{name} is no serverless profile: {faults_of(error)}. {_EXAMPLE}") from error


def faults_of(error: ValidationError) -> str:
    """What is wrong with a profile, in words."""
    faults = (
        (".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, ")) for fault in error.errors()
    )
    return "; ".join(f"{where}: {what}" if where else what for where, what in faults)


_EXAMPLE = (
    'Write, for example, given_by = "the provider\'s page" and seconds_per_core = 2.5 on two lines; cold_start_s, '
    "concurrency and kept_warm may follow."
)

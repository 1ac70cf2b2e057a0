"""Where a run happened: the submit host and the workers, apart."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from perfdb.record.labels import Label

Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
LONGEST_SETTING = 500
SettingName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.]*$", max_length=100)]
SettingValue = Annotated[StrictStr, Field(pattern=r"^[ -~]+$", max_length=LONGEST_SETTING)]


class Host(BaseModel):
    """What one host is, as seen from a process on it. Unknown stays None; nothing here names the host."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pseudonym: str | None = Field(None, description="salted hash that tells hosts of one registry apart")
    cpu_model: str | None = None
    cpu_count: Count | None = Field(None, description="logical CPUs of the host")
    cpu_usable: Count | None = Field(None, description="logical CPUs this process may run on")
    cpu_limit: Amount | None = Field(None, description="CPUs' worth of time the cgroup grants")
    memory_bytes: Count | None = None
    memory_limit_bytes: Count | None = Field(None, description="what the cgroup grants")
    os: str | None = None
    kernel: str | None = None
    architecture: str | None = None
    python: str | None = None
    packages: dict[str, StrictStr] = Field(default_factory=dict)


class Load(BaseModel):
    """The submit host's load averages over 1, 5 and 15 minutes, in runnable processes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    one: Amount
    five: Amount
    fifteen: Amount


class Environment(BaseModel):
    """The machine's label and everything about it that may move a number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: Label
    machine_fingerprint: str | None = None
    submit_host: Host | None = None
    workers: tuple[Host, ...] = ()
    scheduler: str | None = None
    scheduler_version: str | None = None
    scheduler_settings: Annotated[dict[SettingName, SettingValue], Field(min_length=1, max_length=64)] | None = Field(
        None, description="how the scheduler is set, by its own names, as far as that may move a number"
    )
    load_at_start: Load | None = None
    load_at_end: Load | None = None

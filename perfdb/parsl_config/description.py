"""A described config. Whatever of it is dumped or printed is redacted."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

ParamValue = str | int | float | bool | None


class ExecutorDescription(BaseModel):
    """One executor and what starts its workers; class names, short where the class is Parsl's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    class_name: str
    provider_class: str | None
    launcher_class: str | None


class ConfigDescription(BaseModel):
    """What a config sets up, under which Parsl.

    `overrides` are the params that were set in place of the file's values; `params` holds them already.
    `fingerprint` is the SHA-256 of the canonical redacted params, equal for equal set-ups. `secrets`, `run_dir` and
    `parsl_perf` are for this machine's use: they are neither dumped nor shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    params: dict[str, ParamValue]
    overrides: dict[str, ParamValue] = Field(default_factory=dict)
    fingerprint: str
    source: str
    source_sha256: str
    executors: tuple[ExecutorDescription, ...]
    parsl_version: str
    python_version: str
    python_implementation: str
    packages: dict[str, str]
    parsl_perf: Path | None = Field(default=None, exclude=True, repr=False)
    parsl_perf_flags: tuple[str, ...]
    run_dir: str = Field(default="", exclude=True, repr=False)
    monitoring: bool
    usage_tracking: bool
    secrets: tuple[str, ...] = Field(default=(), exclude=True, repr=False)

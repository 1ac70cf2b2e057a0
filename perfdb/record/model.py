"""The record: one immutable account of one run, schema version 1."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationInfo,
    model_validator,
)

from perfdb.record.canonical import LARGEST_INT, canonical_bytes, record_id_of
from perfdb.record.environment import Environment
from perfdb.record.labels import Label, RunName

SCHEMA_VERSION: Literal[1] = 1

Status = Literal["ok", "invalid", "failed", "timeout", "interrupted"]
Direction = Literal["higher", "lower", "none"]
Scalar = StrictBool | StrictInt | StrictFloat | StrictStr | None
Finite = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Uuid = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
ShortHash = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
RelativeName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$", max_length=200)
]
TagName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9 ._-]*$", max_length=100)]
TagValue = Annotated[str, Field(max_length=1000)]


def utc_text(instant: datetime) -> str:
    """An instant as `2026-11-21T02:28:00.123456Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("an instant lies within the years 1 to 9999") from error


Instant = Annotated[datetime, AfterValidator(_aware), PlainSerializer(utc_text, return_type=str)]


def _float_again(value: Any, info: ValidationInfo) -> Any:
    # Canonical JSON writes 1e16 with an integer's digits. So many digits were a float once: no such integer is written.
    if info.mode == "json" and type(value) is int and abs(value) > LARGEST_INT:
        try:
            return float(value)
        except OverflowError as error:
            raise ValueError("a number past what a float can hold") from error
    return value


StoredScalar = Annotated[Scalar, BeforeValidator(_float_again)]


class Frozen(BaseModel):
    """The base of every model here: what a record says never changes and never holds surprises."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Metric(Frozen):
    """One quantity: a single value, or one value for each repetition in order.

    A metric of one iteration carries `step` (counted from 1) and `repetition` (counted from 1).
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
    unit: Annotated[str, Field(max_length=40)]
    direction: Direction
    value: Finite | None = None
    values: tuple[Finite, ...] | None = None
    step: Annotated[int, Field(ge=1)] | None = None
    repetition: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_or_many(self) -> Self:
        if (self.value is None) == (self.values is None):
            raise ValueError("a metric has either `value` or `values`")
        if self.values is not None and not self.values:
            raise ValueError("`values` is empty: leave the metric out instead")
        return self

    @property
    def all_values(self) -> tuple[float, ...]:
        """Every value, one or many."""
        return self.values if self.values is not None else (self.value,)  # type: ignore[return-value]


class Check(Frozen):
    """One condition that a valid measurement meets."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
    passed: bool
    detail: Annotated[str, Field(max_length=2000)]


class Finding(Frozen):
    """One conclusion drawn from this run alone, with the evidence for it."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
    value: Annotated[str, Field(max_length=200)]
    evidence: Annotated[str, Field(max_length=2000)]


class ConfigRef(Frozen):
    """Which Parsl config was measured; the redacted source itself is an artifact."""

    name: Annotated[str, Field(max_length=200)]
    source_sha256: Sha256
    fingerprint: Sha256


class Code(Frozen):
    """What measured, and what was measured."""

    perfdb_version: str
    perfdb_commit: str | None = None
    perfdb_dirty: bool | None = None
    measured: dict[str, str] = Field(default_factory=dict, description="name -> version, e.g. parsl -> 2026.10.26")


class SampleFile(Frozen):
    """A Parquet file of raw samples."""

    file: RelativeName
    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]
    rows: Annotated[int, Field(ge=0)]
    columns: tuple[str, ...]


class Artifact(Frozen):
    """A file kept beside the record."""

    file: RelativeName
    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


class Origin(Frozen):
    """Whether perfdb measured this itself, or from where it was imported."""

    kind: Literal["measured", "imported"] = "measured"
    source_kind: str | None = None
    source: str | None = None
    source_sha256: Sha256 | None = None


class Sitting(Frozen):
    """Runs that took turns on one machine, so that whatever came and went there came to all of them alike.

    `turns` are the places of this run's children, in order, among all the sitting's children, counted from 1.
    """

    uuid: Uuid
    turns: tuple[Annotated[int, Field(ge=1)], ...]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if any(later <= earlier for earlier, later in pairwise(self.turns)):
            raise ValueError("`turns` are in order, each of them once")
        return self


class Record(Frozen):
    """One run, whole. `record_id` is derived from everything else; `Record.seal` computes it."""

    schema_version: Literal[1] = SCHEMA_VERSION
    record_id: ShortHash
    family: Label
    experiment: Label
    run_name: RunName
    status: Status
    reason: Annotated[str, Field(max_length=4000)] | None = None
    started_at: Instant
    ended_at: Instant
    duration_s: Seconds
    spec: dict[str, StoredScalar]
    params: dict[str, StoredScalar]
    config: ConfigRef | None = None
    environment: Environment
    code: Code
    metrics: tuple[Metric, ...] = ()
    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    samples: tuple[SampleFile, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    origin: Origin = Origin()
    tags: dict[TagName, TagValue] | None = Field(None, description="labels that the source of an imported run gave it")
    overrides: dict[str, StoredScalar] | None = Field(
        None, description="params that were set to these values in place of what the config's file says"
    )
    sitting: Sitting | None = Field(None, description="the runs that this one took turns with")
    reproduces: ShortHash | None = Field(None, description="the record whose run was to be done again")

    @classmethod
    def seal(cls, **fields: Any) -> Record:
        """A record with the id that its content asks for."""
        draft = cls.model_validate({**fields, "record_id": "0" * 16})
        return draft.model_copy(update={"record_id": record_id_of(draft.document())})

    def document(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_bytes(self) -> bytes:
        """The record's one canonical spelling, as it stands in `record.json`."""
        return canonical_bytes(self.document())

    def metric(self, name: str) -> Metric | None:
        """The run-level metric of that name (not one iteration's)."""
        return next((m for m in self.metrics if m.name == name and m.step is None), None)

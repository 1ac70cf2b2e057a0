"""From what an importer understood to a sealed record and its files. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any

from pydantic import ValidationError

from perfdb import __version__
from perfdb.errors import RecordError, UsageError
from perfdb.record import (
    Artifact,
    Check,
    Code,
    Environment,
    Finding,
    Metric,
    MetricDefinition,
    Origin,
    Record,
    Retraction,
    SampleFile,
    Scalar,
    Status,
    canonical_bytes,
    derived_uuid,
    sha256_hex,
)
from perfdb.registry.importers.imported import Imported, Options, Skipped
from perfdb.registry.samples import to_parquet
from perfdb.registry.store import SAMPLES_FILE

SOURCE_FILE = "artifacts/source.json"
_DAY_GIVEN = "the day was given at the import, it was not measured; the duration is unknown"


@dataclass(frozen=True)
class Draft:
    """What an importer knows of one run.

    Attributes:
        kind: Of the source.
        address: Where in the source, below its last folder; may be published.
        content: What the run is, raw and without people's names. Its hash tells whether it was imported before.
        kept: The run's raw source, masked.
        deleted_at: When its source deleted it; at the earliest, where `deletion_known` is false.
    """

    kind: str
    address: str
    content: Any
    kept: Any
    family: str
    experiment: str
    machine: str
    run_name: str
    started_at: datetime
    ended_at: datetime
    duration_s: float | None = None
    status: Status = "ok"
    reason: str | None = None
    params: Mapping[str, Scalar] = field(default_factory=dict)
    metrics: Sequence[Metric] = ()
    checks: Sequence[Check] = ()
    findings: Sequence[Finding] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    measured: Mapping[str, str] = field(default_factory=dict)
    samples: Mapping[str, Sequence[object]] = field(default_factory=dict)
    deleted_at: datetime | None = None
    deletion_known: bool = True


def build(draft: Draft) -> Imported | Skipped:
    """The record of a run, its files, and its retraction where its source deleted it."""
    try:
        return _built(draft)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field_name = ".".join(str(part) for part in first["loc"])
        return Skipped(draft.address, f"it cannot be a record: {field_name[:200]}: {first['msg'][:300]}")
    except (RecordError, ValueError, OverflowError) as error:
        return Skipped(draft.address, f"it cannot be a record: {str(error)[:300]}")


def _built(draft: Draft) -> Imported:
    digest = sha256_hex(canonical_bytes(draft.content))
    files = {SOURCE_FILE: canonical_bytes(draft.kept)}
    samples = []
    if draft.samples:
        data = files[SAMPLES_FILE] = to_parquet(draft.samples)
        rows = len(next(iter(draft.samples.values())))
        sample_file = {"file": SAMPLES_FILE, "sha256": sha256_hex(data), "bytes": len(data), "rows": rows}
        samples.append(SampleFile(**sample_file, columns=tuple(draft.samples)))
    status, reason = _judged(draft)
    record = Record.seal(
        family=draft.family,
        experiment=draft.experiment,
        run_name=draft.run_name,
        status=status,
        reason=reason,
        started_at=draft.started_at,
        ended_at=draft.ended_at,
        duration_s=_length_s(draft),
        spec={},
        params=dict(draft.params),
        environment=Environment(machine=draft.machine),
        code=Code(perfdb_version=__version__, measured=dict(draft.measured)),
        metrics=tuple(draft.metrics),
        checks=tuple(draft.checks),
        findings=tuple(draft.findings),
        samples=tuple(samples),
        artifacts=(Artifact(file=SOURCE_FILE, sha256=sha256_hex(files[SOURCE_FILE]), bytes=len(files[SOURCE_FILE])),),
        origin=Origin(kind="imported", source_kind=draft.kind, source=draft.address, source_sha256=digest),
        tags=dict(draft.tags) or None,
    )
    retraction = None
    if draft.deleted_at is not None:
        day = f" on {draft.deleted_at:%Y-%m-%d}" if draft.deletion_known else ""
        retraction = Retraction(
            uuid=derived_uuid(draft.kind, digest),
            at=draft.deleted_at,
            record_id=record.record_id,
            reason=f"deleted in its source{day}",
        )
    return Imported(record, files, retraction)


def _judged(draft: Draft) -> tuple[Status, str | None]:
    failed = [check for check in draft.checks if not check.passed]
    if draft.status != "ok" or not failed:
        return draft.status, draft.reason
    return "invalid", "; ".join(f"{check.name}: {check.detail}" for check in failed)[:4000]


def _length_s(draft: Draft) -> float:
    between = max(0.0, (draft.ended_at - draft.started_at).total_seconds())
    return between if draft.duration_s is None else draft.duration_s


def instant_of_ms(milliseconds: int) -> datetime:
    """An instant from milliseconds since 1970, to the millisecond.

    Raises:
        ValueError: no calendar has it.
    """
    try:
        whole = datetime.fromtimestamp(milliseconds // 1000, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError(f"{milliseconds} ms after 1970 is no instant") from error
    return whole.replace(microsecond=milliseconds % 1000 * 1000)


def instant_of_text(value: object) -> datetime | None:
    """Seconds since 1970, or an ISO 8601 instant; without a time zone it is taken as UTC. None for anything else."""
    try:
        if isinstance(value, int | float) or str(value).replace(".", "", 1).isdigit():
            return datetime.fromtimestamp(float(value), UTC)  # type: ignore[arg-type]
        found = datetime.fromisoformat(str(value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def given_day(options: Options, what: str) -> tuple[datetime, dict[str, str]]:
    """The day that the user gave for runs without an instant, and the tag that says so.

    Raises:
        UsageError: none was given.
    """
    if options.date is None:
        raise UsageError(
            f"{what} does not say when anything ran, and a record needs the day. If you know it, add --date YYYY-MM-DD; the "
            "record says that it was given, not measured."
        )
    return datetime.combine(options.date, time(), UTC), {"date": _DAY_GIVEN}


def values_metric(name: str, values: Sequence[float], definition: MetricDefinition) -> Metric:
    """A metric with one value a repetition or job."""
    return Metric(name=name, unit=definition.unit, direction=definition.direction, values=tuple(values))


def with_spread(name: str, values: Sequence[float], definitions: Mapping[str, MetricDefinition]) -> tuple[Metric, ...]:
    """`name` with one value a job, their mean, and from two jobs on their sample standard deviation."""
    stem = name.removesuffix("_s")
    found = [values_metric(name, values, definitions[name])]
    derived = {f"{stem}_mean_s": statistics.mean(values)}
    if len(values) > 1:
        derived[f"{stem}_sd_s"] = statistics.stdev(values)
    for key, value in derived.items():
        of = definitions[key]
        found.append(Metric(name=key, unit=of.unit, direction=of.direction, value=value))
    return tuple(found)

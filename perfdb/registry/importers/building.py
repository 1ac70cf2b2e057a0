"""From what an importer understood to a sealed record and its files. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
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
from perfdb.registry.importers.definitions import source_of
from perfdb.registry.importers.fitting import Numbers, fitted_numbers, fitted_samples, fitted_source
from perfdb.registry.importers.imported import Imported, Options, Skipped
from perfdb.registry.samples import to_parquet
from perfdb.registry.store import SAMPLES_FILE

SOURCE_FILE = "artifacts/source.json"
# Years, days and milliseconds are digits too, and seconds since 1970 of the wrong century.
_FIRST_EPOCH_S, _LAST_EPOCH_S = 946_684_800.0, 4_102_444_800.0  # 2000 and 2100
INSTANTS = "ISO 8601, nor seconds since 1970 that lie between 2000 and 2100"
_DAY_GIVEN = "the day was given at the import, it was not measured"


@dataclass(frozen=True)
class Draft:
    """What an importer knows of one run.

    Attributes:
        kind: Of the source.
        address: Where in the source, below its last folder; may be published.
        content: What the run is, raw and without people's names. Its hash tells whether it was imported before.
        kept: The run's raw source, masked; a mapping without a key `left_out`.
        deleted_at: When its source deleted it; at the earliest, where `deletion_known` is false.
    """

    kind: str
    address: str
    content: Any
    kept: Mapping[str, Any]
    family: str
    experiment: str
    machine: str
    run_name: str
    started_at: datetime
    ended_at: datetime
    status: Status = "ok"
    reason: str | None = None
    params: Mapping[str, Scalar] = field(default_factory=dict)
    metrics: Sequence[Metric] = ()
    checks: Sequence[Check] = ()
    findings: Sequence[Finding] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    measured: Mapping[str, str] = field(default_factory=dict)
    scheduler: str | None = None
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
    numbers = fitted_numbers(Numbers(draft.tags, draft.params, tuple(draft.metrics)))
    # Values that are too many for a record have room in a table.
    beside = {metric.name: metric.values for metric in numbers.beside if metric.values}
    columns, no_samples = fitted_samples(draft.samples or beside)
    left_out = [*numbers.left_out, *no_samples]
    source, no_source = fitted_source({**draft.kept, "left_out": left_out} if left_out else draft.kept)
    left_out += no_source
    files = {SOURCE_FILE: source}
    samples = []
    if columns:
        data = files[SAMPLES_FILE] = to_parquet(columns)
        rows = len(next(iter(columns.values())))
        sample_file = {"file": SAMPLES_FILE, "sha256": sha256_hex(data), "bytes": len(data), "rows": rows}
        samples.append(SampleFile(**sample_file, columns=tuple(columns)))
    findings = [*draft.findings, *([_left_out(left_out)] if left_out else [])]
    status, reason = _judged(draft)
    record = Record.seal(
        family=draft.family,
        experiment=draft.experiment,
        run_name=draft.run_name,
        status=status,
        reason=reason,
        started_at=draft.started_at,
        ended_at=draft.ended_at,
        duration_s=max(0.0, (draft.ended_at - draft.started_at).total_seconds()),
        spec={},
        params=dict(numbers.params),
        environment=Environment(machine=draft.machine, scheduler=draft.scheduler),
        code=Code(perfdb_version=__version__, measured=dict(draft.measured)),
        metrics=numbers.metrics,
        checks=tuple(draft.checks),
        findings=tuple(findings),
        samples=tuple(samples),
        artifacts=(Artifact(file=SOURCE_FILE, sha256=sha256_hex(files[SOURCE_FILE]), bytes=len(files[SOURCE_FILE])),),
        origin=Origin(kind="imported", source_kind=draft.kind, source=draft.address, source_sha256=digest),
        tags=dict(numbers.tags) or None,
    )
    retraction = None
    if draft.deleted_at is not None:
        day = f" on {draft.deleted_at:%Y-%m-%d}" if draft.deletion_known else ""
        retraction = Retraction(
            uuid=derived_uuid(source_of(draft.kind), digest),
            at=draft.deleted_at,
            record_id=record.record_id,
            reason=f"deleted in its source{day}",
        )
    return Imported(record, files, retraction)


def _left_out(what: Sequence[str]) -> Finding:
    return Finding(name="left_out", value="more than a record may hold", evidence="; ".join(what)[:2000])


def _judged(draft: Draft) -> tuple[Status, str | None]:
    failed = [check for check in draft.checks if not check.passed]
    if draft.status != "ok" or not failed:
        return draft.status, draft.reason
    return "invalid", "; ".join(f"{check.name}: {check.detail}" for check in failed)[:4000]


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
    """Seconds since 1970 from 2000 to 2100, or an ISO 8601 day or instant; without a time zone it is taken as UTC.

    None for anything else: a year alone is no day.
    """
    try:
        if isinstance(value, int | float) or str(value).replace(".", "", 1).isdigit():
            seconds = float(value)  # type: ignore[arg-type]
            if _FIRST_EPOCH_S <= seconds < _LAST_EPOCH_S:
                return datetime.fromtimestamp(seconds, UTC)
            # Python reads more digits than a day's as a day and a time in whatever way they fit.
            if not isinstance(value, str) or len(value) != 8:
                return None
        found = datetime.fromisoformat(str(value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def given_day(options: Options, what: str, lasted_s: float = 0.0) -> tuple[datetime, datetime, dict[str, str]]:
    """Start and end on the day that the user gave for runs without an instant, and the tag that says so.

    Args:
        lasted_s: Seconds; 0 if unknown.

    Raises:
        UsageError: none was given.
        OverflowError: it ended when no calendar ends.
    """
    if options.date is None:
        raise UsageError(
            f"{what} does not say when anything ran, and a record needs the day. If you know it, add --date YYYY-MM-DD; the "
            "record says that it was given, not measured."
        )
    began = datetime.combine(options.date, time(), UTC)
    note = _DAY_GIVEN if lasted_s else f"{_DAY_GIVEN}; the duration is unknown"
    return began, began + timedelta(seconds=lasted_s), {"date": note}


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

"""A record as MLflow can hold it. Pure.

How the numbers arrive, so that sorting by a metric's name in MLflow sorts by what a person means:

    warm_tasks_per_s                the median over the repetitions, one point: the number to sort and compare by
    repetitions/warm_tasks_per_s    every repetition, step = repetition (only where there are several)
    rep2/iteration_tasks_per_s      every iteration of repetition 2, step = iteration
    iterations/tasks_per_s          the same for a metric that belongs to no repetition
    param.provider.max_blocks       a numeric parameter again, since MLflow compares parameters as text

The record keeps everything whole. What MLflow cannot hold is shortened or renamed visibly here.
"""

from __future__ import annotations

import hashlib
import math
import posixpath
import re
import statistics
from dataclasses import dataclass

from perfdb.record import Metric, Record, Scalar, Status, utc_text
from perfdb.registry.remarks import NO_REMARKS, Remarks
from perfdb.tracking.note import note

# Part of the completion tag: raise it when what is sent changes, and `perfdb sync` sends everything anew.
MAPPING_VERSION = 1
LONGEST_KEY = 250
LONGEST_PARAM = 6000
LONGEST_TAG = 8000

RECORD_TAG = "perfdb.record_id"
JOURNAL_TAG = "perfdb.journal"
MIRROR_TAG = "perfdb.mirror"
REMARKS_TAG = "perfdb.remarks"
RETRACTED_TAG = "perfdb.retracted"
NOTE_TAG = "mlflow.note.content"
VALIDITY_TAG = "perfdb.validity"
OPEN = f"{MAPPING_VERSION}:open"
BEGUN = f"{MAPPING_VERSION}:begun"
COMPLETE = f"{MAPPING_VERSION}:complete"

RUN_STATUS: dict[Status, str] = {
    "ok": "FINISHED",
    "invalid": "FINISHED",
    "failed": "FAILED",
    "timeout": "FAILED",
    "interrupted": "KILLED",
}
_REMARKED = re.compile(r"perfdb\.(?:remarks|retracted|annotation\..*|tag\..*)", re.DOTALL)
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./: -]*")
_ALIEN = re.compile(r"[^A-Za-z0-9_.: -]")
# Tabs and line ends are text; other control characters are refused by some databases behind MLflow.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Point:
    """One value of a metric."""

    key: str
    value: float
    step: int


@dataclass(frozen=True)
class Payload:
    """All that MLflow is told about one record, in the shapes that it accepts."""

    params: dict[str, str]
    points: tuple[Point, ...]
    tags: dict[str, str]
    status: str
    started_ms: int
    ended_ms: int
    retracted: bool = False

    @property
    def remarks(self) -> dict[str, str]:
        """The tags that change when something is said about the record."""
        return {name: text for name, text in self.tags.items() if is_remarked(name) or name in (NOTE_TAG, VALIDITY_TAG)}


def is_remarked(tag: str) -> bool:
    """Whether a tag of this name is there for the remarks' sake alone."""
    return _REMARKED.fullmatch(tag) is not None


def payload_of(record: Record, remarks: Remarks = NO_REMARKS, report_url: str = "") -> Payload:
    """What MLflow gets for `record` and what is said about it; equal ones give equal payloads.

    Args:
        report_url: Where the site of `perfdb report` is, for the note; "" for nowhere.
    """
    asked = {**{f"spec.{name}": value for name, value in record.spec.items()}, **record.params}
    return Payload(
        params={fit_key(name): fit_value(_spelled(value), LONGEST_PARAM) for name, value in asked.items()},
        points=(*_points(record.metrics), *_numbers(asked)),
        tags=fit_tags({**_tags(record, remarks, report_url), **_remarked(record, remarks)}),
        status=RUN_STATUS[record.status],
        started_ms=int(record.started_at.timestamp() * 1000),
        ended_ms=int(record.ended_at.timestamp() * 1000),
        retracted=remarks.retraction is not None,
    )


def fit_tags(tags: dict[str, str]) -> dict[str, str]:
    """`tags` within MLflow's limits."""
    return {fit_key(name): fit_value(value, LONGEST_TAG) for name, value in tags.items()}


def fit_key(name: str) -> str:
    """`name` as MLflow accepts a key; one that had to change ends in a hash of the original, so none collide."""
    if _KEY.fullmatch(name) and len(name) <= LONGEST_KEY and posixpath.normpath(name) == name:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_ALIEN.sub('_', name)[: LONGEST_KEY - 10].lstrip('. ') or '_'}.{digest}"


def fit_value(text: str, limit: int) -> str:
    """`text` within `limit` characters; one that was cut says so, and where the whole is."""
    text = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    if len(text) <= limit:
        return text
    ending = f" … [shortened: {len(text)} characters, whole in record.json]"
    return text[: limit - len(ending)] + ending


def _spelled(value: Scalar) -> str:
    return value if isinstance(value, str) else str(value)  # None, True and 1.5 as in the config itself


def _points(metrics: tuple[Metric, ...]) -> list[Point]:
    points = []
    for metric in metrics:
        values = metric.all_values
        if metric.step is not None:
            prefix = "iterations" if metric.repetition is None else f"rep{metric.repetition}"
            points += [Point(f"{prefix}/{metric.name}", value, metric.step) for value in values]
            continue
        points.append(Point(metric.name, statistics.median(values), 0))
        if len(values) > 1:
            points += [Point(f"repetitions/{metric.name}", v, i) for i, v in enumerate(values, start=1)]
    return points


def _numbers(params: dict[str, Scalar]) -> list[Point]:
    points = []
    for name, value in params.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        try:
            number = float(value)
        except OverflowError:  # an integer past what a float holds stays text
            continue
        if math.isfinite(number):  # MLflow would store infinity as 1.797e308, a lie
            points.append(Point(fit_key(f"param.{name}"), number, 0))
    return points


def _tags(record: Record, remarks: Remarks, report_url: str) -> dict[str, str]:
    """No `mlflow.user`: MLflow must not learn who ran this. The source is perfdb, not a path of somebody's home."""
    environment = record.environment
    known: dict[str, str | None] = {
        RECORD_TAG: record.record_id,
        "perfdb.family": record.family,
        "perfdb.machine": environment.machine,
        "perfdb.machine_fingerprint": environment.machine_fingerprint,
        "perfdb.status": record.status,
        VALIDITY_TAG: "valid" if record.status == "ok" else "invalid",
        "perfdb.origin": record.origin.kind,
        "perfdb.version": record.code.perfdb_version,
        "perfdb.scheduler": environment.scheduler,
        "perfdb.config": record.config.name if record.config else None,
        "perfdb.fingerprint": record.config.fingerprint if record.config else None,
        "mlflow.source.name": "perfdb",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": record.code.perfdb_commit,
        NOTE_TAG: note(record, remarks, report_url),
    }
    tags = {name: value for name, value in known.items() if value is not None}
    tags |= {f"perfdb.measured.{name}": version for name, version in record.code.measured.items()}
    tags |= {f"perfdb.finding.{finding.name}": finding.value for finding in record.findings}
    for metric in record.metrics:
        tags[f"perfdb.unit.{metric.name}"] = metric.unit
        tags[f"perfdb.direction.{metric.name}"] = metric.direction
    return tags


def _remarked(record: Record, remarks: Remarks) -> dict[str, str]:
    """What the source of an imported run, or somebody since, said about it. `perfdb.remarks` tells cheaply whether that changed."""
    tags = {f"perfdb.tag.{name}": value for name, value in {**(record.tags or {}), **remarks.tags}.items()}
    for number, remark in enumerate(remarks.annotations, start=1):
        tags[f"perfdb.annotation.{number}"] = f"{utc_text(remark.at)}: {remark.note}"
    if remarks.retraction:
        tags[RETRACTED_TAG] = f"{utc_text(remarks.retraction.at)}: {remarks.retraction.reason}"
        tags[VALIDITY_TAG] = "retracted"
    if remarks.mark:
        tags[REMARKS_TAG] = remarks.mark
    return tags

"""A run as MLflow knows it, from whichever store, and the record that it becomes. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.version import InvalidVersion, Version

from perfdb.record import Check, Metric, Status
from perfdb.redaction import Identity, Redactor
from perfdb.registry.importers.building import Draft, build, instant_of_ms
from perfdb.registry.importers.definitions import PARSL_PERF, THROUGHPUT
from perfdb.registry.importers.imported import Imported, Options, Skipped
from perfdb.registry.importers.names import Scrub, is_finite, label_of, metric_names, run_name_of, tags_of
from perfdb.registry.store import SAMPLES_FILE

# Milliseconds since 1970, step, value; in the order in which they were logged.
Point = tuple[int, int, float]
RECORD_TAG = "perfdb.record_id"
COMPARISON_TAG = "perfdb.comparison"
_STATUS: Mapping[str, tuple[Status, str | None]] = {
    "FINISHED": ("ok", None),
    "FAILED": ("failed", "its source calls it FAILED"),
    "KILLED": ("interrupted", "its source calls it KILLED"),
    "RUNNING": ("interrupted", "its source still called it RUNNING when it was imported"),
    "SCHEDULED": ("interrupted", "its source still called it SCHEDULED when it was imported"),
}
# Written by an early state of the archive's wrapper before it measured anything: 42.42 and 52.52 in every run.
_PLACEHOLDERS = {"other metric": 52.52, "runtime": 42.42}
_USER_TAG = "mlflow.user"
# The rates are rounded to a thousandth, and made from seconds that are.
_RATE_TOLERANCE = 1e-3


@dataclass(frozen=True)
class SourceRun:
    """One run of an MLflow.

    Attributes:
        address: Where it is, fit to be published but for what a redactor masks.
        users: Whoever its source says ran it.
        ended_ms: None for a run that never ended.
        deleted_ms: When it was deleted, if it was and that is known.
    """

    address: str
    run_id: str
    experiment: str
    name: str
    status: str
    started_ms: int
    ended_ms: int | None
    params: Mapping[str, str]
    metrics: Mapping[str, Sequence[Point]]
    tags: Mapping[str, str]
    users: tuple[str, ...] = ()
    deleted: bool = False
    deleted_ms: int | None = None


def import_run(kind: str, run: SourceRun, options: Options) -> Imported | Skipped:
    """The record of one run."""
    if run.tags.get(RECORD_TAG):
        return Skipped(run.address, f"it shows perfdb's own record {run.tags[RECORD_TAG][:16]}", own=True)
    if run.tags.get(COMPARISON_TAG):
        return Skipped(run.address, "it shows a comparison of perfdb's own, and no measurement", own=True)
    if run.status not in _STATUS:
        return Skipped(run.address, f"its status is {run.status[:40]!r}, which MLflow does not know")
    try:
        return build(_draft(kind, run, options))
    except ValueError as error:
        return Skipped(run.address, str(error))


def _draft(kind: str, run: SourceRun, options: Options) -> Draft:
    scrub = Scrub(Redactor(identity=_identity(run, options)))
    status, reason = _STATUS[run.status]
    last = {name: _last(points) for name, points in run.metrics.items() if points}
    invented = _invented(kind, last)
    real = {name: value for name, value in last.items() if name not in invented}
    parsl_perfs = kind == PARSL_PERF or real.keys() == THROUGHPUT.keys() or bool(invented and not real)
    checks = [_ends(run), *_finite(last), *_measured(real, invented, parsl_perfs=parsl_perfs)]
    if parsl_perfs:
        metrics: list[Metric] = [
            Metric(name=name, unit=THROUGHPUT[name].unit, direction=THROUGHPUT[name].direction, value=value)
            for name, value in sorted(real.items())
            if name in THROUGHPUT and is_finite(value)
        ]
        checks += _rates(real)
        renamed = {}
    else:
        names = metric_names(sorted(real))
        metrics = [
            Metric(name=names[name], unit="", direction="none", value=value)
            for name, value in sorted(real.items())
            if is_finite(value)
        ]
        renamed = {f"metric {new}": scrub.text(old) for old, new in names.items() if old != new}
    tags = {scrub.text(k): scrub.named(k, v) for k, v in sorted(run.tags.items()) if k != _USER_TAG}
    experiment = label_of(scrub.text(run.experiment), "imported")
    if experiment != run.experiment:
        tags["experiment"] = scrub.text(run.experiment)
    name = run_name_of(scrub.text(run.name), run.run_id[:32] or "run")
    started = instant_of_ms(run.started_ms)
    ended = instant_of_ms(run.started_ms if run.ended_ms is None else max(run.ended_ms, run.started_ms))
    deleted_ms = (run.deleted_ms or run.ended_ms or run.started_ms) if run.deleted else None
    return Draft(
        kind=kind,
        address=scrub.text(run.address),
        content=_content(run),
        kept=scrub.document(_kept(run)),
        family="throughput" if parsl_perfs else "external",
        experiment=options.experiment or experiment,
        machine=options.machine or f"imported-{kind}",
        run_name=name,
        started_at=started,
        ended_at=ended,
        status=status,
        reason=reason,
        params={scrub.text(key): scrub.scalar(key, text) for key, text in sorted(run.params.items())},
        metrics=metrics,
        checks=[check for check in checks if check],
        tags=tags_of({**tags, **renamed}),
        measured=_parsl(run.tags),
        samples=_histories(run, scrub),
        deleted_at=None if deleted_ms is None else instant_of_ms(deleted_ms),
        deletion_known=run.deleted_ms is not None,
    )


def _identity(run: SourceRun, options: Options) -> Identity:
    users = tuple(sorted({*run.users, run.tags.get(_USER_TAG, "")} - {""}))
    here = options.identity
    return Identity((*here.users, *users), here.homes, here.hosts, here.addresses)


def _content(run: SourceRun) -> dict[str, Any]:
    # Names, tags and a deletion may change later, and the run stays the same one; who ran it is nobody's business.
    return {
        "run_id": run.run_id,
        "started_ms": run.started_ms,
        "ended_ms": run.ended_ms,
        "status": run.status,
        "params": dict(run.params),
        "metrics": {key: _points(points) for key, points in run.metrics.items()},
    }


def _kept(run: SourceRun) -> dict[str, Any]:
    content = _content(run)
    histories = {key: len(points) for key, points in run.metrics.items() if len(points) > 1}
    return {
        **content,
        "metrics": {
            key: {"points": histories[key], "file": SAMPLES_FILE} if key in histories else points
            for key, points in content["metrics"].items()
        },
        "experiment": run.experiment,
        "name": run.name,
        "tags": {key: value for key, value in run.tags.items() if key != _USER_TAG},
        **({"deleted_ms": run.deleted_ms} if run.deleted else {}),
    }


def _points(points: Sequence[Point]) -> list[list[float | str]]:
    """Sorted and once each: a database has them so, files as they came."""
    once = {(step, ms, _spelled(value)) for ms, step, value in points}
    return [[ms, step, value] for step, ms, value in sorted(once, key=lambda point: (*point[:2], str(point[2])))]


def _spelled(value: float) -> float | str:
    # A database has the largest number that there is where a file has an infinity.
    return value if is_finite(value) else "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _last(points: Sequence[Point]) -> float:
    """The one that MLflow shows: of the highest step, the latest."""
    return max(points, key=lambda point: (point[1], point[0], point[2]))[2]


def _histories(run: SourceRun, scrub: Scrub) -> dict[str, list[object]]:
    """Every point of the metrics that have several; what no finite number is, in words."""
    rows = [
        (scrub.text(name), step, ms, *((value, None) if is_finite(value) else (None, _spelled(value))))
        for name, points in sorted(run.metrics.items())
        if len(points) > 1
        for ms, step, value in points
    ]
    if not rows:
        return {}
    columns = zip(*rows, strict=True)
    names = ("metric", "step", "at_ms", "value", "not_finite")
    return {key: list(column) for key, column in zip(names, columns, strict=True)}


def _ends(run: SourceRun) -> Check | None:
    if run.ended_ms is None or run.ended_ms >= run.started_ms:
        return None
    early_s = (run.started_ms - run.ended_ms) / 1000
    return Check(name="ends_after_start", passed=False, detail=f"its source has it end {early_s:g} s before its start")


def _finite(last: Mapping[str, float]) -> list[Check]:
    odd = sorted(name for name, value in last.items() if not is_finite(value))
    if not odd:
        return []
    detail = f"no finite number, so only in artifacts/source.json: {', '.join(odd)}"
    return [Check(name="metrics_finite", passed=False, detail=detail[:2000])]


def _invented(kind: str, last: Mapping[str, float]) -> dict[str, float]:
    """The placeholders among a run's metrics. Outside the archive their names alone, or one of them, say nothing."""
    there = {name: last[name] for name in sorted(_PLACEHOLDERS.keys() & last.keys())}
    if kind == PARSL_PERF or len(there) == len(_PLACEHOLDERS):
        return there
    return {name: value for name, value in there.items() if value == _PLACEHOLDERS[name]}


def _measured(real: Mapping[str, float], invented: Mapping[str, float], *, parsl_perfs: bool) -> list[Check]:
    """A run of parsl-perf without one of its numbers, or any run with the placeholders, measured nothing."""
    if not invented and (not parsl_perfs or THROUGHPUT.keys() & real.keys()):
        return []
    names = ", ".join(f"{name} = {value:g}" for name, value in invented.items())
    detail = f"placeholders of its source, only in artifacts/source.json: {names}" if invented else "none of the six"
    return [Check(name="metrics_are_parsl_perfs", passed=False, detail=detail)]


def _rates(last: Mapping[str, float]) -> list[Check]:
    checks = []
    for stem in ("runtime", "submission"):
        seconds, rate = last.get(f"{stem}_s"), last.get(f"{stem}_tps")
        tasks = last.get("num_tasks")
        if seconds is None or rate is None or tasks is None or seconds <= 0 or not is_finite(tasks / seconds):
            continue
        agree = abs(tasks / seconds - rate) <= _RATE_TOLERANCE + _RATE_TOLERANCE * abs(rate)
        detail = f"num_tasks / {stem}_s = {tasks / seconds:.3f}, {stem}_tps = {rate:.3f}; at most 0.1 % apart"
        checks.append(Check(name=f"{stem}_rate_agrees", passed=agree, detail=detail))
    return checks


def _parsl(tags: Mapping[str, str]) -> dict[str, str]:
    """Parsl's version as packages spell it: `2025.07.28` is 2025.7.28."""
    try:
        return {"parsl": str(Version(tags["Parsl version"].strip()))}
    except (KeyError, InvalidVersion):
        return {}


def is_run_id(text: str) -> bool:
    """Whether `text` is an id as MLflow gives its runs."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None

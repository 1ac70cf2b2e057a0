"""Whether a record's numbers can be what they claim to be. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from perfdb.capture.machine import machine_fingerprint
from perfdb.parsl_config.params import fingerprint as params_fingerprint
from perfdb.record import Metric, Record
from perfdb.registry.validator.limits import AHEAD, EARLIEST
from perfdb.registry.validator.report import Columns, Findings, Rules

CONFIG_FILE = "artifacts/config.py"
ALTERED = "restore the record from git, or leave it out: its numbers can't be mended by hand"
UPDATE = "update perfdb, or ask the maintainers to"
IMPORT_AGAIN = "leave it out, and import it again with the unit and direction that are asked for, or under another name"
CLOCK = (
    "the clock was set while it ran, or the machine slept, or the record was altered: leave it out, and measure again"
)
# A monotonic clock and the one on the wall differ by an adjustment now and then.
_CLOCKS_S, _CLOCKS_SHARE = 60.0, 0.1
_LARGEST = 1e15


def rules_of(record: Record, known: Mapping[str, Rules]) -> Rules | None:
    """The rules of its kind of experiment, or of its kind of source; neither serves for the other."""
    imported = record.origin.kind == "imported"
    found = known.get(_kind(record))
    if found is None or found.imported != imported:
        return None
    family = known.get(record.family)
    if found.any_metric and family is not None and not family.imported:
        # Under a family's name, a metric of the family's is what the family says, wherever it is from.
        return replace(found, metrics={**family.metrics, **found.metrics})
    return found


def check_content(findings: Findings, file: str, record: Record, rules: Rules | None, now: datetime) -> set[str]:
    """Everything that the record alone tells; the names of the metrics of the whole run that its other ones imply."""
    implied: Sequence[Metric] = ()
    _origin(findings, file, record)
    if rules is None:
        kind = "family" if record.origin.kind == "measured" else "kind of import"
        findings.add(file, "unknown-kind", f"the {kind} `{_kind(record)}` is unknown here", UPDATE, "family")
    else:
        _metrics(findings, file, record, rules)
        if rules.derive is not None:
            implied = rules.derive(record)
            compare(findings, file, implied, record, "the record's own numbers for each iteration")
    _instants(findings, file, record, now)
    _status(findings, file, record)
    _references(findings, file, record)
    return {metric.name for metric in implied if metric.step is None}


def check_samples(findings: Findings, file: str, record: Record, columns: Columns, rules: Rules) -> set[str]:
    """That the record states the metrics that samples imply, and nothing else that they contradict; the names of those metrics."""
    if rules.summarise is None:
        return set()
    try:
        implied = rules.summarise(columns)
        contradicted = tuple(rules.agrees(record, columns)) if rules.agrees is not None else ()
    except (ValueError, TypeError, KeyError, IndexError, ArithmeticError, AttributeError) as error:
        problem = f"nothing can be computed from these samples ({type(error).__name__})"
        findings.add(file, "samples-not-understood", problem, ALTERED, "samples")
        return set()
    compare(findings, file, implied, record, "its samples")
    for problem in contradicted:
        findings.add(file, "samples-disagree", problem, ALTERED, "samples")
    return {metric.name for metric in implied}


def check_evidence(findings: Findings, file: str, record: Record, rules: Rules, implied: set[str]) -> None:
    """That what only follows from iterations or samples is not stated without them."""
    for metric in record.metrics:
        if metric.name not in rules.implied:
            continue
        field = f"metrics.{metric.name}"
        if metric.step is not None or metric.repetition is not None:
            findings.add(file, "metric-misplaced", f"{metric.name} is one of the whole run", ALTERED, field)
        elif metric.name not in implied:
            problem = f"{metric.name} is stated, and nothing that it follows from is in the record"
            findings.add(file, "no-evidence", problem, ALTERED, field)


def compare(findings: Findings, file: str, implied: Sequence[Metric], record: Record, source: str) -> None:
    """That what follows from `source` is what the record states."""
    there = {_which(metric): metric for metric in reversed(record.metrics)}
    for metric in implied:
        stated = there.get(_which(metric))
        if stated is None or not _equal(stated, metric):
            said = "nothing" if stated is None else _numbers(stated)
            problem = f"{metric.name} follows from {source} as {_numbers(metric)}, and the record says {said}"
            findings.add(file, "summary-wrong", problem, ALTERED, f"metrics.{metric.name}")


def _which(metric: Metric) -> tuple[str, int | None, int | None]:
    return metric.name, metric.repetition, metric.step


def _kind(record: Record) -> str:
    return record.family if record.origin.kind == "measured" else record.origin.source_kind or ""


def _equal(stated: Metric, implied: Metric) -> bool:
    pairs = list(zip(stated.all_values, implied.all_values, strict=False))
    return (
        len(stated.all_values) == len(implied.all_values)
        and (stated.values is None) == (implied.values is None)
        and all(math.isclose(a, b, rel_tol=1e-12, abs_tol=0.0) for a, b in pairs)
    )


def _numbers(metric: Metric) -> str:
    return ", ".join(f"{value:.9g}" for value in metric.all_values[:6]) + (" …" if len(metric.all_values) > 6 else "")


def _origin(findings: Findings, file: str, record: Record) -> None:
    origin = record.origin
    from_elsewhere = (origin.source_kind, origin.source, origin.source_sha256)
    if origin.kind == "measured" and from_elsewhere != (None, None, None):
        problem = "a measured record has no source that it was imported from"
        findings.add(file, "origin-contradicts-itself", problem, ALTERED, "origin")
    if origin.kind == "imported" and None in (origin.source_kind, origin.source_sha256):
        problem = "an imported record names the kind of its source and that source's hash"
        findings.add(file, "origin-contradicts-itself", problem, ALTERED, "origin")


def _metrics(findings: Findings, file: str, record: Record, rules: Rules) -> None:
    seen = Counter(map(_which, record.metrics))
    for name in sorted({name for (name, _, _), times in seen.items() if times > 1}):
        findings.add(file, "metric-twice", f"{name} is stated more than once", ALTERED, f"metrics.{name}")
    remedy = IMPORT_AGAIN if rules.imported else ALTERED
    for metric in record.metrics:
        field = f"metrics.{metric.name}"
        definition = rules.metrics.get(metric.name)
        if metric.step is not None and metric.values is not None:
            problem = f"{metric.name} of one iteration has one `value`, not `values`"
            findings.add(file, "metric-misplaced", problem, ALTERED, field)
        if definition is None:
            if not rules.any_metric:
                findings.add(file, "unknown-metric", f"{_kind(record)} has no such metric", UPDATE, field)
            elif not all(abs(value) <= _LARGEST for value in metric.all_values):
                findings.add(file, "implausible-value", f"no number is past {_LARGEST:g}", ALTERED, field)
            continue
        if (metric.unit, metric.direction) != (definition.unit, definition.direction):
            problem = (
                f"its unit is {definition.unit} and its better direction {definition.direction}, "
                f"and the record says {metric.unit[:40]} and {metric.direction}"
            )
            findings.add(file, "wrong-unit", problem, remedy, field)
        beyond = [v for v in metric.all_values if not definition.least <= v <= definition.most]
        if beyond:
            problem = f"{beyond[0]:.9g} is not within {definition.least:g} to {definition.most:g} {definition.unit}"
            findings.add(file, "implausible-value", problem, remedy, field)


def _instants(findings: Findings, file: str, record: Record, now: datetime) -> None:
    for name, instant in (("started_at", record.started_at), ("ended_at", record.ended_at)):
        if not EARLIEST <= instant <= now + AHEAD:
            problem = f"{instant:%Y-%m-%d %H:%M} UTC is not between {EARLIEST:%Y} and now"
            findings.add(file, "implausible-time", problem, CLOCK, name)
    took_s = (record.ended_at - record.started_at).total_seconds()
    if took_s < 0:
        findings.add(file, "implausible-time", "it ended before it started", CLOCK, "ended_at")
    elif abs(took_s - record.duration_s) > max(_CLOCKS_S, _CLOCKS_SHARE * took_s):
        problem = f"from start to end are {took_s:.6g} s, and duration_s says {record.duration_s:.6g}"
        findings.add(file, "implausible-time", problem, CLOCK, "duration_s")


def _status(findings: Findings, file: str, record: Record) -> None:
    failed = [check.name for check in record.checks if not check.passed]
    if record.status == "ok" and failed:
        problem = f"the status is ok, and the check {failed[0]} failed"
        findings.add(file, "status-contradicts-checks", problem, ALTERED, "status")
    if record.status == "invalid" and not failed:
        findings.add(file, "status-contradicts-checks", "it is invalid, and no check failed", ALTERED, "status")
    if (record.status == "ok") != (record.reason is None):
        problem = "a reason is given exactly where the status is not ok"
        findings.add(file, "status-contradicts-checks", problem, ALTERED, "reason")
    if record.status in ("ok", "invalid") and record.origin.kind == "measured" and not record.metrics:
        findings.add(file, "no-metrics", "it is called a whole measurement, and has no metrics", ALTERED, "metrics")
    if record.origin.kind == "measured" and record.status == "ok" and not (record.checks and record.config):
        missing = "checks" if not record.checks else "config"
        findings.add(file, "no-evidence", f"it is called a whole measurement, and has no {missing}", ALTERED, missing)
    names = Counter(check.name for check in record.checks)
    if any(times > 1 for times in names.values()):
        findings.add(file, "check-twice", "a check is stated more than once", ALTERED, "checks")


def _references(findings: Findings, file: str, record: Record) -> None:
    """Hashes of things that the record holds itself."""
    source = next((a.sha256 for a in record.artifacts if a.file == CONFIG_FILE), None)
    if record.origin.kind == "measured" and source != (record.config.source_sha256 if record.config else None):
        problem = f"config.source_sha256 is not that of {CONFIG_FILE}"
        findings.add(file, "reference-broken", problem, ALTERED, "config.source_sha256")
    config = record.config if record.origin.kind == "measured" else None
    if config is not None and params_fingerprint(dict(record.params)) != config.fingerprint:
        problem = "config.fingerprint is not that of params"
        findings.add(file, "reference-broken", problem, ALTERED, "config.fingerprint")
    host = record.environment.submit_host
    stated = record.environment.machine_fingerprint
    if host is not None and stated is not None and machine_fingerprint(host) != stated:
        problem = "the machine's fingerprint is not that of submit_host"
        findings.add(file, "reference-broken", problem, ALTERED, "environment.machine_fingerprint")
    if host is not None and stated is None and record.origin.kind == "measured":
        problem = "submit_host is described, and the machine's fingerprint is missing"
        findings.add(file, "reference-broken", problem, ALTERED, "environment.machine_fingerprint")

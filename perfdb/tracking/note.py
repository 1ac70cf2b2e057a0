"""The note on a run's page in MLflow: what, where, how fast, how sure, and how to do it again. Pure."""

from __future__ import annotations

import html
import re
import shlex
import statistics

from perfdb.parsl_config.install import is_release
from perfdb.record import Environment, Metric, Record, utc_text
from perfdb.registry.remarks import NO_REMARKS, Remarks
from perfdb.units import bytes_, duration, quantity

# Everything that Markdown would act on: a config's name must not draw a picture or a link.
_ACTIVE = re.compile(r"([\\`*_{}\[\]()#+!|~=]|:(?=//))")


def note(record: Record, remarks: Remarks = NO_REMARKS, report_url: str = "") -> str:
    """Markdown, with every text of the record and of the remarks on it escaped.

    Args:
        report_url: Where the site of `perfdb report` is; "" for nowhere.
    """
    facts = [_what(record), _verdict(record), _numbers(record), _findings(record)]
    parts = [_withdrawn(remarks), *facts, _annotations(remarks), _again(record), _report(record, report_url)]
    return "\n\n".join(part for part in parts if part)


def _withdrawn(remarks: Remarks) -> str:
    known = remarks.retraction
    return f"**WITHDRAWN** on {utc_text(known.at)[:10]}: {text(known.reason)}" if known else ""


def _annotations(remarks: Remarks) -> str:
    return "\n".join(
        f"- {utc_text(remark.at)[:10]}: {text(remark.note)}"
        + (" **What came before is no measure for it.**" if remark.resets_baseline else "")
        for remark in remarks.annotations
    )


def _what(record: Record) -> str:
    measured = ", ".join(f"{name} {version}" for name, version in sorted(record.code.measured.items()))
    config = f" with the config **{text(record.config.name)}**" if record.config else ""
    when = f"{utc_text(record.started_at)[:19]}Z, took {duration(record.duration_s)}"
    reason = f" {text(record.reason)}" if record.reason else ""
    return (
        f"**{text(record.family)}** of {text(measured or 'an unnamed version')}{config} "
        f"on **{_where(record.environment)}**, {when}. Status: **{record.status}**.{reason}"
    )


def _where(environment: Environment) -> str:
    facts = [environment.machine]
    if environment.scheduler:
        facts.append(f"{environment.scheduler} {environment.scheduler_version or ''}".strip())
    host = environment.submit_host
    if host:
        facts += [f"submit host: {host.cpu_model}"] if host.cpu_model else []
        facts += [f"{host.cpu_count} logical CPUs"] if host.cpu_count else []
        facts += [bytes_(host.memory_bytes)] if host.memory_bytes else []
    return text(", ".join(facts))


def _verdict(record: Record) -> str:
    """The failed checks first, as they decide whether the numbers mean anything."""
    checks = sorted(record.checks, key=lambda check: check.passed)
    return "\n".join(
        f"- {'passed' if check.passed else '**FAILED**'}: {text(check.name)}: {text(check.detail)}" for check in checks
    )


def _numbers(record: Record) -> str:
    rows = [_row(metric) for metric in record.metrics if metric.step is None]
    if not rows:
        return ""
    return "\n".join(["| metric | median | min to max | repetitions |", "|---|---|---|---|", *rows])


def _row(metric: Metric) -> str:
    values = metric.all_values
    spread = f"{quantity(min(values), metric.unit)} to {quantity(max(values), metric.unit)}" if len(values) > 1 else ""
    better = {"higher": " (higher is better)", "lower": " (lower is better)", "none": ""}[metric.direction]
    middle = quantity(statistics.median(values), metric.unit)
    return f"| {text(metric.name)}{better} | {text(middle)} | {text(spread)} | {len(values)} |"


def _findings(record: Record) -> str:
    return "\n".join(
        f"- **{text(finding.name)}: {text(finding.value)}** ({text(finding.evidence)})" for finding in record.findings
    )


def _again(record: Record) -> str:
    lines = [f"perfdb show {record.record_id}"]
    if record.config and record.origin.kind == "measured":
        lines.append(f"perfdb reproduce {record.record_id}")
        lines += _by_hand(record, record.config.name)
    if record.code.perfdb_commit:
        dirty = " (with uncommitted changes)" if record.code.perfdb_dirty else ""
        lines.append(f"# perfdb {record.code.perfdb_version}, commit {record.code.perfdb_commit}{dirty}")
    return "To see it whole, and to run it again:\n\n" + "\n".join(f"    {line}" for line in lines)


def _by_hand(record: Record, config: str) -> list[str]:
    """The plain command, where one says it all: `perfdb run` takes no overrides, and of Parsls only those it can find."""
    version = record.code.measured.get("parsl")
    if record.overrides or "parsl_source" in record.code.measured or version is None or not is_release(version):
        return []
    asked = {name: value for name, value in record.spec.items() if value is not None}
    limit = asked.pop("timeout_s", None)
    options = [f"--set {name}={_word(value)}" for name, value in asked.items()]
    options += [f"--timeout {_word(limit)}"] if limit is not None else []
    return [" ".join(["perfdb run", record.family, _word(config), "--parsl", version, *options])]


def _report(record: Record, report_url: str) -> str:
    return f"[Its page in the report](<{report_url.rstrip('/')}/records/{record.record_id}.html>)" if report_url else ""


def _word(value: object) -> str:
    return " ".join(shlex.quote(str(value)).split())  # one line: a line end would leave the code block


def text(value: str) -> str:
    """A stranger's words as Markdown that says just them."""
    return _ACTIVE.sub(r"\\\1", html.escape(" ".join(value.split()), quote=False))

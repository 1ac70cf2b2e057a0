"""The commit's message: what, where, and each record in a line. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from perfdb.contribute.headline import headline_of, middle, spread
from perfdb.contribute.markdown import harmless
from perfdb.record import Annotation, Record, Remark
from perfdb.units import counted

LONGEST_SUBJECT = 72
_VERSION = re.compile(r"[A-Za-z0-9 .+_-]+")
MOST_LINES = 200


def subject(records: Sequence[Record], remarks: Sequence[Remark]) -> str:
    """One line of at most 72 characters."""
    if not records:
        return f"{counted(len(remarks), 'remark')} on records"
    what = _one_of({record.family for record in records}, "families")
    where = _one_of({record.environment.machine for record in records}, "machines")
    versions = {f"{name} {version}" for record in records for name, version in record.code.measured.items()}
    version = min(versions, default="")
    # A version is free text, and a subject becomes a heading: only one that looks like one goes there.
    told = f", {version}" if len(versions) == 1 and _VERSION.fullmatch(version) else ""
    count = counted(len(records), "record")
    for line in (f"{what} on {where}: {count}{told}", f"{what} on {where}: {count}", f"{count} on {where}"):
        if len(text := harmless(line)) <= LONGEST_SUBJECT:
            return text
    return f"{count} of {what}"[:LONGEST_SUBJECT]


def message(
    records: Sequence[Record], remarks: Sequence[Remark], configs: Sequence[str], headlines: Mapping[str, Sequence[str]]
) -> str:
    """The whole message."""
    lines = [subject(records, remarks), ""]
    lines += [line for record in records[:MOST_LINES] for line in _record(record, headlines)]
    if len(records) > MOST_LINES:
        lines.append(f"and {len(records) - MOST_LINES} more records")
    lines += [_remark(remark) for remark in remarks[:MOST_LINES]]
    if len(remarks) > MOST_LINES:
        lines.append(f"and {len(remarks) - MOST_LINES} more remarks")
    lines += [f"config: {harmless(config)}" for config in configs]
    return "\n".join(lines) + "\n"


def _record(record: Record, headlines: Mapping[str, Sequence[str]]) -> list[str]:
    measured = ", ".join(f"{name} {version}" for name, version in sorted(record.code.measured.items()))
    config = record.config.name if record.config else None
    facts = " ".join(part for part in (record.family, config, measured) if part)
    metrics = headline_of(record, headlines)[:1]
    numbers = [
        f"{metric.name} {middle(metric)}"
        + (f" ({spread(metric)}, n={len(metric.all_values)})" if spread(metric) else "")
        for metric in metrics
    ]
    first = harmless(f"{record.record_id} {facts} on {record.environment.machine}: {record.status}")
    return [first, *(f"    {harmless(number)}" for number in numbers)]


def _remark(remark: Remark) -> str:
    if isinstance(remark, Annotation):
        return f"annotation {remark.uuid} on {counted(len(remark.record_ids), 'record')}"
    return harmless(f"retraction of {getattr(remark, 'record_id', 'a record')}")


def _one_of(names: set[str], many: str) -> str:
    return next(iter(names)) if len(names) == 1 else f"{len(names)} {many}"

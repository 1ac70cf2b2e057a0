"""The pull request's text: what was run, on what, the numbers and how sure, how to do it again. Pure."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from perfdb.contribute.headline import headline_of, interval, middle
from perfdb.contribute.markdown import code, one_line
from perfdb.contribute.message import subject
from perfdb.record import Annotation, Record, Remark, Retraction
from perfdb.units import bytes_, counted

# A forge takes 65,536 characters. The commit and the records themselves have the rest.
MOST_ROWS = 60
MOST_LINES = 20


def pull_request_text(
    records: Sequence[Record],
    remarks: Sequence[Remark],
    configs: Sequence[str],
    headlines: Mapping[str, Sequence[str]],
) -> str:
    """Markdown, with every text of a record in a code span."""
    parts = [
        f"## {subject(records, remarks)}",
        _what(records),
        _where(records),
        _numbers(records, headlines),
        _not_ok(records),
        _remarks(remarks),
        _configs(configs),
        _again(records),
        _ids(records),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _what(records: Sequence[Record]) -> str:
    if not records:
        return ""
    begun = sorted(record.started_at for record in records)
    first, last = f"{begun[0]:%Y-%m-%d}", f"{begun[-1]:%Y-%m-%d}"
    days = first if first == last else f"{first} to {last}"
    statuses = Counter(record.status for record in records)
    told = ", ".join(f"{number} {status}" for status, number in statuses.most_common())
    versions = sorted({f"{name} {version}" for record in records for name, version in record.code.measured.items()})
    families = sorted({record.family for record in records})
    return (
        f"Run {days} (UTC): {_codes(families)}" + (f" of {_codes(versions)}" if versions else "") + f". Status: {told}."
    )


def _where(records: Sequence[Record]) -> str:
    lines = dict.fromkeys(_machine(record) for record in records)
    return "\n".join(["### On", "", *_capped(list(lines), MOST_LINES)]) if lines else ""


def _machine(record: Record) -> str:
    environment = record.environment
    facts = []
    if environment.scheduler:
        facts.append(code(f"{environment.scheduler} {environment.scheduler_version or ''}"))
    host = environment.submit_host
    if host:
        facts += [f"submit host {code(host.cpu_model)}"] if host.cpu_model else []
        facts += [f"{host.cpu_count} logical CPUs"] if host.cpu_count else []
        facts += [bytes_(host.memory_bytes)] if host.memory_bytes else []
        facts += [code(host.os)] if host.os else []
    return f"- {code(environment.machine)}" + (f": {', '.join(facts)}" if facts else "")


def _numbers(records: Sequence[Record], headlines: Mapping[str, Sequence[str]]) -> str:
    rows = [
        f"| {code(record.record_id)} | {code(record.config.name) if record.config else ''} | {record.status} "
        f"| {metric.name} | {_cell(middle(metric))} | {_cell(interval(metric))} | {len(metric.all_values)} |"
        for record in records
        for metric in headline_of(record, headlines)
    ]
    if not rows:
        return ""
    head = ["| record | config | status | metric | median | interval | n |", "|---|" + "---|" * 6]
    left = [f"\nand {len(rows) - MOST_ROWS} more rows"] if len(rows) > MOST_ROWS else []
    why = (
        "\nn counts repetitions; all of them are in the record. The interval holds the true median with the confidence beside "
        "it, whatever the distribution (order statistics): five repetitions or fewer, and it goes from the least to the "
        "greatest. It speaks of this sitting, not of another day."
    )
    return "\n".join(["### Numbers", "", *head, *rows[:MOST_ROWS], *left, why])


def _not_ok(records: Sequence[Record]) -> str:
    lines = [
        f"- {code(record.record_id)} is {record.status}" + (f": {code(record.reason)}" if record.reason else "")
        for record in records
        if record.status != "ok"
    ]
    return "\n".join(["### Kept, never compared", "", *_capped(lines, MOST_LINES)]) if lines else ""


def _remarks(remarks: Sequence[Remark]) -> str:
    lines = []
    for remark in remarks:
        if isinstance(remark, Retraction):
            lines.append(f"- {code(remark.record_id)} is withdrawn: {code(remark.reason)}")
        elif isinstance(remark, Annotation):
            resets = ", and resets the baseline" if remark.resets_baseline else ""
            lines.append(f"- on {counted(len(remark.record_ids), 'record')}{resets}: {code(remark.note)}")
    return "\n".join(["### Remarks", "", *_capped(lines, MOST_LINES)]) if lines else ""


def _configs(configs: Sequence[str]) -> str:
    lines = [f"- {code(config)}" for config in configs]
    return (
        "\n".join(["### Configs: code, to be read before it is merged", "", *_capped(lines, MOST_LINES)])
        if lines
        else ""
    )


def _again(records: Sequence[Record]) -> str:
    lines = list(dict.fromkeys(line for record in records if (line := _command(record))))
    if not lines:
        return ""
    return "\n".join(["### To run it again", "", "```sh", *_capped(lines, MOST_LINES, "# "), "```"])


def _command(record: Record) -> str:
    if record.origin.kind == "imported":
        return (
            f"# imported from {_word(record.origin.source_kind or 'elsewhere')}: {_word(record.origin.source or '-')}"
        )
    if record.config is None:
        return ""
    parsl = record.code.measured.get("parsl")
    version = ["--parsl", _word(parsl)] if parsl and "parsl_source" not in record.code.measured else []
    spec = {name: value for name, value in sorted(record.spec.items()) if value is not None}
    limit = spec.pop("timeout_s", None)  # not the family's to know
    asked = [f"--set {_word(f'{name}={value}')}" for name, value in spec.items()]
    asked += [f"--timeout {_word(limit)}"] if limit is not None else []
    return " ".join(["perfdb run", _word(record.family), _word(record.config.name), *version, *asked])


def _ids(records: Sequence[Record]) -> str:
    if not records:
        return ""
    shown = [record.record_id for record in records[: MOST_ROWS * 10]]
    more = f" and {len(records) - len(shown)} more" if len(records) > len(shown) else ""
    return "### Records\n\n" + " ".join(code(record_id) for record_id in shown) + more


def _codes(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - MOST_LINES} more" if len(texts) > MOST_LINES else ""
    return ", ".join(code(text) for text in texts[:MOST_LINES]) + more


def _capped(lines: Sequence[str], most: int, mark: str = "- ") -> Iterable[str]:
    return [*lines[:most], f"{mark}and {len(lines) - most} more"] if len(lines) > most else lines


def _cell(text: str) -> str:
    # A unit is the record's own text: whatever is not a plain number goes into a code span.
    return text if not text or set(text) <= set("0123456789.,:-µ% abcdefghijklmnopqrstuvwxyz/") else code(text)


def _word(value: object) -> str:
    return shlex.quote(one_line(value).replace("`", "'"))

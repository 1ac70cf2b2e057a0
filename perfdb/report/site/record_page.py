"""A record's own page: everything that it says."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfdb.compare.median import interval_of_median
from perfdb.compare.remedies import FOLDER, parsl_to_type
from perfdb.families import FAMILIES
from perfdb.record import Host, Metric, Record
from perfdb.registry.remarks import Remarks
from perfdb.registry.store import RECORD_FILE
from perfdb.report.site.contents import Mark, read_again
from perfdb.report.site.figures import figures_of
from perfdb.report.site.meanings import definitions, headline, kind_of
from perfdb.report.site.render import Writer
from perfdb.units import bytes_

# Of a run with thousands of iterations the page shows the first ones; the record has all.
MOST_ITERATIONS = 300
MOST_VALUES = 200


@dataclass(frozen=True)
class Relation:
    """Another record, and what it is to this one."""

    what: str
    id: str
    name: str
    status: str
    here: bool


@dataclass(frozen=True)
class Task:
    """A page to make: which record, and what only the others tell about it."""

    folder: str
    remarks: Remarks
    mark: Mark
    relations: tuple[Relation, ...] = ()
    sitting: tuple[Relation, ...] = ()


def write_record_page(root: Path, task: Task, writer: Writer) -> None:
    """Read a record and write its page.

    Raises:
        RegistryError: it changed since the build began.
    """
    folder = root / task.folder
    record = read_again(folder / RECORD_FILE, task.mark)
    first = headline(record)
    figures, remark = figures_of(record, folder)
    writer.page(
        f"records/{record.record_id}.html",
        "record.html",
        record=record,
        task=task,
        kind=kind_of(record),
        headline=[_row(metric) for metric in first],
        others=[_row(m) for m in record.metrics if m.step is None and m not in first],
        iterations=_iterations(record),
        facts=facts(record),
        hosts=_hosts(record),
        meanings=definitions(kind_of(record)),
        commands=commands(record),
        figures=figures,
        remark=remark,
        shown_folder=f"{root.name}/{task.folder}",
    )


def _row(metric: Metric) -> dict[str, Any]:
    values = metric.all_values
    return {
        "metric": metric,
        "values": values[:MOST_VALUES],
        "n": len(values),
        "interval": interval_of_median(values),
    }


def _iterations(record: Record) -> dict[str, Any] | None:
    rows: dict[tuple[int, int], dict[str, Metric]] = {}
    for metric in record.metrics:
        if metric.step is not None:
            rows.setdefault((metric.repetition or 1, metric.step), {})[metric.name] = metric
    if not rows:
        return None
    names: dict[str, Metric] = {name: metric for row in rows.values() for name, metric in row.items()}
    ordered = sorted(rows.items())
    return {"metrics": names, "rows": ordered[:MOST_ITERATIONS], "count": len(ordered)}


def facts(record: Record) -> list[tuple[str, str]]:
    """Where a record's numbers come from, as name and text."""
    origin, code, environment, config = record.origin, record.code, record.environment, record.config
    commit = f", commit {code.perfdb_commit[:12]}" if code.perfdb_commit else ""
    dirty = ", with uncommitted changes" if code.perfdb_dirty else ""
    load = [
        f"{when} {load.one:g}, {load.five:g}, {load.fifteen:g}"
        for when, load in (("at start", environment.load_at_start), ("at end", environment.load_at_end))
        if load
    ]
    settings = environment.scheduler_settings or {}
    rows = [
        ("Measured", ", ".join(f"{name} {version}" for name, version in sorted(code.measured.items()))),
        (
            "Imported from",
            f"{origin.source_kind or 'unknown'}: {origin.source or 'unknown'}" if origin.kind == "imported" else "",
        ),
        ("SHA-256 of the source", origin.source_sha256 or ""),
        ("Measured by", f"perfdb {code.perfdb_version}{commit}{dirty}" if origin.kind == "measured" else ""),
        ("Config's fingerprint", config.fingerprint if config else ""),
        ("SHA-256 of the config's source", config.source_sha256 if config else ""),
        ("Machine's fingerprint", environment.machine_fingerprint or ""),
        ("Scheduler", f"{environment.scheduler or ''} {environment.scheduler_version or ''}".strip()),
        ("Scheduler's settings", "; ".join(f"{name} {value}" for name, value in sorted(settings.items()))),
        ("Load averages over 1, 5 and 15 min", "; ".join(load)),
    ]
    return [(name, text) for name, text in rows if text]


def _hosts(record: Record) -> list[tuple[str, list[tuple[str, str]], Mapping[str, str]]]:
    environment = record.environment
    hosts = [("Submit host", environment.submit_host), *(("Worker host", host) for host in environment.workers)]
    return [(name, _host_facts(host), host.packages) for name, host in hosts if host is not None]


def _host_facts(host: Host) -> list[tuple[str, str]]:
    cpus = [
        f"{count:g} {what}"
        for count, what in (
            (host.cpu_count, "logical"),
            (host.cpu_usable, "usable"),
            (host.cpu_limit, "granted by the cgroup"),
        )
        if count is not None
    ]
    memory = [
        f"{bytes_(count)}{what}"
        for count, what in ((host.memory_bytes, ""), (host.memory_limit_bytes, " granted by the cgroup"))
        if count is not None
    ]
    rows = [
        ("Pseudonym", host.pseudonym),
        ("CPU", host.cpu_model),
        ("CPUs", ", ".join(cpus)),
        ("Memory", ", ".join(memory)),
        ("System", host.os),
        ("Kernel", host.kernel),
        ("Architecture", host.architecture),
        ("Python", host.python),
    ]
    return [(name, text) for name, text in rows if text]


def commands(record: Record) -> list[tuple[str, str]]:
    """What to type to see it, and to do it again: a purpose and a command each."""
    rows = [("See it in a terminal", f"perfdb show {record.record_id}")]
    if record.origin.kind == "measured" and record.config is not None:
        what, target, blank = _target(record, record.config.name)
        again = f"perfdb reproduce {record.record_id}"
        rows.append(("Do it again, and say what differs", f"{again} {blank}" if blank else again))
        if by_hand := _by_hand(record, target):
            of = f"{blank} being what was measured" if blank else f"with the {what} of that name"
            rows.append((f"The same by hand, {of}", by_hand))
    return rows


def _target(record: Record, config: str) -> tuple[str, str, str]:
    """What was measured: its kind, what is typed for it, and that once more where it is a blank to be filled in."""
    subject = FAMILIES[record.family].subject if record.family in FAMILIES else None
    if subject is None:
        return "config", config, ""
    known = subject.again(record.params) if subject.again is not None else None
    if known is not None:
        return subject.metavar, known, ""
    return subject.metavar, subject.metavar, subject.metavar


def _by_hand(record: Record, target: str) -> str | None:
    """None where no options say it: the config's that were overridden, a Parsl that is no release and no commit, a secret."""
    measured, parsl = record.code.measured, parsl_to_type(record)
    if record.overrides or (parsl is None and "parsl_source" in measured):
        return None
    family = FAMILIES.get(record.family)
    if family is not None and any(kept is not None and record.spec.get(n) == kept for n, kept in family.unkept.items()):
        return None  # what was typed there is not known
    usual = family.spec().model_dump(mode="json") if family is not None else {}
    spec = {n: value for n, value in record.spec.items() if value is not None and usual.get(n) != value}
    limit = spec.pop("timeout_s", None)  # not the family's to know
    asked = [f"--set {_word(f'{name}={value}')}" for name, value in spec.items()]
    asked += [f"--timeout {_word(limit)}"] if limit is not None else []
    version = [f"--parsl {parsl}"] if parsl else []
    comment = [f"# {FOLDER}"] if "parsl_source" in measured else []
    return " ".join(["perfdb run", _word(record.family), _word(target), *version, *asked, *comment])


def _word(value: object) -> str:
    return " ".join(shlex.quote(str(value)).split())


def relation(what: str, record: Record | None, record_id: str) -> Relation:
    """A link to another record; `record` is None where this registry lacks it."""
    if record is None:
        return Relation(what, record_id, record_id, "", False)
    return Relation(what, record_id, record.run_name, record.status, True)


def many(records: Sequence[Record], what: str) -> tuple[Relation, ...]:
    """Links to several."""
    return tuple(relation(what, record, record.record_id) for record in records)

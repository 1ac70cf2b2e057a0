"""Records as people read them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from perfdb.cli.printing import coloured, new_console, new_table, plain, shown_path
from perfdb.compare.settings import FIRST
from perfdb.families import FAMILIES, Family, Shown
from perfdb.record import Environment, Finding, Host, Metric, Record
from perfdb.units import bytes_, duration, quantity

if TYPE_CHECKING:
    from perfdb.registry import Entry
    from perfdb.registry.remarks import Remarks
    from perfdb.runner import Outcome

BETTER = {"higher": "higher is better", "lower": "lower is better", "none": ""}


def print_outcome(outcome: Outcome, family: Family, url: str | None) -> None:
    """What a run gave, where it is kept, and where to look at it."""
    console = new_console()
    record = outcome.record
    _headline(console, record, family.headline)
    _judgement(console, record)
    shown = _shown(family, record, outcome.folder)
    _rows(console, shown.table)
    rows = [("record", f"{record.record_id}  {shown_path(outcome.folder)}")]
    if outcome.outputs is not None:
        rows.append(("files", shown_path(outcome.outputs)))
    if url is not None:
        rows.append(("MLflow", url))
    if outcome.parsl_logs is not None:
        rows.append(("Parsl's logs", shown_path(outcome.parsl_logs)))
    rows += [("next", line) for line in shown.further]
    _pairs(console, rows)


def print_arms(arms: Sequence[tuple[str, Record]], family: Family) -> None:
    """Several runs that took turns, a line each, with the first headline metric that any of them has."""
    console = new_console()
    name = next((n for n in family.headline if any(record.metric(n) for _, record in arms)), None)
    table = new_table("run", "status", name or "", "min – max", "n", "record")
    for label, record in arms:
        metric = record.metric(name) if name else None
        spread = f"{_quantity(min, metric)} – {_quantity(max, metric)}" if metric else ""
        told = [_median(metric), spread, str(len(metric.all_values))] if metric else ["", "", ""]
        table.add_row(plain(label), coloured(record.status), *told, record.record_id)
    console.print(table)
    for label, record in arms:
        if record.reason:
            console.print(f"{plain(label)}: {coloured(record.status)} - {plain(record.reason)}")


def _quantity(chosen: Callable[[Sequence[float]], float], metric: Metric) -> str:
    return quantity(chosen(metric.all_values), metric.unit)


def print_record(entry: Entry, remarks: Remarks) -> None:
    """Everything worth reading in a record, and what was said about it since."""
    console = new_console()
    record = entry.record
    _remarks(console, remarks)
    _headline(console, record, _first_names(record))
    _judgement(console, record)
    _iterations(console, record)
    if (family := FAMILIES.get(record.family)) is not None:
        _rows(console, _shown(family, record, entry.folder).table)
    config, origin, environment = record.config, record.origin, record.environment
    # An importer whose source tells no duration writes 0.
    took = f", took {duration(record.duration_s)}" if record.duration_s else ""
    rows = [
        ("record", record.record_id),
        ("started", f"{record.started_at:%Y-%m-%d %H:%M:%S} UTC{took}"),
        ("experiment", f"{record.experiment} (family {record.family})"),
        ("imported", f"{origin.source_kind}, {origin.source}" if origin.kind == "imported" else ""),
        ("asked for", ", ".join(f"{k}={v}" for k, v in record.spec.items() if v is not None)),
        ("measured", ", ".join(f"{k} {v}" for k, v in record.code.measured.items())),
        ("config", f"{config.name}, fingerprint {config.fingerprint[:16]}" if config else ""),
        ("machine", environment.machine),
        ("scheduler", _scheduler(environment)),
        ("submit host", _host(environment.submit_host)),
        *(("worker host", _host(host)) for host in environment.workers),
        *((f"tag {name}", value) for name, value in (record.tags or {}).items()),
        ("folder", shown_path(entry.folder)),
    ]
    _pairs(console, [(name, value) for name, value in rows if value])
    if record.params:
        console.print("\n[bold]parameters[/bold]")
        _pairs(console, [(name, str(value)) for name, value in record.params.items()])


def _shown(family: Family, record: Record, folder: Path) -> Shown:
    """What the family has for people beyond the metrics."""
    from perfdb.cli.sampled import columns_of
    from perfdb.registry.validator.parquet import ParquetReader

    if family.shown is None or not record.samples:
        return Shown()
    with ParquetReader() as reader:
        columns = columns_of(record, folder, reader)
    return Shown() if columns is None else family.shown(record, columns)


def _rows(console: Console, rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in rows[0]:
        table.add_column(plain(head), no_wrap=True)
    for row in rows[1:]:
        table.add_row(*map(plain, row))
    console.print(table)


def _first_names(record: Record) -> Sequence[str]:
    """The family's headline; all metrics of the whole run where it has none of those, as imported ones may."""
    family = FAMILIES.get(record.family)
    names = [name for name in family.headline if record.metric(name)] if family else []
    return names or [metric.name for metric in record.metrics if metric.step is None]


def _headline(console: Console, record: Record, names: Iterable[str]) -> None:
    parsl = record.code.measured.get("parsl")
    version = f"Parsl {plain(parsl)} " if parsl else ""
    console.print(f"[bold]{plain(record.run_name)}[/bold]  {version}on {plain(record.environment.machine)}")
    table = new_table("metric", "median", "min – max", "n", "")
    for metric in filter(None, map(record.metric, names)):
        values = metric.all_values
        spread = (
            f"{quantity(min(values), metric.unit)} – {quantity(max(values), metric.unit)}" if len(values) > 1 else ""
        )
        table.add_row(metric.name, _median(metric), spread, str(len(values)), BETTER[metric.direction])
    if table.row_count:
        console.print(table)


def _judgement(console: Console, record: Record) -> None:
    console.print(f"status: {coloured(record.status)}" + (f" - {plain(record.reason)}" if record.reason else ""))
    told = record.reason or ""
    for check in record.checks:
        if not check.passed:
            news = _untold(check.detail, told)
            console.print(f"[red]failed check[/red] {check.name}" + (f": {plain(news)}" if news else ""))
            told = f"{told}; {check.detail}"
    for finding in record.findings:
        console.print(f"{plain(_called(finding))}: [bold]{plain(finding.value)}[/bold] ({plain(finding.evidence)})")


def _called(finding: Finding) -> str:
    """A finding's name for people; of a ceiling with its wait, which its evidence begins with."""
    first, comma, _ = finding.evidence.partition(",")
    if finding.name.endswith("ceiling") and first.startswith("wait ") and comma:
        return f"ceiling, {first}"
    return finding.name.replace("_", " ")


def _untold(detail: str, told: str) -> str:
    """A check's words without those that stand above it already, be it without the round's name before them."""
    parts = detail.split("; ")
    return "; ".join(part for part in parts if part not in told and (part.partition(": ")[2] or part) not in told)


def _remarks(console: Console, remarks: Remarks) -> None:
    if withdrawn := remarks.retraction:
        console.print(f"[red bold]WITHDRAWN[/red bold] {withdrawn.at:%Y-%m-%d %H:%M} UTC: {plain(withdrawn.reason)}")
    for remark in remarks.annotations:
        baseline = " (what came before is no measure for it)" if remark.resets_baseline else ""
        labels = "".join(f" [{name}: {value}]" for name, value in (remark.tags or {}).items())
        console.print(f"remark {remark.at:%Y-%m-%d %H:%M} UTC: {plain(remark.note + labels)}{baseline}")


def _iterations(console: Console, record: Record) -> None:
    steps: dict[tuple[int, int], dict[str, Metric]] = {}
    for metric in record.metrics:
        if metric.step is not None:
            steps.setdefault((metric.repetition or 1, metric.step), {})[metric.name] = metric
    if not steps:
        return
    names = list(dict.fromkeys(name for row in steps.values() for name in row))
    table = new_table("repetition", "iteration", *names)
    for (repetition, step), row in sorted(steps.items()):
        cells = [quantity(row[n].all_values[0], row[n].unit) if n in row else "" for n in names]
        table.add_row(str(repetition), f"{step}{' (cold)' if step == 1 else ''}", *cells)
    console.print(table)


def _median(metric: Metric) -> str:
    return quantity(statistics.median(metric.all_values), metric.unit)


def _scheduler(environment: Environment) -> str:
    """In a line: the settings that people ask for first, and how many more there are."""
    settings = environment.scheduler_settings or {}
    told = [f"{name} {settings[name]}" for name in FIRST if name in settings]
    more = len(settings) - len(told)
    told += [f"{more} more with --json"] if more else []
    name = " ".join(filter(None, (environment.scheduler, environment.scheduler_version)))
    return f"{name}; {', '.join(told)}" if told else name


def _host(host: Host | None) -> str:
    if host is None:
        return ""
    parts = [
        host.cpu_model,
        f"{host.cpu_usable or host.cpu_count} CPUs" if host.cpu_count else None,
        bytes_(host.memory_bytes) if host.memory_bytes else None,
        host.os,
        host.kernel,
        host.python,
    ]
    return ", ".join(plain(part) for part in parts if part)


def _pairs(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        console.print(f"{plain(name):<{width}}  {plain(value)}")

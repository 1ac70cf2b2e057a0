"""Records as people read them."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from perfdb.cli.terminal import printable
from perfdb.families import FAMILIES, Family
from perfdb.record import Host, Metric, Record
from perfdb.units import bytes_, duration, quantity

if TYPE_CHECKING:
    from perfdb.registry import Entry
    from perfdb.runner import Outcome

BETTER = {"higher": "higher is better", "lower": "lower is better", "none": ""}


def print_outcome(outcome: Outcome, family: Family, url: str | None) -> None:
    """What a run gave, where it is kept, and where to look at it."""
    console = _console()
    record = outcome.record
    _headline(console, record, family.headline)
    _judgement(console, record)
    rows = [("record", f"{record.record_id}  {shown_path(outcome.folder)}")]
    if url is not None:
        rows.append(("MLflow", url))
    if outcome.parsl_logs is not None:
        rows.append(("Parsl's logs", shown_path(outcome.parsl_logs)))
    _pairs(console, rows)


def print_record(entry: Entry) -> None:
    """Everything worth reading in a record."""
    console = _console()
    record = entry.record
    family = FAMILIES.get(record.family)
    _headline(console, record, family.headline if family else [m.name for m in record.metrics if m.step is None])
    _judgement(console, record)
    _iterations(console, record)
    environment = record.environment
    rows = [
        ("record", record.record_id),
        ("started", f"{record.started_at:%Y-%m-%d %H:%M:%S} UTC, took {duration(record.duration_s)}"),
        ("experiment", f"{record.experiment} (family {record.family})"),
        ("asked for", ", ".join(f"{k}={v}" for k, v in record.spec.items() if v is not None)),
        ("measured", ", ".join(f"{k} {v}" for k, v in record.code.measured.items())),
        (
            "config",
            f"{record.config.name}, fingerprint {record.config.fingerprint[:16]}" if record.config else "unknown",
        ),
        ("machine", environment.machine),
        ("submit host", _host(environment.submit_host)),
        *(("worker host", _host(host)) for host in environment.workers),
        ("folder", shown_path(entry.folder)),
    ]
    _pairs(console, rows)
    console.print("\n[bold]parameters[/bold]")
    _pairs(console, [(name, str(value)) for name, value in record.params.items()])


def print_list(entries: Sequence[Entry], total: int) -> None:
    """A line a record: the family's first headline metric stands for it."""
    console = _console()
    if not entries:
        console.print("no records here yet. Make one: run-parsl-perf.py parsl-configs/local_htex.py --time 5")
        return
    table = _table("record", "started (UTC)", "name", "machine", "status", "parsl", "headline")
    for entry in entries:
        record = entry.record
        family = FAMILIES.get(record.family)
        metric = record.metric(family.headline[0]) if family else None
        table.add_row(
            record.record_id,
            f"{record.started_at:%Y-%m-%d %H:%M}",
            _plain(record.run_name),
            _plain(record.environment.machine),
            _status(record),
            _plain(record.code.measured.get("parsl", "")),
            _median(metric) if metric else "",
        )
    console.print(table)
    if total > len(entries):
        console.print(f"{total - len(entries)} older ones are not shown: --limit {total} shows them.")


def shown_path(path: Path) -> str:
    """Relative to where the user works, if it lies below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _console() -> Console:
    # A pipe has no width to fit into.
    return Console(
        highlight=False, soft_wrap=True, width=None if sys.stdout is not None and sys.stdout.isatty() else 200
    )


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, no_wrap=True, overflow="fold", min_width=16)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _headline(console: Console, record: Record, names: Iterable[str]) -> None:
    parsl = record.code.measured.get("parsl", "unknown")
    console.print(
        f"[bold]{_plain(record.run_name)}[/bold]  Parsl {_plain(parsl)} on {_plain(record.environment.machine)}"
    )
    table = _table("metric", "median", "min – max", "n", "")
    for metric in filter(None, map(record.metric, names)):
        values = metric.all_values
        spread = (
            f"{quantity(min(values), metric.unit)} – {quantity(max(values), metric.unit)}" if len(values) > 1 else ""
        )
        table.add_row(metric.name, _median(metric), spread, str(len(values)), BETTER[metric.direction])
    if table.row_count:
        console.print(table)


def _judgement(console: Console, record: Record) -> None:
    console.print(f"status: {_status(record)}" + (f" - {_plain(record.reason)}" if record.reason else ""))
    for check in record.checks:
        if not check.passed:
            console.print(f"[red]failed check[/red] {check.name}: {_plain(check.detail)}")
    for finding in record.findings:
        console.print(
            f"{finding.name.replace('_', ' ')}: [bold]{_plain(finding.value)}[/bold] ({_plain(finding.evidence)})"
        )


def _iterations(console: Console, record: Record) -> None:
    steps: dict[tuple[int, int], dict[str, Metric]] = {}
    for metric in record.metrics:
        if metric.step is not None:
            steps.setdefault((metric.repetition or 1, metric.step), {})[metric.name] = metric
    if not steps:
        return
    names = list(dict.fromkeys(name for row in steps.values() for name in row))
    table = _table("repetition", "iteration", *names)
    for (repetition, step), row in sorted(steps.items()):
        cells = [quantity(row[n].all_values[0], row[n].unit) if n in row else "" for n in names]
        table.add_row(str(repetition), f"{step}{' (cold)' if step == 1 else ''}", *cells)
    console.print(table)


def _median(metric: Metric) -> str:
    return quantity(statistics.median(metric.all_values), metric.unit)


def _status(record: Record) -> str:
    colour = {"ok": "green", "invalid": "yellow"}.get(record.status, "red")
    return f"[{colour}]{record.status}[/{colour}]"


def _host(host: Host | None) -> str:
    if host is None:
        return "unknown"
    parts = [
        host.cpu_model,
        f"{host.cpu_usable or host.cpu_count} CPUs" if host.cpu_count else None,
        bytes_(host.memory_bytes) if host.memory_bytes else None,
        host.os,
        host.kernel,
        host.python,
    ]
    return ", ".join(_plain(part) for part in parts if part)


def _pairs(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        console.print(f"{_plain(name):<{width}}  {_plain(value)}")


def _plain(text: str) -> str:
    """A stranger's text, unable to colour, move or erase anything."""
    return escape(printable(text))

"""Pages that list: the overview, machines, experiments, configs, months, metrics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfdb.record import sha256_hex
from perfdb.registry.store import RECORD_FILE
from perfdb.report.charts.scripts import script_json
from perfdb.report.site.contents import Contents, Item, read_again
from perfdb.report.site.figures import Figure, scaling_figures, together_figures
from perfdb.report.site.meanings import definitions, kind_of, kinds
from perfdb.report.site.render import Writer, meaning, median_of
from perfdb.report.site.text import slug
from perfdb.report.site.trends import Trend

PAGE = 200
# Of a machine, an experiment or a config the page lists so many; the months have all.
NEWEST = 100
# A matrix of more cells is no picture any more; the table below it has them.
MOST_CELLS = 600
# So that the overview stays below 2 MB.
MOST_ROWS = 1500
# Of so few records the numbers stand side by side.
SMALL = 80
MOST_COLUMNS = 24
LARGEST_SOURCE = 256 * 1024


# What is grouped by, its plural, and its name in a record and in a trend.
GROUPS: tuple[tuple[str, str, Callable[[Item], str], Callable[[Trend], str]], ...] = (
    ("machine", "machines", lambda item: item.machine, lambda trend: trend.machine),
    ("experiment", "experiments", lambda item: item.record.experiment, lambda trend: trend.experiment),
    ("config", "configs", lambda item: item.config, lambda trend: trend.config),
)


@dataclass(frozen=True)
class Matrix:
    """Machines across, configs down, of one kind and metric."""

    kind: str
    metric: str
    machines: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[Trend, ...], ...]], ...]


def overview(contents: Contents, found: Sequence[Trend], writer: Writer) -> None:
    """The first page."""
    primary = [trend for trend in found if trend.primary]
    statuses: dict[str, int] = defaultdict(int)
    for item in contents.items:
        statuses["withdrawn" if item.withdrawn else item.record.status] += 1
    verdicts: dict[str, int] = defaultdict(int)
    for trend in primary:
        verdicts[trend.standing.verdict if trend.standing else "no baseline"] += 1
    writer.page(
        "index.html",
        "overview.html",
        matrices=list(_matrices(primary)),
        trends=primary[:MOST_ROWS],
        trend_count=len(primary),
        contents=contents,
        statuses=sorted(statuses.items(), key=lambda pair: (pair[0] != "ok", pair[0])),
        verdicts=verdicts,
        newest=contents.items[:12],
        machine_count=len({item.machine for item in contents.items}),
        config_count=len({item.config for item in contents.items if item.config}),
    )


def _matrices(primary: Sequence[Trend]) -> Iterator[Matrix]:
    cells: dict[tuple[str, str], dict[tuple[str, str], list[Trend]]] = {}
    for trend in primary:
        name = trend.config or trend.experiment
        cells.setdefault((trend.kind, trend.metric), {}).setdefault((name, trend.machine), []).append(trend)
    for (kind, metric), known in cells.items():
        machines = tuple(sorted({machine for _, machine in known}))
        names = sorted({name for name, _ in known})
        if len(machines) * len(names) <= MOST_CELLS:
            rows = tuple((name, tuple(tuple(known.get((name, machine), ())) for machine in machines)) for name in names)
            yield Matrix(kind, metric, machines, rows)


def groups(contents: Contents, found: Sequence[Trend], writer: Writer) -> None:
    """A page for each machine, experiment and config, and one that lists each."""
    for what, plural, name_of, trend_name in GROUPS:
        named = {name: items for name, items in contents.grouped(name_of).items() if name}
        of: dict[str, list[Trend]] = defaultdict(list)
        for trend in found:
            of[trend_name(trend)].append(trend)
        writer.page(f"{plural}/index.html", "groups.html", what=what, plural=plural, groups=named)
        for name, items in named.items():
            writer.page(
                f"{plural}/{slug(name)}.html",
                "group.html",
                what=what,
                plural=plural,
                name=name,
                items=items[:NEWEST],
                count=len(items),
                left_out=sum(not item.counts for item in items),
                trends=[trend for trend in of[name] if trend.primary],
                figures=_figures(contents.root, what, items),
                numbers=_numbers(contents.root, items) if what == "experiment" else None,
                hosts=_hosts(items) if what == "machine" else [],
                sources=_sources(contents.root, items) if what == "config" else [],
            )


def _figures(root: Path, what: str, items: Sequence[Item]) -> list[Figure]:
    if what == "machine":
        return []
    # A config of what is loaded is one address: only an experiment has one host and several.
    return [*scaling_figures(items), *(together_figures(root, items) if what == "experiment" else [])]


def _numbers(root: Path, items: Sequence[Item]) -> dict[str, Any] | None:
    """All numbers of a small experiment side by side, in a table a row a record; None for a large one."""
    if len(items) > SMALL:
        return None
    metrics: dict[tuple[str, str], dict[str, str]] = {}
    rows = []
    for item in items:
        record = read_again(root / item.folder / RECORD_FILE, item.mark)
        known: dict[tuple[str, str], float] = {}
        for metric in record.metrics:
            if metric.step is None:
                key = (metric.name, metric.unit)
                known.setdefault(key, median_of(metric))
                metrics.setdefault(key, {"name": metric.name, "unit": metric.unit, "meaning": meaning(record, metric)})
        rows.append((item, known))
    if not metrics or len(metrics) > MOST_COLUMNS:
        return None
    return {
        "metrics": list(metrics.values()),
        "rows": [(item, [known.get(key) for key in metrics]) for item, known in rows],
    }


def _hosts(items: Sequence[Item]) -> list[tuple[str, Item]]:
    """What the machine was, by fingerprint, each with the newest record that says so."""
    seen: dict[str, Item] = {}
    for item in items:
        if item.record.environment.submit_host is not None:
            seen.setdefault(item.record.environment.machine_fingerprint or "unknown", item)
    return list(seen.items())


def _sources(root: Path, items: Sequence[Item]) -> list[dict[str, Any]]:
    """Every source that a config of this name had, newest first."""
    seen: dict[str, list[Item]] = {}
    for item in items:
        if item.record.config is not None:
            seen.setdefault(item.record.config.source_sha256, []).append(item)
    return [
        {
            "sha256": sha256,
            "text": _source_text(root, known, sha256),
            "count": len(known),
            "newest": known[0],
            "oldest": known[-1],
        }
        for sha256, known in seen.items()
    ]


def _source_text(root: Path, items: Sequence[Item], sha256: str) -> str | None:
    """The source with that hash; None where none of the records has kept it."""
    for item in items[:3]:
        path = root / item.folder / "artifacts" / "config.py"
        try:
            if path.is_symlink() or path.stat().st_size > LARGEST_SOURCE:
                continue
            data = path.read_bytes()
        except OSError:
            continue
        if sha256_hex(data) == sha256:
            return data.decode("utf-8", errors="replace")
    return None


def months(contents: Contents, writer: Writer) -> None:
    """Every record, by month, at most `PAGE` a page; and what finds one by its name."""
    by_month = dict(sorted(contents.grouped(lambda item: item.month).items(), reverse=True))
    pages = {month: -(-len(items) // PAGE) for month, items in by_month.items()}
    writer.page("lists/index.html", "lists.html", months=by_month, pages=pages)
    for month, items in by_month.items():
        for number in range(pages[month]):
            writer.page(
                f"lists/{month_page(month, number)}",
                "list.html",
                month=month,
                number=number,
                pages=[month_page(month, n) for n in range(pages[month])],
                items=items[number * PAGE : (number + 1) * PAGE],
                count=len(items),
                months=list(by_month),
            )
    rows = [
        [item.id, item.record.run_name, item.machine, item.config, item.version, item.record.status, item.month]
        for item in contents.items
    ]
    writer.file("lists/records.js", f"window.perfdbRecords={script_json(rows)};\n".encode())


def month_page(month: str, number: int) -> str:
    """The file of a month's page, counted from 0."""
    return f"{month}.html" if number == 0 else f"{month}-{number + 1}.html"


def metrics(contents: Contents, writer: Writer) -> None:
    """What every number means."""
    present = {kind_of(item.record) for item in contents.items}
    writer.page(
        "metrics.html",
        "metrics.html",
        kinds=[(kind, definitions(kind)) for kind in kinds() if kind in present or kind == "throughput"],
    )

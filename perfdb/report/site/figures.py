"""The charts of a page, each with the table that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfdb.families import FAMILIES
from perfdb.families.charts import SamplesChart, ScalingChart
from perfdb.record import Record
from perfdb.report.charts import Place, Spec, scaling
from perfdb.report.charts.described import descriptions_of
from perfdb.report.charts.ecdf import quantile
from perfdb.report.charts.record_charts import charts_of
from perfdb.report.charts.samples import curves, read_samples
from perfdb.report.site.contents import Item
from perfdb.report.site.render import median_of

SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
# More lines than these no reader tells apart.
MOST_LINES = 12


@dataclass(frozen=True)
class Percentiles:
    """A table beside a curve: for each group its label, how many samples, and the values at `SHARES`; None for too few."""

    column: str
    unit: str
    rows: tuple[tuple[str, int, tuple[float | None, ...]], ...]
    shares: tuple[float, ...] = SHARES


@dataclass(frozen=True)
class Figure:
    """One chart and, where no other table on the page has its numbers, its own."""

    name: str
    title: str
    shows: str
    spec: Spec
    percentiles: Percentiles | None = None
    places: tuple[Place, ...] = ()
    param: str = ""
    unit: str = ""


def figures_of(record: Record, folder: Path) -> tuple[list[Figure], str]:
    """A record's charts; and what of its samples could not be shown, if anything."""
    descriptions = descriptions_of(record)
    samples = read_samples(record, folder)
    tables = {
        description.name: _percentiles(description, curves(samples, description.column, description.by))
        for description in descriptions
        if isinstance(description, SamplesChart)
    }
    figures = [
        Figure(chart.name, chart.title, chart.shows, chart.spec, tables.get(chart.name))
        for chart in charts_of(record, samples, descriptions, titled=False)
    ]
    missing = record.samples and not samples
    return (
        figures,
        "The raw samples are not shown: their file is gone, too large, or not the one that the record names."
        if missing
        else "",
    )


def _percentiles(description: SamplesChart, groups: dict[str, list[float]]) -> Percentiles:
    rows = []
    for label, values in groups.items():
        ordered = sorted(values)
        count = len(ordered)
        cells = tuple(
            quantile(ordered, share) if share in (0.0, 1.0) or count * min(share, 1 - share) >= 1 - 1e-9 else None
            for share in SHARES
        )
        rows.append((description.labels.get(label, label) or "all", count, cells))
    return Percentiles(description.column, description.unit, tuple(rows))


def scaling_figures(items: Sequence[Item]) -> list[Figure]:
    """How a family's metrics grow with what was varied, over many records; none where nothing was."""
    figures = []
    for name, family in FAMILIES.items():
        records = [i.record for i in items if i.counts and not i.imported and i.record.family == name]
        for description in family.charts:
            if isinstance(description, ScalingChart):
                figures += _scaling(description, records)
    return figures


def _scaling(description: ScalingChart, records: Sequence[Record]) -> list[Figure]:
    with_metric = [record for record in records if record.metric(description.metric)]
    for param in description.over:
        lines: dict[tuple[str, float], list[Record]] = {}
        for record in with_metric:
            at = _number(record, param)
            if at is not None:
                lines.setdefault((_line(record), at), []).append(record)
        varied = {line for line, _ in lines if len({at for other, at in lines if other == line}) > 1}
        if varied:
            return [_one_scaling(description, param, lines, sorted(varied)[:MOST_LINES])]
    return []


def _one_scaling(
    description: ScalingChart, param: str, lines: dict[tuple[str, float], list[Record]], shown: Sequence[str]
) -> Figure:
    unit = ""
    places = []
    for (line, at), records in sorted(lines.items()):
        metrics = [metric for record in records if (metric := record.metric(description.metric))]
        unit = metrics[0].unit
        values = [median_of(metric) for metric in metrics] if len(metrics) > 1 else metrics[0].all_values
        if line in shown:
            places.append(Place(line, at, values, len(records)))
    spec = scaling(places, name=description.metric, unit=unit, param=param)
    return Figure(description.name, description.title, description.shows, spec, None, tuple(places), param, unit)


def _number(record: Record, param: str) -> float | None:
    source: Any = record.spec if param.startswith("spec.") else record.params
    value = source.get(param.removeprefix("spec."))
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _line(record: Record) -> str:
    config = record.config.name if record.config else record.experiment
    return f"{config} on {record.environment.machine}, {record.code.measured.get('parsl', 'no version')}"

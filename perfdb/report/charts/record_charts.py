"""The charts of one record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from perfdb.families.charts import (
    ChartDescription,
    IterationsChart,
    Pictures,
    PicturesOfMany,
    RepetitionsChart,
    SamplesChart,
    ScalingChart,
    StagesChart,
)
from perfdb.record import Record, utc_text
from perfdb.report.charts.ecdf import Samples, ecdf
from perfdb.report.charts.pictures import Table, drawn, table_of
from perfdb.report.charts.samples import Columns, described_curves
from perfdb.report.charts.spec import WIDTH, Spec
from perfdb.report.charts.stages import Staircase, stages
from perfdb.report.charts.values import Group, iterations, repetitions


@dataclass(frozen=True)
class Chart:
    """One chart: its file's stem, what people call it, what it shows, its Vega-Lite document, and a table where one is made."""

    name: str
    title: str
    shows: str
    spec: Spec
    table: Table | None = None


def charts_of(
    record: Record,
    samples: Columns,
    descriptions: tuple[ChartDescription, ...],
    *,
    titled: bool = True,
    width: int = WIDTH,
) -> Iterator[Chart]:
    """Those of the described charts that this record has the data for.

    Args:
        samples: Its samples' columns.
        titled: Whether title and circumstances stand on the chart itself, as in a file; a page says them beside it.
    """
    notes = [_circumstances(record)] if titled else []
    for description in descriptions:
        if isinstance(description, PicturesOfMany):
            continue
        if isinstance(description, Pictures):
            for picture in description.make(record, samples):
                title = picture.title if titled else ""
                made = drawn(picture.data, title=title, notes=notes, width=width)
                shows = " ".join([picture.shows, *picture.data.remarks])
                yield Chart(picture.name, picture.title, shows, made, table_of(picture.data))
            continue
        title = description.title if titled else ""
        spec = _drawn(record, samples, description, title, notes, width)
        if spec is not None:
            yield Chart(description.name, description.title, description.shows, spec)


def _drawn(
    record: Record,
    samples: Columns,
    description: SamplesChart | RepetitionsChart | IterationsChart | ScalingChart | StagesChart,
    title: str,
    notes: list[str],
    width: int,
) -> Spec | None:
    if isinstance(description, SamplesChart):
        found = described_curves(samples, description)
        lines = [Samples(description.labels.get(word, word) or "all", values) for word, values in found.items()]
        if not lines:
            return None
        return ecdf(
            lines,
            name=description.quantity or description.column,
            unit=description.unit,
            title=title,
            notes=notes,
            width=width,
        )
    if isinstance(description, RepetitionsChart):
        metrics = [metric for name in description.metrics if (metric := record.metric(name))]
        groups = [Group(metric.name, metric.all_values) for metric in metrics if metric.unit == metrics[0].unit]
        # One value is no distribution: a table says it better.
        if not any(len(group.values) > 1 for group in groups):
            return None
        return repetitions(groups, name="", unit=metrics[0].unit, title=title, notes=notes, width=width)
    if isinstance(description, IterationsChart):
        steps = [metric for metric in record.metrics if metric.name == description.metric and metric.step is not None]
        return iterations(steps, title=title, notes=notes, width=width) if len(steps) > 1 else None
    if isinstance(description, StagesChart):
        return _staircases(record, description, title, notes, width)
    return None  # takes several records


def _staircases(record: Record, description: StagesChart, title: str, notes: list[str], width: int) -> Spec | None:
    groups, units = [], set()
    for label, prefix in description.groups.items():
        found = [(name, record.metric(f"{prefix}{stem}")) for stem, name in description.stages.items()]
        if any(metric is not None for _, metric in found):
            units |= {metric.unit for _, metric in found if metric is not None}
            groups.append(Staircase(label, [(name, metric.all_values if metric else ()) for name, metric in found]))
    return stages(groups, unit=units.pop(), title=title, notes=notes, width=width) if len(units) == 1 else None


def _circumstances(record: Record) -> str:
    measured = " ".join(f"{name} {version}" for name, version in sorted(record.code.measured.items()))
    parts = [
        record.config.name if record.config else "",
        f"on {record.environment.machine}",
        measured,
        utc_text(record.started_at)[:10],
        f"record {record.record_id}",
        "" if record.status == "ok" else f"STATUS: {record.status}",
    ]
    return ", ".join(part for part in parts if part)

"""The charts of a page, each with the table that says the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfdb.families import FAMILIES
from perfdb.families.charts import PicturesOfMany, SamplesChart, ScalingChart
from perfdb.record import Record
from perfdb.registry.store import RECORD_FILE
from perfdb.report.charts import Place, Spec, scaling
from perfdb.report.charts.described import descriptions_of
from perfdb.report.charts.ecdf import quantile
from perfdb.report.charts.pictures import Table, drawn, table_of
from perfdb.report.charts.places import LINES, alike, number, others, places_of
from perfdb.report.charts.record_charts import charts_of
from perfdb.report.charts.samples import described_curves, read_samples
from perfdb.report.charts.scales import named
from perfdb.report.site.contents import Item, read_again

SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
# More lines than these no reader tells apart.
MOST_LINES = 12
# Their samples are read for one page.
MOST_TOGETHER = 50


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
    table: Table | None = None
    places: tuple[Place, ...] = ()
    param: str = ""
    unit: str = ""


def figures_of(record: Record, folder: Path) -> tuple[list[Figure], str]:
    """A record's charts; and what of its samples could not be shown, if anything."""
    descriptions = descriptions_of(record)
    samples = read_samples(record, folder)
    tables = {
        description.name: _percentiles(description, described_curves(samples, description))
        for description in descriptions
        if isinstance(description, SamplesChart)
    }
    figures = [
        Figure(chart.name, chart.title, chart.shows, chart.spec, tables.get(chart.name), chart.table)
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
    return Percentiles(description.quantity or description.column, description.unit, tuple(rows))


def together_figures(root: Path, items: Sequence[Item]) -> list[Figure]:
    """What a family makes of several of its records together; of many the newest ones.

    Raises:
        RegistryError: a record changed since it was read.
    """
    figures: list[Figure] = []
    for name, family in FAMILIES.items():
        found = [d for d in family.charts if isinstance(d, PicturesOfMany)]
        counting = [item for item in items if item.counts and not item.imported and item.record.family == name]
        if not found or len(counting) < 2:
            continue
        records = [
            (read_again(root / item.folder / RECORD_FILE, item.mark), root / item.folder)
            for item in reversed(counting[:MOST_TOGETHER])
        ]
        pairs = [(record, read_samples(record, folder)) for record, folder in records]
        more = f" The newest {MOST_TOGETHER} records." if len(counting) > MOST_TOGETHER else ""
        for picture in (picture for description in found for picture in description.make(pairs)):
            shows = " ".join([picture.shows, *picture.data.remarks]) + more
            figures.append(
                Figure(picture.name, picture.title, shows, drawn(picture.data), table=table_of(picture.data))
            )
    return figures


def scaling_figures(items: Sequence[Item]) -> list[Figure]:
    """How a family's metrics grow with what was varied, over many records; none where nothing was."""
    figures: list[Figure] = []
    for name, family in FAMILIES.items():
        records = [i.record for i in items if i.counts and not i.imported and i.record.family == name]
        for description in family.charts:
            if isinstance(description, ScalingChart):
                figures += _scaling(description, records)
    return figures


def _scaling(description: ScalingChart, records: Sequence[Record]) -> Iterator[Figure]:
    """One for each parameter that differs along a line on which all else is alike."""
    with_metric = [record for record in records if record.metric(description.metric)]
    done: list[str] = []
    for param in description.over:
        known = [record for record in with_metric if number(record, param) is not None]
        if len({number(record, param) for record in known}) < 2 or any(alike(known, param, other) for other in done):
            continue
        lines = (*LINES, *others(known, param))
        places, _ = places_of(known, description.metric, param, lines, named=LINES)
        reach: dict[str, set[float]] = {}
        for place in places:
            reach.setdefault(place.line, set()).add(place.at)
        varied = sorted(line for line, at in reach.items() if len(at) > 1)
        if varied:
            done.append(param)
            yield _one_scaling(description, param, known, places, varied)


def _one_scaling(
    description: ScalingChart, param: str, records: Sequence[Record], places: Sequence[Place], varied: Sequence[str]
) -> Figure:
    unit = next(metric.unit for record in records if (metric := record.metric(description.metric)))
    lines = varied[:MOST_LINES]
    shown = tuple(sorted((place for place in places if place.line in lines), key=lambda place: (place.line, place.at)))
    more = f" The first {MOST_LINES} of {len(varied)} lines." if len(varied) > MOST_LINES else ""
    return Figure(
        f"{description.name}-{param.replace('.', '-')}",
        f"{named(description.metric, unit)} against {param}",
        description.shows + more,
        scaling(shown, name=description.metric, unit=unit, param=param),
        places=shown,
        param=param,
        unit=unit,
    )

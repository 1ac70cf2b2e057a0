"""Which charts a record has: those that its family describes, or, of what was imported, those that its content asks for."""

from __future__ import annotations

from collections import Counter

from perfdb.families import FAMILIES
from perfdb.families.charts import ChartDescription, IterationsChart, RepetitionsChart, SamplesChart
from perfdb.record import Metric, Record
from perfdb.report.charts.scales import named

# Of a stranger's record with hundreds of columns and metrics, the first ones.
MOST_COLUMNS = 3
MOST_ROWS = 6


def descriptions_of(record: Record) -> tuple[ChartDescription, ...]:
    """What to draw for this record, in order."""
    if record.origin.kind == "measured" and record.family in FAMILIES:
        return FAMILIES[record.family].charts
    return (*_repetitions(record), *_iterations(record), *_samples(record))


def _repetitions(record: Record) -> list[ChartDescription]:
    by_unit: dict[str, list[Metric]] = {}
    for metric in record.metrics:
        if metric.step is None and len(metric.all_values) > 1:
            by_unit.setdefault(metric.unit, []).append(metric)
    return [
        RepetitionsChart(
            f"repetitions-{number}",
            f"Repetition by repetition{f', in {unit}' if unit not in ('', '1') else ''}",
            "Every repetition's value of metrics of one unit.",
            tuple(metric.name for metric in metrics[:MOST_ROWS]),
        )
        for number, (unit, metrics) in enumerate(list(by_unit.items())[:MOST_COLUMNS], start=1)
    ]


def _iterations(record: Record) -> list[ChartDescription]:
    counts = Counter(metric.name for metric in record.metrics if metric.step is not None)
    return [
        IterationsChart(
            f"iterations-{number}", f"{named(name)} by iteration", "The values of a run's iterations, in order.", name
        )
        for number, name in enumerate([n for n, count in counts.items() if count > 1][:MOST_COLUMNS], start=1)
    ]


def _samples(record: Record) -> list[ChartDescription]:
    columns = [name for sample in record.samples for name in sample.columns if name.endswith("_s")]
    # An instant on a run's own clock is no duration, and its distribution says nothing.
    durations = [name for name in dict.fromkeys(columns) if not name.endswith(("submitted_s", "started_s", "ended_s"))]
    return [
        SamplesChart(
            f"samples-{number}",
            f"{named(name, 's')}, all samples",
            "The share of samples up to each value.",
            name,
            "s",
        )
        for number, name in enumerate(durations[:MOST_COLUMNS], start=1)
    ]

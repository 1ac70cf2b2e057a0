"""The few numbers that stand for a record. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from perfdb.compare.median import interval_of_median
from perfdb.record import Metric, Record
from perfdb.units import quantity

MOST = 4


def headline_of(record: Record, headlines: Mapping[str, Sequence[str]]) -> list[Metric]:
    """The metrics that its family, or the kind of source that it was imported from, puts first; else its own first ones.

    Args:
        headlines: By family and by kind of source.
    """
    kind = (record.family if record.origin.kind == "measured" else record.origin.source_kind) or ""
    if kind not in headlines:
        return [metric for metric in record.metrics if metric.step is None][:MOST]
    return [metric for metric in map(record.metric, headlines[kind]) if metric is not None]


def middle(metric: Metric) -> str:
    """The median, with its unit."""
    return quantity(statistics.median(metric.all_values), metric.unit)


def spread(metric: Metric) -> str:
    """From the least to the greatest repetition; empty for a single one."""
    values = metric.all_values
    return f"{quantity(min(values), metric.unit)} to {quantity(max(values), metric.unit)}" if len(values) > 1 else ""


def interval(metric: Metric) -> str:
    """The interval of the median with its confidence; empty where there can be none."""
    found = interval_of_median(metric.all_values)
    if found is None:
        return ""
    percent = math.floor(found.confidence * 1000) / 10
    return f"{quantity(found.low, metric.unit)} to {quantity(found.high, metric.unit)}, {percent:g} %"

"""What the metrics of a record mean, and which come first: from its family, or the kind of source it was imported from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from perfdb.families import FAMILIES
from perfdb.record import Metric, MetricDefinition, Record
from perfdb.registry.importers.definitions import DEFINITIONS, HEADLINES

# Of a record whose kind puts no metric first.
MOST = 4


def kind_of(record: Record) -> str:
    """Its family, or what kind of source it was imported from."""
    return record.family if record.origin.kind == "measured" else record.origin.source_kind or record.family


def definitions(kind: str) -> Mapping[str, MetricDefinition]:
    """Every defined metric of a kind, by name."""
    return FAMILIES[kind].metrics if kind in FAMILIES else DEFINITIONS.get(kind) or {}


def kinds() -> Iterator[str]:
    """All that define metrics."""
    yield from FAMILIES
    yield from (kind for kind, metrics in DEFINITIONS.items() if metrics)


def headline(record: Record) -> list[Metric]:
    """The metrics that stand for a record, the most telling one first."""
    kind = kind_of(record)
    names = FAMILIES[kind].headline if kind in FAMILIES else HEADLINES.get(kind)
    if names is None:
        return [metric for metric in record.metrics if metric.step is None][:MOST]
    return [metric for metric in map(record.metric, names) if metric is not None]

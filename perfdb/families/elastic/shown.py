"""A record's arms for people: a row each, medians over repetitions, and what elasticity made of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from perfdb.families.base import Shown
from perfdb.families.elastic.spec import ARMS
from perfdb.record import Metric, Record
from perfdb.units import quantity, significant

_UNKNOWN = "-"
# What a column is called, and the metric it shows.
_COLUMNS = {
    "makespan": "makespan_s",
    "promised": "promised_share",
    "turnaround": "turnaround_s",
    "elastic": "elastic_turnaround_s",
    "rigid wait": "rigid_wait_s",
    "urgent wait": "urgent_wait_s",
    "grows": "grows",
    "shrinks": "shrinks",
    "flaps": "flaps",
    "told p50": "told",
    "cost": "cost_per_resize_s",
}


def shown(record: Record, _: Mapping[str, Sequence[Any]]) -> Shown:
    """One row an arm, and one of what on has less than off."""
    known = {metric.name: metric for metric in record.metrics}
    rows = [(arm, *(_cell(known, f"{arm}_", stem) for stem in _COLUMNS.values())) for arm in ARMS]
    if any(name.startswith("on_less_off_") for name in known):
        rows.append(("on less off", *(_cell(known, "on_less_off_", stem) for stem in _COLUMNS.values())))
    if not any(cell != _UNKNOWN for _, *cells in rows for cell in cells):
        return Shown()
    return Shown((("elasticity", *_COLUMNS), *rows), (f"perfdb report site 'record_id == {record.record_id}'",))


def _cell(known: Mapping[str, Metric], prefix: str, stem: str) -> str:
    if stem == "told":
        both = [known.get(f"{prefix}{direction}_to_acknowledged_p50_s") for direction in ("grow", "shrink")]
        values = [value for metric in both if metric is not None for value in metric.all_values]
        return quantity(median(values), "s") if values else _UNKNOWN
    metric = known.get(prefix + stem)
    if metric is None:
        return _UNKNOWN
    value = median(metric.all_values)
    if stem.endswith("_share"):
        return f"{significant(100 * value, 3)} %"
    return significant(value, 3) if metric.unit == "resizes" else quantity(value, metric.unit)

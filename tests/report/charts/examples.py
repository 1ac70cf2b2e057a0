"""Comparisons and histories to draw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from perfdb.compare.changes import Change
from perfdb.compare.comparison import Case, Comparison, Interval, MetricComparison, Side, Values
from perfdb.compare.series import LeftOut, Mark, Point, Series

ID = "0123456789abcdef"
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def metric(name: str, ratio: float, verdict: str = "better", **changes: Any) -> MetricComparison:
    """A metric whose interval is 5 % either way."""
    values = Values(values=(1.0, 2.0, 3.0), median=2.0, records=(ID,))
    fields: dict[str, Any] = {
        "metric": name,
        "unit": "tasks/s",
        "direction": "higher",
        "unit_of_analysis": "repetition",
        "baseline": values,
        "other": values,
        "interval": Interval(
            ratio=ratio, low=ratio * 0.95, high=ratio * 1.05, confidence=0.95, method="Hodges-Lehmann"
        ),
        "verdict": verdict,
    }
    return MetricComparison(**{**fields, **changes})


def comparison(*metrics: MetricComparison, **changes: Any) -> Comparison:
    """Two sides on one machine."""
    sides = (
        Side(name="2025.8.4", label="2025.8.4", records=(ID,)),
        Side(name="2026.1.5", label="2026.1.5", records=(ID,), left_out={"invalid": (ID,)}),
    )
    case = Case(alike={"machine": "laptop", "config": "threads"}, other=1, metrics=metrics)
    return Comparison(**{"sides": sides, "compared": ("parsl_version",), "cases": (case,), **changes})


def series(**changes: Any) -> Series:
    """Six releases; the fourth is slower, somebody remarked on the second, one record was invalid."""
    values = (700.0, 705.0, 695.0, 600.0, 605.0, 595.0)
    points = tuple(
        Point(
            value=value,
            medians=(value,),
            repetitions=(value - 10, value, value + 10),
            records=(ID,),
            version=f"2026.{number}.1",
            first_at=STARTED + timedelta(days=30 * number),
            last_at=STARTED + timedelta(days=30 * number),
        )
        for number, value in enumerate(values, start=1)
    )
    fields: dict[str, Any] = {
        "circumstances": {"machine": "laptop"},
        "unit": "tasks/s",
        "direction": "higher",
        "points": points,
        "changes": (Change(at=3, before=700.0, after=600.0, ratio=600 / 700, p=0.001, certainty="confirmed"),),
        "marks": (Mark(at=1, uuid="a" * 32, note="new kernel", resets_baseline=True),),
        "stretches": (0, 1),
        "left_out": (LeftOut(record=ID, why="invalid", started_at=STARTED, before=2),),
    }
    return Series(**{**fields, **changes})

"""Distributions as they are: the share of samples up to each value, with percentiles marked. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from perfdb.report.charts.scales import axis
from perfdb.report.charts.spec import HEIGHT, WIDTH, Spec, filled, rounded, shortened, slot, template
from perfdb.units import counted, quantity

PERCENTILES = (0.50, 0.95, 0.99)
# A curve of so many points can hardly be told from one of a million, and every one of a slow or quick end is kept.
POINTS = 100
ENDS = 10


@dataclass(frozen=True)
class Samples:
    """One curve's samples, in any order; the unit is the chart's.

    Attributes:
        larger: How many more there are, of which no more is known than that they are larger than these.
    """

    label: str
    values: Sequence[float]
    larger: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.values) + self.larger


def quantile(ordered: Sequence[float], q: float) -> float:
    """The `q` quantile, linear between order statistics (type 7 of Hyndman and Fan, 1996).

    Args:
        ordered: At least one value, smallest first.
        q: 0 to 1.
    """
    position = q * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def steps(values: Sequence[float], larger: int = 0) -> list[tuple[float, float]]:
    """The empirical distribution's steps as (value, share of samples up to it), smallest first.

    Of many samples a hundred steps at equal distances in rank, and the ten at either end. With `larger` ones it ends
    below 1.
    """
    ordered = sorted(values)
    count = len(ordered)
    even = {round(i * (count - 1) / (POINTS - 1)) for i in range(POINTS)}
    ranks = sorted(even.union(range(min(ENDS, count)), range(max(0, count - ENDS), count)))
    known: dict[float, float] = {}
    for rank in ranks:
        known[ordered[rank]] = (rank + 1) / (count + larger)
    return [(ordered[0], 0.0), *known.items()]


def percentiles(values: Sequence[float], larger: int = 0) -> list[tuple[float, float]]:
    """(percentile, value), for those that the number of samples supports: 100 for the 99th, 20 for the 95th.

    Those that lie among the `larger` ones are not known.
    """
    ordered = sorted(values)
    count = len(ordered) + larger
    supported = [q for q in PERCENTILES if count * (1 - q) >= 1 - 1e-9]
    known = [q for q in supported if math.ceil(q * (count - 1)) < len(ordered)]
    return [(q, quantile([*ordered, *ordered[-1:] * larger], q)) for q in known]


def ecdf(
    curves: Sequence[Samples],
    *,
    name: str,
    unit: str,
    of: str = "sample",
    title: str = "",
    notes: Sequence[str] = (),
    log: bool | None = None,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Spec:
    """One curve or several of samples of one quantity.

    Args:
        curves: Each with at least one sample.
        name: What was sampled, such as `latency_s`.
        unit: Of the samples.
        of: What one of them is.
        notes: Further sentences for below the title.
        log: Whether the value's axis is logarithmic; None lets the span decide.
    """
    curves = [Samples(shortened(curve.label), curve.values, curve.larger) for curve in curves]
    scale = axis(name, unit, [value for curve in curves for value in curve.values], log=log)
    points, marks = [], []
    for curve in curves:
        points += [
            {"s": curve.label, "x": rounded(value * scale.factor), "y": rounded(share)}
            for value, share in steps(curve.values, curve.larger)
        ]
        marks += [
            {
                "s": curve.label,
                "x": rounded(value * scale.factor),
                "y": q,
                "p": f"p{q * 100:.0f}",
                "told": quantity(value, unit),
                "label": quantity(value, unit) if len(curves) == 1 else "",
                "n": counted(curve.count, of),
            }
            for q, value in percentiles(curve.values, curve.larger)
        ]
    told = [
        f"{curve.label}: {counted(curve.count, of)}"
        + "".join(f", {mark['p']} {mark['told']}" for mark in marks if mark["s"] == curve.label)
        + (f", {curve.larger:,} beyond the curve" if curve.larger else "")
        for curve in curves
    ]
    alone = len(curves) == 1
    return filled(
        _template(),
        {
            "x": scale.title,
            "y": f"share of {of}s",
            "scale": scale.scale(),
            "series": [curve.label for curve in curves],
            "legend": None if alone else {"title": None, "orient": "bottom", "direction": "vertical"},
        },
        {
            "steps": points,
            "marks": marks,
            "levels": [{"y": q, "p": f"p{q * 100:.0f}"} for q in PERCENTILES if any(m["y"] == q for m in marks)],
        },
        title=title,
        subtitle=[*told, *notes],
        description=f"{title or scale.title}: share of {of}s up to each value. {'; '.join(told)}",
        width=width,
        height=height,
    )


@template
def _template() -> Any:
    import altair as alt

    def data(name: str) -> Any:
        return alt.NamedData(name=name)

    x = alt.X(
        "x:Q",
        title=slot("x"),
        scale=slot("scale"),
        axis=alt.Axis(format=",.6~r"),
    )
    y = alt.Y("y:Q", title=slot("y"), scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%"))
    colour = alt.Color("s:N", scale=alt.Scale(domain=slot("series")), legend=slot("legend"))
    levels = alt.Chart(data("levels")).encode(y="y:Q")
    told = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in (("s", "series"), ("p", "percentile"), ("told", "value"), ("n", "of"))
    ]
    return alt.layer(
        levels.mark_rule(style="faint"),
        levels.mark_text(style="caption", align="left", baseline="middle", dx=4).encode(
            x=alt.value("width"), text="p:N"
        ),
        alt.Chart(data("steps")).mark_line(interpolate="step-after", style="curve").encode(x, y, colour),
        alt.Chart(data("marks")).mark_point(style="middle").encode(x, y, colour, tooltip=told),
        alt.Chart(data("marks"))
        .mark_text(style="value", align="right", baseline="bottom", dx=-6, dy=-3)
        .encode(x, y, text="label:N"),
    )

"""Distributions by two things: a box for each, beside its points where they are few. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from perfdb.families.spreads import Box, Boxes
from perfdb.report.charts.ecdf import quantile
from perfdb.report.charts.scales import axis
from perfdb.report.charts.spec import WIDTH, Spec, filled, rounded, shortened, slot, template
from perfdb.units import counted, quantity

ROW = 22
# Of more values than so many, only those beyond the whiskers have points, and of these the farthest.
MOST_POINTS = 40
_REACH = 1.5
# A span from which a straight axis would press whole boxes into a corner.
_WIDE = 300


@dataclass(frozen=True)
class Shape:
    """What a box shows; None where too many values were not seen whole to know it.

    Attributes:
        low, high: The ends of the whiskers: the farthest values within 1.5 interquartile ranges of the box (Tukey, 1977).
        mean, deviation: Arithmetic mean, and standard deviation with n - 1; of several values, all of them whole.
    """

    low: float | None
    q1: float | None
    median: float | None
    q3: float | None
    high: float | None
    mean: float | None
    deviation: float | None


def shape_of(box: Box) -> Shape:
    """The box of values, of which those that were not seen whole count as larger than all others."""
    ordered = sorted(box.values)
    if not ordered:
        return Shape(None, None, None, None, None, None, None)
    known = [*ordered, *ordered[-1:] * len(box.at_least)]

    def part(q: float) -> float | None:
        return quantile(known, q) if math.ceil(q * (len(known) - 1)) < len(ordered) else None

    q1, middle, q3 = part(0.25), part(0.5), part(0.75)
    low = high = None
    if q1 is not None and q3 is not None:
        reach = _REACH * (q3 - q1)
        low = min(value for value in ordered if value >= q1 - reach)
        high = max(value for value in ordered if value <= q3 + reach)
    whole = ordered if not box.at_least else []
    mean = statistics.fmean(whole) if whole else None
    return Shape(low, q1, middle, q3, high, mean, statistics.stdev(whole) if len(whole) > 1 else None)


def boxes(data: Boxes, *, title: str = "", notes: Sequence[str] = (), width: int = WIDTH) -> Spec:
    """A row for each group, and in it a box for each series."""
    groups = list(dict.fromkeys(shortened(box.group, 60) for box in data.boxes))
    series = list(dict.fromkeys(shortened(box.series) for box in data.boxes))
    values = [at for box in data.boxes for at in (*box.values, *box.at_least)]
    wide = bool(values) and 0 < _WIDE * min(values) < max(values)
    scale = axis(data.quantity, data.unit, values, log=wide)
    sets: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("whiskers", "boxes", "medians", "means", "points", "unseen")
    }
    spoken = []
    for box in data.boxes:
        shape = shape_of(box)
        spoken.append(f"{box.group}, {box.series}: {_count(box)}, {_told(shape, data.unit)}")
        name = shortened(box.series)
        row: dict[str, Any] = {"s": shortened(box.group, 60), "g": name, "k": series.index(name), "n": _count(box)}
        row["told"] = _told(shape, data.unit)

        def add(name: str, row: dict[str, Any] = row, **at: float) -> None:
            sets[name].append(row | {key: rounded(value * scale.factor) for key, value in at.items()})

        if shape.q1 is not None and shape.q3 is not None and shape.low is not None and shape.high is not None:
            add("boxes", x=shape.q1, x2=shape.q3)
            add("whiskers", x=shape.low, x2=shape.q1)
            add("whiskers", x=shape.q3, x2=shape.high)
        if shape.median is not None:
            add("medians", x=shape.median)
        if shape.mean is not None:
            add("means", x=shape.mean)
        for value in _shown(box.values, shape):
            add("points", row | {"told": quantity(value, data.unit)}, x=value)
        for value in sorted(box.at_least)[-MOST_POINTS:]:
            add("unseen", row | {"told": f"more than {quantity(value, data.unit)}"}, x=value)
    return filled(
        _template(),
        {
            "x": scale.title,
            "scale": scale.scale(padding=8) if scale.logarithmic else {"zero": True, "nice": True},
            "rows": groups,
            "legend": {"title": None, "orient": "bottom"} if len(series) > 1 else None,
        },
        sets,
        title=title,
        subtitle=[*_words(data), *data.remarks, *notes],
        description=f"{title or scale.title}. {'; '.join(spoken)}. {' '.join(data.remarks)}",
        width=width,
        height=max(60, (ROW * max(1, len(series)) + 10) * len(groups)),
    )


def _words(data: Boxes) -> list[str]:
    words = ["Box: quartiles and median. Whiskers: the farthest values within 1.5 times its length. Diamond: mean."]
    if any(len(box.values) > MOST_POINTS for box in data.boxes):
        words.append(
            f"Points: all values of up to {MOST_POINTS}; of more, the farthest {MOST_POINTS} beyond the whiskers."
        )
    if any(box.at_least for box in data.boxes):
        words.append("Triangle: not seen to its end, so at least this long.")
    return words


def _shown(values: Sequence[float], shape: Shape) -> list[float]:
    if len(values) <= MOST_POINTS or shape.low is None or shape.high is None or shape.median is None:
        return sorted(values)[-MOST_POINTS:]
    low, high, median = shape.low, shape.high, shape.median
    beyond = [value for value in values if value < low or value > high]
    return sorted(beyond, key=lambda value: -abs(value - median))[:MOST_POINTS]


def _count(box: Box) -> str:
    unseen = f", {len(box.at_least):,} of them not seen to their end" if box.at_least else ""
    return f"{counted(len(box.values) + len(box.at_least), 'value')}{unseen}"


def _told(shape: Shape, unit: str) -> str:
    if shape.median is None:
        return "median not known"
    mean = "" if shape.mean is None else f", mean {quantity(shape.mean, unit)}"
    return f"median {quantity(shape.median, unit)}{mean}"


@template
def _template() -> Any:
    import altair as alt

    def data(name: str) -> Any:
        return alt.Chart(alt.NamedData(name=name)).encode(
            alt.Y(
                "s:N",
                title=None,
                sort=None,
                scale=alt.Scale(domain=slot("rows")),
                axis=alt.Axis(grid=True, ticks=False),
            ),
            yOffset=alt.YOffset("k:O"),
        )

    x = alt.X("x:Q", title=slot("x"), scale=slot("scale"), axis=alt.Axis(format=",.6~r"))
    # Without a domain of its own: Vega-Lite would make the words in it part of an expression that sorts the bars.
    colour = alt.Color("g:N", sort=None, legend=slot("legend"))
    told = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in (("s", "group"), ("g", "of"), ("told", "value"), ("n", "from"))
    ]
    return alt.layer(
        data("whiskers").mark_rule(style="spread").encode(x, colour, x2="x2:Q"),
        data("boxes").mark_bar(style="box", minBandSize=1).encode(x, colour, x2="x2:Q", tooltip=told),
        data("points").mark_point(style="one").encode(x, colour, tooltip=told),
        data("unseen").mark_point(style="unseen").encode(x, colour, tooltip=told),
        data("medians").mark_tick(style="median").encode(x, tooltip=told),
        data("means").mark_point(style="mean").encode(x, tooltip=told),
    )

"""Numbers against a number: what was measured as points on lines, limits and laws dashed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perfdb.families.charts import Dot, Line, Lines
from perfdb.report.charts.scales import axis
from perfdb.report.charts.spec import HEIGHT, WIDTH, Spec, filled, rounded, shortened, slot, template, unlike
from perfdb.units import quantity

_DASHES = ([6, 3], [2, 3], [9, 3, 2, 3], [1, 4])
# As many places along the axis as have room for a tick each.
_MOST_TICKS = 10


def lines(data: Lines, *, title: str = "", notes: Sequence[str] = (), width: int = WIDTH, height: int = HEIGHT) -> Spec:
    """A line for each, in its own colour and with points of its own shape; rules have their line's colour, and no points."""
    labels = list(dict.fromkeys(line.label for line in data.lines))
    series = dict(zip(labels, unlike(labels), strict=True))
    kinds = list(dict.fromkeys(line.rule for line in data.lines if line.rule))
    rules = dict(zip(kinds, unlike(kinds), strict=True))
    dots = [dot for line in data.lines for dot in line.dots]
    scale = axis(data.y, data.unit, [value for dot in dots for value in _values(dot)])
    across = sorted({dot.x for line in data.lines if not line.rule for dot in line.dots})
    within = all(across[0] <= dot.x <= across[-1] for dot in dots) if across else False
    measured, ruled = [], []
    for line in data.lines:
        rows = [_row(series[line.label], dot, data.unit, scale.factor) for dot in line.dots]
        if line.rule:
            ruled += [{**row, "k": rules[line.rule]} for row in rows]
        else:
            measured += rows
    told = "; ".join(_spoken(line, data) for line in data.lines)
    bars = ["Point: median. Bar: least to greatest."] if any(dot.low is not None for dot in dots) else []
    return filled(
        _template(),
        {
            "x": shortened(data.x, 80),
            "across": _across(data, dots),
            "ticks": across if within and len(across) <= _MOST_TICKS else None,
            "step": 1 if all(float(at).is_integer() for at in across) else 0,
            "y": scale.title,
            "scale": scale.scale() if scale.logarithmic else {"zero": True, "nice": True},
            "series": list(series.values()),
            "rules": list(rules.values()),
            "dashes": [_DASHES[place % len(_DASHES)] for place in range(len(rules))],
            "legend": _legend(len(series)) if len(series) > 1 or rules else None,
            "dashed": {**_legend(len(rules)), "symbolType": "stroke"} if rules else None,
        },
        {"measured": measured, "ruled": ruled},
        title=title,
        subtitle=[*bars, *data.remarks, *notes],
        description=f"{title or scale.title}. {told}. {' '.join(data.remarks)}",
        width=width,
        height=height,
    )


def _across(data: Lines, dots: Sequence[Dot]) -> dict[str, Any]:
    if data.log_x and min((dot.x for dot in dots), default=0.0) > 0:
        return {"type": "log", "base": 2, "nice": False}
    return {"type": "linear", "zero": False, "nice": False}


def _legend(count: int) -> dict[str, Any]:
    return {"title": None, "orient": "bottom", "columns": min(4, max(1, count))}


def _values(dot: Dot) -> list[float]:
    return [value for value in (dot.y, dot.low, dot.high) if value is not None]


def _row(name: str, dot: Dot, unit: str, factor: float) -> dict[str, Any]:
    low, high = (dot.y if end is None else end for end in (dot.low, dot.high))
    return {
        "s": name,
        "x": dot.x,
        "y": rounded(dot.y * factor),
        "low": rounded(low * factor),
        "high": rounded(high * factor),
        "told": quantity(dot.y, unit),
        "more": shortened(dot.told) or f"{quantity(low, unit)} to {quantity(high, unit)}",
    }


def _spoken(line: Line, data: Lines) -> str:
    shown = line.dots[-1:] if line.rule else line.dots
    return f"{line.name}: {', '.join(f'{quantity(dot.y, data.unit)} at {dot.x:g}' for dot in shown)}"


@template
def _template() -> Any:
    import altair as alt

    def data(name: str) -> Any:
        return alt.Chart(alt.NamedData(name=name))

    x = alt.X(
        "x:Q",
        title=slot("x"),
        scale=slot("across"),
        axis=alt.Axis(format=",.6~r", values=slot("ticks"), tickMinStep=slot("step")),
    )
    y = alt.Y("y:Q", title=slot("y"), scale=slot("scale"), axis=alt.Axis(format=",.6~r"))
    colour = alt.Color("s:N", scale=alt.Scale(domain=slot("series")), legend=slot("legend"))
    # Shapes besides colours, for whoever can't tell those apart, or prints in grey.
    shape = alt.Shape("s:N", scale=alt.Scale(domain=slot("series")), legend=slot("legend"))
    dash = alt.StrokeDash("k:N", scale=alt.Scale(domain=slot("rules"), range=slot("dashes")), legend=slot("dashed"))
    told = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in (("s", "line"), ("x", "at"), ("told", "value"), ("more", "and"))
    ]
    return alt.layer(
        data("ruled").mark_line(style="segment").encode(x, y, colour, dash),
        data("measured").mark_line(style="curve").encode(x, y, colour),
        data("measured").mark_rule(style="spread").encode(x, alt.Y("low:Q"), y2="high:Q", color=colour),
        data("measured").mark_point(style="middle").encode(x, y, colour, shape, tooltip=told),
    )

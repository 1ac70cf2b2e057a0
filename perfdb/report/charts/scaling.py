"""A metric against a parameter: one line for each config, version or machine. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from perfdb.report.charts.scales import axis
from perfdb.report.charts.spec import HEIGHT, WIDTH, Spec, filled, rounded, shortened, slot, template
from perfdb.units import counted, quantity


@dataclass(frozen=True)
class Place:
    """All records of one line at one value of the parameter.

    Attributes:
        line: What the line is, such as a config and a version.
        at: The parameter's value.
        values: One for each unit of analysis, at least one, in the metric's unit.
        records: How many records they come from.
    """

    line: str
    at: float
    values: Sequence[float]
    records: int


def scaling(
    places: Sequence[Place],
    *,
    name: str,
    unit: str,
    param: str,
    title: str = "",
    notes: Sequence[str] = (),
    log: bool | None = None,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Spec:
    """Medians joined by lines, with bars from the least value to the greatest.

    Args:
        name: The metric.
        param: The parameter, such as `provider.nodes_per_block`.
        log: Whether the metric's axis is logarithmic; None lets the span decide.
    """
    scale = axis(name, unit, [value for place in places for value in place.values], log=log)
    across = [place.at for place in places]
    doubling = min(across, default=0) > 0 and max(across) / min(across) >= 8
    rows = [
        {
            "s": shortened(place.line),
            "x": place.at,
            "y": rounded(median(place.values) * scale.factor),
            "low": rounded(min(place.values) * scale.factor),
            "high": rounded(max(place.values) * scale.factor),
            "told": quantity(median(place.values), unit),
            "span": f"{quantity(min(place.values), unit)} to {quantity(max(place.values), unit)}",
            "n": f"{counted(len(place.values), 'value')}, {counted(place.records, 'record')}",
        }
        for place in sorted(places, key=lambda place: place.at)
    ]
    series = list(dict.fromkeys(shortened(place.line) for place in places))
    total = (
        f"{counted(sum(p.records for p in places), 'record')}, {counted(sum(len(p.values) for p in places), 'value')}"
    )
    told = "; ".join(f"{row['s']}, {param} {row['x']:g}: {row['told']}" for row in rows)
    return filled(
        _template(),
        {
            "x": shortened(param, 80),
            "across": {"type": "log", "base": 2, "nice": False} if doubling else {"type": "linear", "zero": False},
            "ticks": sorted(set(across)) if len(set(across)) <= 12 else None,
            "y": scale.title,
            "scale": scale.scale() if scale.logarithmic else {"zero": True},
            "series": series,
            "legend": {"title": None, "orient": "bottom", "direction": "vertical"} if len(series) > 1 else None,
        },
        {"places": rows},
        title=title,
        subtitle=[f"Point: median. Bar: least to greatest. {total}.", *notes],
        description=f"{title or scale.title}: {told}",
        width=width,
        height=height,
    )


@template
def _template() -> Any:
    import altair as alt

    x = alt.X("x:Q", title=slot("x"), scale=slot("across"), axis=alt.Axis(format=",.6~r", values=slot("ticks")))
    y = alt.Y("y:Q", title=slot("y"), scale=slot("scale"), axis=alt.Axis(format=",.6~r"))
    told = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in (("s", "line"), ("told", "median"), ("span", "spread"), ("n", "from"))
    ]
    base = alt.Chart(alt.NamedData(name="places")).encode(
        x=x, color=alt.Color("s:N", scale=alt.Scale(domain=slot("series")), legend=slot("legend")), tooltip=told
    )
    return alt.layer(
        base.mark_rule(style="spread").encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line(style="curve").encode(y=y),
        base.mark_point(style="middle").encode(y=y),
    )

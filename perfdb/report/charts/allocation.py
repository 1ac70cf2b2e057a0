"""Cores obtained over time, as steps: what was measured drawn through, what is given dashed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from perfdb.report.charts.scales import axis
from perfdb.report.charts.spec import HEIGHT, WIDTH, Spec, filled, rounded, slot, template, unlike
from perfdb.units import counted, quantity

Steps = Sequence[tuple[float, int]]
_THROUGH, _DASHED = [1, 0], [6, 3]
# On which side of their marks words stand.
_SIDES = ("before", "after")
_NEAR_THE_AXIS = 0.15


@dataclass(frozen=True)
class Stairs:
    """One way to obtain cores.

    Attributes:
        label: What it is, and whether it was measured or who said so.
        measured: Or else given.
        steps: (instant in seconds, cores from then on), in order.
        band: Of several rounds: the slowest's steps and the fastest's.
    """

    label: str
    measured: bool
    steps: Steps
    band: tuple[Steps, Steps] | None = None


@dataclass(frozen=True)
class Mark:
    """A place where one overtakes another: when, at how many cores, and in a few words."""

    at_s: float
    cores: int
    told: str


def allocation(
    stairs: Sequence[Stairs],
    marks: Sequence[Mark] = (),
    *,
    title: str = "",
    notes: Sequence[str] = (),
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Spec:
    """The steps of each way, with the places where one overtakes another.

    Each begins at nothing and ends with its last step: what would have come after it nobody asked for.
    """
    labels = unlike([each.label for each in stairs])
    scale = axis("time since the cores were asked for", "s", _instants(stairs), log=False)
    rows, areas = [], []
    for label, each in zip(labels, stairs, strict=True):
        rows += [
            {"s": label, "x": rounded(at * scale.factor), "y": cores, "told": quantity(at, "s")}
            for at, cores in ((0.0, 0), *each.steps)
        ]
        if each.band:
            areas += [
                {"s": label, "x": rounded(at * scale.factor), "low": low, "high": high}
                for at, low, high in between(*each.band)
            ]

    def row(mark: Mark) -> dict[str, Any]:
        return {"x": rounded(mark.at_s * scale.factor), "y": mark.cores, "told": mark.told}

    # Words before a mark that is near the axis would hang over it.
    edge_s = _NEAR_THE_AXIS * max(_instants(stairs), default=0.0)
    told = [mark for mark in marks if mark.told]
    banded = ["Band: from the slowest round to the fastest, node by node."] if areas else []
    dashed = ["Dashed: given, not measured."] if not all(each.measured for each in stairs) else []
    ends = "; ".join(
        f"{label}: {counted(each.steps[-1][1], 'core')} after {quantity(each.steps[-1][0], 's')}"
        for label, each in zip(labels, stairs, strict=True)
        if each.steps
    )
    return filled(
        _template(),
        {
            "x": scale.title,
            "series": labels,
            "dashes": [_THROUGH if each.measured else _DASHED for each in stairs],
            "legend": {"title": None, "orient": "bottom", "direction": "vertical", "symbolType": "stroke"},
        },
        {
            "steps": rows,
            "areas": areas,
            "marks": [row(mark) for mark in marks],
            **{side: [row(mark) for mark in told if (mark.at_s < edge_s) == (side == "after")] for side in _SIDES},
        },
        title=title,
        subtitle=[" ".join([*banded, *dashed]), *notes] if banded or dashed else notes,
        description=f"{title or 'cores over time'}: {ends}. {'. '.join(mark.told for mark in told)}",
        width=width,
        height=height,
    )


def between(slowest: Steps, fastest: Steps) -> list[tuple[float, int, int]]:
    """(instant, cores of the slowest, cores of the fastest), at each instant at which either has more than before."""
    rows, low, high = [(0.0, 0, 0)], 0, 0
    slow, fast = dict(slowest), dict(fastest)
    for at in sorted({*slow, *fast}):
        low, high = slow.get(at, low), fast.get(at, high)
        rows.append((at, low, high))
    return rows


def _instants(stairs: Sequence[Stairs]) -> list[float]:
    return [at for each in stairs for steps in (each.steps, *(each.band or ())) for at, _ in steps]


@template
def _template() -> Any:
    import altair as alt

    def data(name: str) -> Any:
        return alt.Chart(alt.NamedData(name=name))

    x = alt.X("x:Q", title=slot("x"), scale=alt.Scale(zero=True), axis=alt.Axis(format=",.6~r"))
    y = alt.Y("y:Q", title="cores obtained", scale=alt.Scale(zero=True), axis=alt.Axis(format=",d", tickMinStep=1))
    colour = alt.Color("s:N", scale=alt.Scale(domain=slot("series")), legend=slot("legend"))
    dash = alt.StrokeDash("s:N", scale=alt.Scale(domain=slot("series"), range=slot("dashes")), legend=slot("legend"))
    told = [alt.Tooltip(f"{field}:N", title=title) for field, title in (("s", "way"), ("told", "time"), ("y", "cores"))]
    return alt.layer(
        data("areas")
        .mark_area(interpolate="step-after", style="band", line=False)
        .encode(x, alt.Y("low:Q"), y2="high:Q", color=colour),
        data("steps").mark_line(interpolate="step-after", style="curve").encode(x, y, colour, dash),
        data("steps").mark_point(style="one", opacity=0).encode(x, y, tooltip=told),
        data("marks").mark_point(style="unity", size=70, filled=False).encode(x, y),
        *(
            data(side)
            .mark_text(style="value", align=align, baseline="bottom", dx=dx, dy=-3)
            .encode(x, y, text="told:N")
            for side, align, dx in zip(_SIDES, ("right", "left"), (-6, 6), strict=True)
        ),
    )

"""Every value of a metric: the repetitions of some runs, and the iterations of one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from perfdb.compare.median import interval_of_median
from perfdb.record import Metric
from perfdb.report.charts.scales import axis
from perfdb.report.charts.spec import HEIGHT, WIDTH, Spec, filled, rounded, slot, template, unlike
from perfdb.units import counted, quantity

ROW = 34


@dataclass(frozen=True)
class Group:
    """One row's or line's values, in order; the unit is the chart's."""

    label: str
    values: Sequence[float]


def repetitions(
    groups: Sequence[Group],
    *,
    name: str,
    unit: str,
    title: str = "",
    notes: Sequence[str] = (),
    log: bool | None = None,
    zero: bool = False,
    width: int = WIDTH,
) -> Spec:
    """A row of points for each group, with its median and how sure that is.

    Args:
        groups: Each with at least one value.
        name: The metric.
        zero: Whether the values are differences: then zero is marked, and the axis is straight.
    """
    labels = unlike([group.label for group in groups])
    log = False if zero else log
    scale = axis(name, unit, [value for group in groups for value in group.values], log=log)
    points, middles, confidences = [], [], set()
    for label, group in zip(labels, groups, strict=True):
        points += [
            {"s": label, "x": rounded(value * scale.factor), "told": quantity(value, unit), "n": number}
            for number, value in enumerate(group.values, start=1)
        ]
        sure = interval_of_median(group.values)
        middle = {
            "s": label,
            "x": rounded(median(group.values) * scale.factor),
            "told": f"{quantity(median(group.values), unit)}",
            "n": counted(len(group.values), "value"),
            "sure": "one value",
            "low": rounded(median(group.values) * scale.factor),
            "high": rounded(median(group.values) * scale.factor),
        }
        if sure:
            confidences.add(sure.confidence)
            middle |= {"low": rounded(sure.low * scale.factor), "high": rounded(sure.high * scale.factor)}
            middle["sure"] = f"{sure.confidence:.0%}: {quantity(sure.low, unit)} to {quantity(sure.high, unit)}"
        middles.append(middle)
    told = "; ".join(f"{m['s']}: median {m['told']} of {m['n']} ({m['sure']})" for m in middles)
    bars = f"Tick: median. Bar: interval of the median, {_range(confidences)} confidence." if confidences else ""
    return filled(
        _repetitions(),
        {"x": scale.title, "scale": scale.scale(padding=8), "rows": labels},
        {"points": points, "middles": middles, "zero": [{"x": 0}] if zero else []},
        title=title,
        subtitle=[text for text in (bars, *notes) if text],
        description=f"{title or scale.title}. {told}",
        width=width,
        height=max(60, ROW * len(groups)),
    )


def _range(confidences: set[float]) -> str:
    low, high = min(confidences), max(confidences)
    return f"{low:.0%}" if f"{low:.0%}" == f"{high:.0%}" else f"{low:.0%} to {high:.0%}"


@template
def _repetitions() -> Any:
    import altair as alt

    def data(name: str) -> Any:
        return alt.NamedData(name=name)

    x = alt.X(
        "x:Q",
        title=slot("x"),
        scale=slot("scale"),
        axis=alt.Axis(format=",.6~r"),
    )
    y = alt.Y("s:N", title=None, sort=None, scale=alt.Scale(domain=slot("rows")), axis=alt.Axis(grid=True, ticks=False))
    about = [
        alt.Tooltip("s:N", title="of"),
        alt.Tooltip("told:N", title="value"),
        alt.Tooltip("n:N", title="repetition"),
    ]
    sure = [
        alt.Tooltip("s:N", title="of"),
        alt.Tooltip("told:N", title="median"),
        alt.Tooltip("sure:N", title="interval"),
        alt.Tooltip("n:N", title="from"),
    ]
    return alt.layer(
        alt.Chart(data("zero")).mark_rule(style="unity").encode(x=x),
        alt.Chart(data("middles")).mark_rule(style="spread").encode(x=alt.X("low:Q"), x2="high:Q", y=y, tooltip=sure),
        alt.Chart(data("points")).mark_point(style="one").encode(x=x, y=y, tooltip=about),
        alt.Chart(data("middles")).mark_tick(style="median").encode(x=x, y=y, tooltip=sure),
    )


def iterations(
    metrics: Sequence[Metric],
    *,
    title: str = "",
    notes: Sequence[str] = (),
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Spec:
    """A metric of the iterations of one run, a line for each repetition.

    Args:
        metrics: Of one name, each with its step; at least one.
    """
    first = metrics[0]
    scale = axis(first.name, first.unit, [m.all_values[0] for m in metrics])
    rows = [
        {
            "s": f"repetition {m.repetition}" if m.repetition else "run",
            "x": m.step,
            "y": rounded(m.all_values[0] * scale.factor),
            "told": quantity(m.all_values[0], m.unit),
        }
        for m in sorted(metrics, key=lambda m: (m.repetition or 0, m.step or 0))
    ]
    series = list(dict.fromkeys(str(row["s"]) for row in rows))
    told = f"{counted(len(rows), 'iteration')} of {counted(len(series), 'repetition')}"
    return filled(
        _iterations(),
        {
            "y": scale.title,
            "scale": scale.scale(padding=8),
            "series": series,
            "legend": {"title": None, "orient": "bottom", "columns": 4} if len(series) > 1 else None,
        },
        {"points": rows},
        title=title,
        subtitle=[f"{told}.", *notes],
        description=f"{title or scale.title}: {told}.",
        width=width,
        height=height,
    )


@template
def _iterations() -> Any:
    import altair as alt

    base = alt.Chart(alt.NamedData(name="points")).encode(
        alt.X(
            "x:Q", title="iteration", axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(zero=False, padding=10)
        ),
        alt.Y(
            "y:Q",
            title=slot("y"),
            scale=slot("scale"),
            axis=alt.Axis(format=",.6~r"),
        ),
        alt.Color("s:N", scale=alt.Scale(domain=slot("series")), legend=slot("legend")),
        tooltip=[
            alt.Tooltip("s:N", title="of"),
            alt.Tooltip("x:Q", title="iteration"),
            alt.Tooltip("told:N", title="value"),
        ],
    )
    return alt.layer(base.mark_line(style="curve"), base.mark_point(style="middle"))

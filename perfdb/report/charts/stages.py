"""What a whole is made of, stage after stage: one staircase for each group. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from perfdb.report.charts.scales import axis
from perfdb.report.charts.spec import WIDTH, Spec, filled, rounded, shortened, slot, template, unlike
from perfdb.units import counted, quantity

ROW = 18


@dataclass(frozen=True)
class Staircase:
    """One group's stages in order, each with its values; the unit is the chart's. A stage with no values has no step."""

    label: str
    stages: Sequence[tuple[str, Sequence[float]]]


def stages(
    groups: Sequence[Staircase],
    *,
    unit: str,
    name: str = "",
    title: str = "",
    notes: Sequence[str] = (),
    width: int = WIDTH,
) -> Spec:
    """A row for each stage, and in it a bar for each group, which begins where the group's stage before it ended.

    The length of a bar is the mean of its values, since means add up to the mean of the whole, and medians do not.

    Args:
        groups: Each with at least one stage that has values. The stages' labels differ, and are in one order for all.
        name: What the stages add up to; "" where the title says it.
    """
    names = unlike([group.label for group in groups])
    rows = list(dict.fromkeys(shortened(label) for group in groups for label, values in group.stages if values))
    steps = [step for name, group in zip(names, groups, strict=True) for step in _steps(name, group)]
    scale = axis(name, unit, [step["to"] for step in steps], log=False)
    bars = [
        {
            "s": step["s"],
            "g": step["g"],
            "k": names.index(step["g"]),
            "from": rounded(step["from"] * scale.factor),
            "to": rounded(step["to"] * scale.factor),
            "told": quantity(step["to"] - step["from"], unit),
            "until": quantity(step["to"], unit),
            "n": counted(step["n"], "value"),
        }
        for step in steps
    ]
    totals = [f"{name}: {quantity(max(s['to'] for s in steps if s['g'] == name), unit)} in all" for name in names]
    spoken = "; ".join(f"{bar['g']}, {bar['s']}: {bar['told']}" for bar in bars)
    return filled(
        _template(),
        {
            "x": scale.title,
            "rows": rows,
            "legend": {"title": None, "orient": "bottom"} if len(names) > 1 else None,
        },
        {"bars": bars},
        title=title,
        subtitle=["Means; each bar begins where the one before it ended.", *totals, *notes],
        description=f"{title or 'Stages'}. {'; '.join(totals)}. {spoken}",
        width=width,
        height=max(60, (ROW * len(names) + 8) * len(rows)),
    )


def _steps(name: str, group: Staircase) -> Iterator[dict[str, Any]]:
    reached = 0.0
    for label, values in group.stages:
        if values:
            begun, reached = reached, reached + fmean(values)
            yield {"s": shortened(label), "g": name, "from": begun, "to": reached, "n": len(values)}


@template
def _template() -> Any:
    import altair as alt

    base = alt.Chart(alt.NamedData(name="bars")).encode(
        alt.Y(
            "s:N", title=None, sort=None, scale=alt.Scale(domain=slot("rows")), axis=alt.Axis(grid=True, ticks=False)
        ),
        yOffset=alt.YOffset("k:O"),
    )
    told = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in (
            ("g", "of"),
            ("s", "stage"),
            ("told", "takes"),
            ("until", "reached after"),
            ("n", "mean of"),
        )
    ]
    x = alt.X("from:Q", title=slot("x"), scale=alt.Scale(zero=True, nice=True), axis=alt.Axis(format=",.6~r"))
    # Without a domain of its own: Vega-Lite would make the words in it part of an expression that sorts the bars.
    colour = alt.Color("g:N", sort=None, legend=slot("legend"))
    return alt.layer(
        base.mark_bar(minBandSize=1).encode(x, colour, x2="to:Q", tooltip=told),
        base.mark_tick(style="step").encode(alt.X("to:Q"), colour, tooltip=told),
        base.mark_text(style="value", align="left", baseline="middle", dx=5).encode(alt.X("to:Q"), text="told:N"),
    )

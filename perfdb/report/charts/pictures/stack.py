"""Who has how much over time: steps one upon the other, and marks where each came. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from perfdb.families.charts import Stack
from perfdb.report.charts.scales import axis
from perfdb.report.charts.spec import HEIGHT, WIDTH, Spec, filled, rounded, shortened, slot, template, unlike
from perfdb.units import duration

# The share of the width below which a block has no room for its name.
ROOM = 0.04
_MOST_TICKS = 8


def stack(data: Stack, *, title: str = "", notes: Sequence[str] = (), width: int = WIDTH, height: int = HEIGHT) -> Spec:
    """A block for each time in which a layer has the same; a dashed line at what there is, and a triangle where one came."""
    labels = unlike([layer.label for layer in data.layers])
    kinds = list(dict.fromkeys(shortened(layer.kind) for layer in data.layers))
    instants = [at for layer in data.layers for at, _ in layer.steps]
    scale = axis("time", "s", instants, log=False)
    blocks: list[dict[str, Any]] = [
        {
            "s": labels[place],
            "k": shortened(data.layers[place].kind),
            "x": rounded(begin * scale.factor),
            "x2": rounded(end * scale.factor),
            "low": low,
            "high": high,
            "short": shortened(data.layers[place].short, 8),
            "told": f"{high - low:,} from {duration(begin)} to {duration(end)}",
        }
        for place, begin, end, low, high in blocks_of(data)
    ]
    came = [
        {
            "s": label,
            "k": shortened(layer.kind),
            "x": rounded(layer.arrived * scale.factor),
            "told": f"came at {duration(layer.arrived)}",
        }
        for label, layer in zip(labels, data.layers, strict=True)
        if layer.arrived is not None
    ]
    span = max(instants, default=0.0) * scale.factor
    named = [
        {**row, "mid": rounded((row["x"] + row["x2"]) / 2), "half": (row["low"] + row["high"]) / 2}
        for row in blocks
        if row["x2"] - row["x"] >= ROOM * span
    ]
    spoken = "; ".join(f"{row['s']}: {row['told']}" for row in blocks)
    return filled(
        _template(),
        {
            "x": scale.title,
            "y": shortened(data.quantity, 80),
            "ticks": list(range(0, data.most + 1, max(1, data.most // _MOST_TICKS))),
            "kinds": kinds,
            "legend": {"title": None, "orient": "bottom"},
        },
        {"blocks": blocks, "named": named, "came": came, "most": [{"y": data.most}]},
        title=title,
        subtitle=[f"Dashed: all {data.most:,} there are. Triangles: when each came.", *data.remarks, *notes],
        description=f"{title or data.quantity}, of {data.most:,}. {spoken}. {' '.join(data.remarks)}",
        width=width,
        height=height,
    )


def blocks_of(data: Stack) -> Iterator[tuple[int, float, float, int, int]]:
    """(place of the layer, from when, until when, how much lies below it, and with it), for each time in which nothing of that changes."""
    instants = sorted({at for layer in data.layers for at, _ in layer.steps})
    steps = [dict(layer.steps) for layer in data.layers]
    held = [0] * len(steps)
    since: dict[int, tuple[float, int, int]] = {}
    for at in instants:
        held = [changes.get(at, before) for changes, before in zip(steps, held, strict=True)]
        low = 0
        for place, has in enumerate(held):
            known = since.get(place)
            if known is not None and known[1:] != (low, low + has):
                yield place, known[0], at, known[1], known[2]
                del since[place]
            if has and place not in since:
                since[place] = at, low, low + has
            low += has
    for place, (begin, low, high) in sorted(since.items()):
        yield place, begin, instants[-1], low, high


@template
def _template() -> Any:
    import altair as alt

    def data(name: str) -> Any:
        return alt.Chart(alt.NamedData(name=name))

    x = alt.X("x:Q", title=slot("x"), scale=alt.Scale(zero=True, nice=False), axis=alt.Axis(format=",.6~r"))
    whole = alt.Axis(format=",d", values=slot("ticks"))
    y = alt.Y("low:Q", title=slot("y"), scale=alt.Scale(zero=True), axis=whole)
    colour = alt.Color("k:N", scale=alt.Scale(domain=slot("kinds")), legend=slot("legend"))
    told = [alt.Tooltip(f"{field}:N", title=title) for field, title in (("s", "of"), ("k", "kind"), ("told", "number"))]
    return alt.layer(
        data("blocks")
        .mark_rect(style="square", opacity=0.5)
        .encode(x, y, x2="x2:Q", y2="high:Q", color=colour, tooltip=told),
        data("named")
        .mark_text(style="value", align="center", baseline="middle")
        .encode(alt.X("mid:Q", title=slot("x")), alt.Y("half:Q", title=slot("y"), axis=whole), text="short:N"),
        data("most").mark_rule(style="even").encode(alt.Y("y:Q", title=slot("y"), axis=whole)),
        data("came")
        .mark_point(style="one", shape="triangle-up", yOffset=6)
        .encode(x, alt.YDatum(0, title=slot("y"), axis=whole), color=colour, tooltip=told),
    )

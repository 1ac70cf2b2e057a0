"""Numbers by two things: squares that are deeper the more there is, each with its number. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perfdb.families.charts import Grid
from perfdb.report.charts.spec import WIDTH, Spec, filled, rounded, shortened, slot, template, unlike

ROW = 40


def grid(data: Grid, *, title: str = "", notes: Sequence[str] = (), width: int = WIDTH) -> Spec:
    """A square for each place that was tried; the others stay empty."""
    rows, columns = unlike(data.rows), unlike(data.columns)
    down = dict(zip(data.rows, rows, strict=True))
    along = dict(zip(data.columns, columns, strict=True))
    squares = [
        {
            "r": down[square.row],
            "c": along[square.column],
            "d": rounded(min(1.0, max(0.0, square.depth))),
            "told": shortened(square.told, 40),
            "note": shortened(square.note, 40),
        }
        for square in data.squares
    ]
    spoken = "; ".join(
        f"{data.down} {square['r']}, {data.across} {square['c']}: {square['told']}"
        + (f" ({square['note']})" if square["note"] else "")
        for square in squares
    )
    return filled(
        _template(),
        {"x": shortened(data.across, 80), "y": shortened(data.down, 80), "rows": rows, "columns": columns},
        {"squares": squares},
        title=title,
        subtitle=[*data.remarks, *notes],
        description=f"{title or 'Grid'}. {spoken}. {' '.join(data.remarks)}",
        width=width,
        height=max(60, ROW * len(rows)),
    )


@template
def _template() -> Any:
    import altair as alt

    base = alt.Chart(alt.NamedData(name="squares")).encode(
        alt.X("c:N", title=slot("x"), sort=None, scale=alt.Scale(domain=slot("columns")), axis=alt.Axis(labelAngle=0)),
        alt.Y("r:N", title=slot("y"), sort=None, scale=alt.Scale(domain=slot("rows"))),
        tooltip=[
            alt.Tooltip("r:N", title="down"),
            alt.Tooltip("c:N", title="across"),
            alt.Tooltip("told:N", title="value"),
            alt.Tooltip("note:N", title="and"),
        ],
    )
    return alt.layer(
        base.mark_rect(style="square").encode(alt.Color("d:Q", scale=alt.Scale(domain=[0, 1]), legend=None)),
        base.mark_text(style="value", baseline="bottom", dy=1).encode(text="told:N"),
        base.mark_text(style="inside", baseline="top", dy=3).encode(text="note:N"),
    )

"""A number for each of several things, beside the one that all would have if they had the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perfdb.families.charts import Bars
from perfdb.report.charts.spec import WIDTH, Spec, filled, rounded, shortened, slot, template, unlike
from perfdb.units import significant

ROW = 24


def bars(data: Bars, *, title: str = "", notes: Sequence[str] = (), width: int = WIDTH) -> Spec:
    """A bar for each, and a dashed line at the even number."""
    names = unlike([name for name, _ in data.bars])
    total = sum(value for _, value in data.bars)
    rows = [
        {
            "s": name,
            "x": value,
            "told": f"{value:,}",
            "share": f"{significant(100 * value / total, 3)} % of all" if total else "",
        }
        for name, (_, value) in zip(names, data.bars, strict=True)
    ]
    spoken = "; ".join(f"{row['s']}: {row['told']}" for row in rows)
    return filled(
        _template(),
        {"x": shortened(data.quantity, 80), "rows": names},
        {"bars": rows, "even": [{"x": rounded(data.even)}]},
        title=title,
        subtitle=[f"Dashed: {significant(data.even)}, the even share.", *data.remarks, *notes],
        description=f"{title or data.quantity}. Even share: {significant(data.even)}. {spoken}. {' '.join(data.remarks)}",
        width=width,
        height=max(48, ROW * len(rows)),
    )


@template
def _template() -> Any:
    import altair as alt

    x = alt.X("x:Q", title=slot("x"), scale=alt.Scale(zero=True, nice=True), axis=alt.Axis(format=",d", tickMinStep=1))
    base = alt.Chart(alt.NamedData(name="bars")).encode(
        x,
        alt.Y("s:N", title=None, sort=None, scale=alt.Scale(domain=slot("rows")), axis=alt.Axis(ticks=False)),
        tooltip=[
            alt.Tooltip("s:N", title="of"),
            alt.Tooltip("told:N", title="number"),
            alt.Tooltip("share:N", title="that is"),
        ],
    )
    return alt.layer(
        base.mark_bar(minBandSize=1),
        base.mark_text(style="value", align="left", baseline="middle", dx=5).encode(text="told:N"),
        alt.Chart(alt.NamedData(name="even")).mark_rule(style="even").encode(x),
    )

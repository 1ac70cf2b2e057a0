"""A comparison as a picture: each metric's ratio with its interval, beside the band in which nothing changed. Pure."""

from __future__ import annotations

from typing import Any

from perfdb.compare.comparison import Case, Comparison, MetricComparison
from perfdb.compare.verdict import BAND, band_edges
from perfdb.report.charts.scales import named
from perfdb.report.charts.spec import WIDTH, Spec, filled, rounded, shortened, slot, template, unlike
from perfdb.report.charts.theme import VERDICTS
from perfdb.units import counted, quantity

ROW = 26
# A figure of more rows than this is no figure any more: the table has them.
MOST_ROWS = 60
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100)


def ratios(comparison: Comparison, *, title: str = "", band: float = BAND, width: int = WIDTH) -> Spec:
    """One row for each metric of each case that has an interval.

    Args:
        comparison: With at least one interval, or the chart is empty.
        band: Half the width of the band in which sides count as equivalent, as a share: 0.05.
    """
    found = [
        (case, metric)
        for case in comparison.cases
        for metric in case.metrics
        if metric.interval and metric.interval.low > 0
    ]
    telling = _telling(comparison.cases)
    shown = found[:MOST_ROWS]
    names = unlike([_name(comparison, case, metric, telling) for case, metric in shown])
    rows = [_row(name, metric) for name, (_, metric) in zip(names, shown, strict=True)]
    ends = [float(row[end]) for row in rows for end in ("low", "high")]
    reach = max([1.0 + 2 * band, *ends, *(1 / end for end in ends)]) * 1.02
    return filled(
        _template(),
        {
            "x": f"ratio to {shortened(comparison.sides[0].name, 60)}",
            "domain": [rounded(1 / reach), rounded(reach)],
            "ticks": [tick for tick in _TICKS if 1 / reach <= tick <= reach],
            "rows": [row["name"] for row in rows],
            "verdicts": list(VERDICTS),
        },
        {
            "ratios": rows,
            "band": [dict(zip(("low", "high"), map(rounded, band_edges(band)), strict=True))],
            "one": [{"x": 1}],
        },
        title=title,
        subtitle=_words(comparison, [metric for _, metric in found], band),
        description=f"{title or 'Ratios'}: " + "; ".join(f"{row['name']}: {row['told']}" for row in rows),
        width=width,
        height=max(60, ROW * len(rows)),
    )


def _telling(cases: tuple[Case, ...]) -> list[str]:
    """What tells the cases apart."""
    names = dict.fromkeys(name for case in cases for name in case.alike)
    return [name for name in names if len({str(case.alike.get(name)) for case in cases}) > 1]


def _name(comparison: Comparison, case: Case, metric: MetricComparison, telling: list[str]) -> str:
    others = [comparison.sides[case.other].name] if len(comparison.sides) > 2 else []
    alike = [str(case.alike[name]) for name in telling if name in case.alike]
    return shortened(", ".join([named(metric.metric, metric.unit), *others, *alike]), 80)


def _row(name: str, metric: MetricComparison) -> dict[str, Any]:
    known = metric.interval
    assert known is not None
    return {
        "name": name,
        "ratio": rounded(known.ratio),
        "low": rounded(known.low),
        "high": rounded(known.high),
        "verdict": metric.verdict,
        "told": f"{known.ratio:.2f} [{known.low:.2f}, {known.high:.2f}] {metric.verdict}",
        "n": f"{metric.baseline.n} and {counted(metric.other.n, metric.unit_of_analysis)}",
        "medians": f"{quantity(metric.baseline.median, metric.unit)} → {quantity(metric.other.median, metric.unit)}",
        "better": {"higher": "higher is better", "lower": "lower is better", "none": "neither way is better"}[
            metric.direction
        ],
    }


def _words(comparison: Comparison, found: list[MetricComparison], band: float) -> list[str]:
    records = ", ".join(
        f"{shortened(side.name, 60)}: {counted(len(side.records), 'record')}" for side in comparison.sides
    )
    units = sorted({f"{metric.unit_of_analysis}s" for metric in found})
    counts = [n for metric in found for n in (metric.baseline.n, metric.other.n)]
    made = sorted({f"{m.interval.confidence:.0%} interval ({m.interval.method})" for m in found if m.interval})
    words = [f"{records}."]
    if found:
        span = str(min(counts)) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
        words.append(
            f"Point: ratio. Bar: {'; '.join(made)}, from {span} {' or '.join(units)} a side. "
            f"Grey: within {band:.0%}, no change that matters."
        )
    if left := {
        status: sum(len(side.left_out.get(status, ())) for side in comparison.sides)
        for side in comparison.sides
        for status in side.left_out
    }:
        words.append("Left out: " + ", ".join(f"{count} {status}" for status, count in sorted(left.items())) + ".")
    if len(found) > MOST_ROWS:
        words.append(f"The first {MOST_ROWS} of {len(found)} ratios.")
    return words


@template
def _template() -> Any:
    import altair as alt

    def data(name: str) -> Any:
        return alt.NamedData(name=name)

    x = alt.X(
        "ratio:Q",
        title=slot("x"),
        scale=alt.Scale(type="log", domain=slot("domain"), nice=False),
        axis=alt.Axis(format=",.3~r", values=slot("ticks")),
    )
    y = alt.Y(
        "name:N",
        title=None,
        sort=None,
        scale=alt.Scale(domain=slot("rows")),
        axis=alt.Axis(grid=False, ticks=False, labelLimit=320),
    )
    colour = alt.Color("verdict:N", scale=alt.Scale(domain=slot("verdicts"), range="verdict"), legend=None)
    told = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in (
            ("name", "metric"),
            ("told", "ratio"),
            ("medians", "medians"),
            ("n", "from"),
            ("better", "direction"),
        )
    ]
    rows = alt.Chart(data("ratios")).encode(y=y, color=colour, tooltip=told)
    return alt.layer(
        alt.Chart(data("band")).mark_rect(style="band").encode(x=alt.X("low:Q"), x2="high:Q"),
        alt.Chart(data("one")).mark_rule(style="unity").encode(x="x:Q"),
        rows.mark_rule(style="spread").encode(x=alt.X("low:Q"), x2="high:Q"),
        rows.mark_point(style="middle").encode(x=x),
        alt.Chart(data("ratios"))
        .mark_text(style="value", align="left", dx=8)
        .encode(x=alt.value("width"), y=y, text="told:N"),
    )

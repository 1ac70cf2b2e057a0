"""A metric's history: points with their spread, what changed and when, and what people remarked. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from perfdb.compare.series import By, Point, Series
from perfdb.record import utc_text
from perfdb.report.charts.scales import axis
from perfdb.report.charts.spec import HEIGHT, WIDTH, Spec, filled, rounded, shortened, slot, template, unlike
from perfdb.report.charts.versions import spelled
from perfdb.units import counted, quantity

# Past so many versions their names stand too close to be read: some are left out by Vega.
_ROOM_PX = 14
_LETTER_PX = 6.5
_LINE_PX = 13
# A line through fewer points would claim a level that they do not show.
_FEWEST_IN_A_LINE = 3


def history(
    series: Series,
    *,
    metric: str,
    by: By,
    title: str = "",
    notes: Sequence[str] = (),
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Spec:
    """One series, by version or by date.

    Args:
        series: With at least one point.
        metric: What it is a history of.
    """
    scale = axis(metric, series.unit, [point.value for point in series.points])
    places = _places(series.points, by)
    rows = [_row(point, place, series.unit, scale.factor) for point, place in zip(series.points, places, strict=True)]
    changes = [
        {
            "x": places[change.at],
            "told": "changed" if change.ratio is None else f"{change.ratio - 1:+.1%}",
            "down": down,
            "kind": change.certainty,
            "sure": f"p = {change.p:.2g}",
            "medians": f"{quantity(change.before, series.unit)} → {quantity(change.after, series.unit)}",
        }
        for change, down in zip(series.changes, _lowered(series, places, by, width), strict=True)
    ]
    remarks = [
        {"x": places[mark.at], "told": shortened(mark.note, 60), "note": shortened(mark.note, 400)}
        for mark in series.marks
    ]
    repetitions = sum(len(point.repetitions) for point in series.points)
    records = sum(len(point.records) for point in series.points)
    counts = f"{counted(records, 'record')}, {counted(repetitions, 'repetition')}"
    left = _left_out(series)
    return filled(
        _template(),
        {
            "x": "version" if by == "version" else "date (UTC)",
            "kind": "ordinal" if by == "version" else "temporal",
            # No numbers as the ends of an axis of dates: drawn without `eval`, they would be taken for years.
            "across": {"domain": list(dict.fromkeys(places))} if by == "version" else {"type": "utc", "padding": 12},
            "below": _of_versions(places, width) if by == "version" else _of_dates(series.points),
            "y": scale.title,
            "scale": scale.scale(padding=12),
        },
        {
            "points": rows,
            "segments": list(_segments(series, places, scale.factor)),
            "changes": [change for change in changes if change["kind"] == "confirmed"],
            "suspected": [change for change in changes if change["kind"] != "confirmed"],
            "remarks": remarks,
        },
        title=title,
        subtitle=[
            f"Point: median. Bar: least to greatest repetition. Line: median between changes. {counts}{left}.",
            *notes,
        ],
        description=f"{title or scale.title}: {counts}{left}. {_told(series, changes, places)}",
        width=width,
        height=height,
    )


def _places(points: Sequence[Point], by: By) -> list[str]:
    """Where each point stands; the commits of one version apart."""
    if by == "date":
        return [_instant(point.first_at) for point in points]
    versions = Counter(point.version for point in points)
    return unlike([spelled(p.version, p.source if versions[p.version] > 1 or not p.version else None) for p in points])


def _lowered(series: Series, places: Sequence[str], by: By, width: int) -> list[int]:
    """How many pixels lower each change's label stands than the first line: below one that it would stand upon."""
    if by == "version":
        named = list(dict.fromkeys(places))
        across = [named.index(place) * width / len(named) for place in places]
    else:
        times = [point.first_at.timestamp() for point in series.points]
        across = [width * (time - min(times)) / ((max(times) - min(times)) or 1) for time in times]
    ends: list[float] = []  # of each line, where its last label ends
    lowered = []
    for change in series.changes:
        begins = across[change.at]
        line = next((line for line, end in enumerate(ends) if end <= begins), len(ends))
        ends[line : line + 1] = [begins + len("+100.0%") * _LETTER_PX]
        lowered.append(line * _LINE_PX)
    return lowered


def _of_versions(places: Sequence[str], width: int) -> dict[str, Any]:
    overlap = False if len(places) * _ROOM_PX <= width else "parity"
    aslant = len(places) > 8 or len(places) * max(map(len, places)) * _LETTER_PX > width
    return {"labelAngle": -60 if aslant else 0, "labelOverlap": overlap, "labelLimit": 150}


def _of_dates(points: Sequence[Point]) -> dict[str, Any]:
    """Days, and hours where there are no two days."""
    first, last = (end(point.first_at for point in points) for end in (min, max))
    form = "%Y-%m-%d" if last - first > timedelta(days=2) else "%m-%d %H:%M"
    return {"format": form, "tickCount": 6, "labelOverlap": "parity"}


def _instant(at: datetime) -> str:
    return f"{utc_text(at)[:19]}Z"


def _row(point: Point, place: str, unit: str, factor: float) -> dict[str, Any]:
    return {
        "x": place,
        "y": rounded(point.value * factor),
        "low": rounded(point.low * factor),
        "high": rounded(point.high * factor),
        "told": quantity(point.value, unit),
        "span": f"{quantity(point.low, unit)} to {quantity(point.high, unit)}",
        "version": spelled(point.version, point.source),
        "at": _instant(point.first_at)[:10],
        "n": f"{counted(len(point.records), 'record')}, {counted(len(point.repetitions), 'repetition')}",
    }


def _segments(series: Series, places: Sequence[str], factor: float) -> Iterator[dict[str, Any]]:
    """The median of the points between changes and new baselines, from the first of them to the last."""
    cuts = sorted({0, *series.stretches, *(change.at for change in series.changes), len(places)})
    for start, end in pairwise(cuts):
        if end - start < _FEWEST_IN_A_LINE:
            continue
        middle = rounded(median(point.value for point in series.points[start:end]) * factor)
        yield from ({"g": start, "x": place, "y": middle} for place in dict.fromkeys((places[start], places[end - 1])))


def _left_out(series: Series) -> str:
    kinds: dict[str, int] = {}
    for record in series.left_out:
        kinds[record.why] = kinds.get(record.why, 0) + 1
    return "; left out: " + ", ".join(f"{count} {why}" for why, count in sorted(kinds.items())) if kinds else ""


def _told(series: Series, changes: Sequence[dict[str, Any]], places: Sequence[str]) -> str:
    span = f"From {quantity(series.points[0].value, series.unit)} at {places[0]} to {quantity(series.points[-1].value, series.unit)} at {places[-1]}."
    return " ".join([span, *(f"{c['kind']} change of {c['told']} at {c['x']} ({c['medians']})." for c in changes)])


@template
def _template() -> Any:
    import altair as alt

    def data(name: str) -> Any:
        return alt.NamedData(name=name)

    x = alt.X(
        "x",
        type=slot("kind"),
        title=slot("x"),
        sort=None,
        scale=slot("across"),
        axis=slot("below"),
    )
    y = alt.Y(
        "y:Q",
        title=slot("y"),
        scale=slot("scale"),
        axis=alt.Axis(format=",.6~r"),
    )
    points = alt.Chart(data("points"))
    about = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in (
            ("version", "version"),
            ("at", "date"),
            ("told", "median"),
            ("span", "spread"),
            ("n", "from"),
        )
    ]
    changed = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in (
            ("x", "at"),
            ("kind", "change"),
            ("told", "by"),
            ("medians", "medians"),
            ("sure", "how sure"),
        )
    ]
    return alt.layer(
        alt.Chart(data("remarks"))
        .mark_rule(style="remark")
        .encode(x=x, tooltip=[alt.Tooltip("note:N", title="remark")]),
        alt.Chart(data("changes")).mark_rule(style="change").encode(x=x, tooltip=changed),
        alt.Chart(data("suspected")).mark_rule(style="suspected").encode(x=x, tooltip=changed),
        alt.Chart(data("segments")).mark_line(style="segment").encode(x=x, y=y, detail="g:N"),
        points.mark_rule(style="spread").encode(x=x, y=alt.Y("low:Q"), y2="high:Q", tooltip=about),
        points.mark_point(style="middle").encode(x=x, y=y, tooltip=about),
        alt.Chart(data("changes"))
        .mark_text(style="changed", align="left", baseline="top", dx=4, dy=alt.expr("datum.down"))
        .encode(x=x, y=alt.value(0), text="told:N"),
        alt.Chart(data("suspected"))
        .mark_text(style="changed", align="left", baseline="top", dx=4, dy=alt.expr("datum.down"))
        .encode(x=x, y=alt.value(0), text="told:N"),
        alt.Chart(data("remarks"))
        .mark_text(style="remarked", align="left", baseline="bottom", dx=4)
        .encode(x=x, y=alt.value("height"), text="told:N"),
    )

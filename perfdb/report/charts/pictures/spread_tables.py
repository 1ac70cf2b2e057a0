"""The tables beside distributions, boxes, differences, staircases and Gantt charts. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from perfdb.compare.median import interval_of_median, median
from perfdb.families.gantt import Gantt, Panel, Span
from perfdb.families.spreads import Boxes, Curves, Differences, Staircases
from perfdb.report.charts.ecdf import PERCENTILES, percentiles
from perfdb.report.charts.pictures.boxes import shape_of
from perfdb.report.charts.pictures.table import Table
from perfdb.units import counted, duration, quantity, significant

# Of a Gantt chart; beyond, a table is no longer read.
MOST_SPANS = 300


def of_curves(data: Curves) -> Table:
    """A row for each curve."""
    rows = []
    for curve in data.curves:
        known = dict(percentiles(curve.values, curve.larger))
        ends = (min(curve.values), max(curve.values)) if curve.values else ()
        rows.append(
            (
                curve.label,
                f"{len(curve.values) + curve.larger:,}",
                *(quantity(known[q], data.unit) if q in known else "" for q in PERCENTILES),
                *([quantity(end, data.unit) for end in ends] or ("", "")),
                f"{curve.larger:,}",
            )
        )
    shares = (f"p{100 * q:.0f}" for q in PERCENTILES)
    return Table((data.quantity, f"{data.of}s", *shares, "least", "greatest", "beyond the curve"), tuple(rows))


def of_boxes(data: Boxes) -> Table:
    """A row for each box: how many values, mean and deviation, and the quartiles."""
    rows = []
    for box in data.boxes:
        shape = shape_of(box)
        found = (shape.mean, shape.deviation, shape.q1, shape.median, shape.q3)
        rows.append(
            (
                box.group,
                box.series,
                f"{len(box.values) + len(box.at_least):,}",
                *("" if value is None else quantity(value, data.unit) for value in found),
                f"{len(box.at_least):,}",
            )
        )
    heads = ("values", "mean", "standard deviation", "p25", "p50", "p75", "not seen to their end")
    return Table((data.group, data.series, *heads), tuple(rows))


def of_differences(data: Differences) -> Table:
    """A row for each: every value is in the chart, the median and its interval are here."""
    rows = []
    for label, values in data.rows:
        sure = interval_of_median(values)
        between, confidence, zero = "", "", ""
        if sure is not None:
            between = f"{quantity(sure.low, data.unit)} to {quantity(sure.high, data.unit)}"
            confidence = f"{100 * sure.confidence:.1f} %"
            zero = "yes" if sure.low <= 0 <= sure.high else "no"
        middle = quantity(median(values), data.unit) if values else ""
        rows.append((label, f"{len(values):,}", middle, between, confidence, zero))
    return Table((data.quantity, "pairs", "median", "interval", "confidence", "zero is in it"), tuple(rows))


def of_staircases(data: Staircases) -> Table:
    """A row for each stage of each group."""
    rows = []
    for label, stages in data.groups:
        known = [(name, fmean(values), len(values)) for name, values in stages if values]
        whole = sum(mean for _, mean, _ in known)
        for name, mean, count in known:
            share = f"{significant(100 * mean / whole, 3)} %" if whole else ""
            rows.append((label, name, quantity(mean, data.unit), share, f"{count:,}"))
    return Table(("of", "stage", "mean", "share", "values"), tuple(rows))


def of_gantt(data: Gantt) -> Table:
    """A row for each span as long as these are few; else, and of levels, one for each panel."""
    few = sum(len(panel.spans) for panel in data.panels) <= MOST_SPANS
    rows = [row for panel in data.panels for row in (_of_panel(data, panel, few))]
    return Table(("of", data.span, "kind", f"{data.row}s", "held", "ran"), tuple(rows))


def _of_panel(data: Gantt, panel: Panel, few: bool) -> Iterator[tuple[str, ...]]:
    rows = counted(panel.rows, data.row)
    if panel.levels:
        whole = sum(level.end_s - level.begin_s for level in panel.levels)
        for place, kind in enumerate(data.kinds):
            used = sum(level.in_use[place] * (level.end_s - level.begin_s) for level in panel.levels)
            mean = f"{significant(used / whole, 3)} of {rows}" if whole else ""
            yield panel.label, "all", kind, mean, _between((0.0, panel.until_s)), ""
    elif few:
        for span in panel.spans:
            ran = "" if span.ran is None else _between(span.ran)
            yield panel.label, span.label, span.kind, _rows(span), _between(span.held, span.is_over), ran
    else:
        yield panel.label, counted(len(panel.spans), data.span), "", rows, _between((0.0, panel.until_s)), ""


def _rows(span: Span) -> str:
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in span.rows)


def _between(when: tuple[float, float], is_over: bool = True) -> str:
    return f"{duration(when[0])} to {duration(when[1])}{'' if is_over else ', not over by then'}"

"""A metric's history as people read it, and as comma-separated values."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from perfdb.cli.terminal import printable
from perfdb.units import counted, quantity

if TYPE_CHECKING:
    from perfdb.compare.changes import Change
    from perfdb.compare.history import By, History, Point, Series

BARS = "▁▂▃▄▅▆▇█"
MARKS = {"confirmed": "|", "suspected": "¦"}
BASELINE = "‖"
BETTER = {"higher": "higher is better", "lower": "lower is better", "none": ""}
WIDEST = 72
# Of a longer history the newest points are listed, and those beside a change; the picture shows all.
MOST_ROWS = 40
NEWEST_ROWS = 15
COLUMNS = (
    "version",
    "source",
    "started_at",
    "value",
    "low",
    "high",
    "unit",
    "records",
    "repetitions",
    "change",
    "ratio",
    "p",
    "new_baseline",
    "record_ids",
)


def print_history(history: History) -> None:
    """A picture and a table for each series."""
    if not history.series:
        print(f"no record that was asked for has {printable(history.metric)}; `perfdb list` shows what there is.")
        return
    for number, series in enumerate(history.series):
        if number:
            print()
        for line in _lines(history, series):
            print(printable(line))


def print_csv(history: History, stream: TextIO) -> None:
    """A row a point, with what its series is about before it."""
    names = list(dict.fromkeys(name for series in history.series for name in series.circumstances))
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["metric", *names, *COLUMNS])
    for series in history.series:
        about = [series.circumstances.get(name) for name in names]
        changes = {change.at: change for change in series.changes}
        for at, point in enumerate(series.points):
            change = changes.get(at)
            row = [
                *(point.version, point.source, point.first_at.isoformat(), point.value, point.low, point.high),
                *(series.unit, len(point.records), len(point.repetitions)),
                *((change.certainty, change.ratio, change.p) if change else (None, None, None)),
                at > 0 and at in series.stretches,
                " ".join(point.records),
            ]
            # Another program gets a stranger's text as it is; a terminal must not obey it.
            texts = ["" if value is None else str(value) for value in [history.metric, *about, *row]]
            writer.writerow([printable(text) for text in texts] if stream.isatty() else texts)


def _lines(history: History, series: Series) -> Iterator[str]:
    about = [
        f"{value}" if name in ("family", "machine", "config") else f"{name}={value}"
        for name, value in series.circumstances.items()
        if name != "experiment" or value != series.circumstances.get("family")
    ]
    better = BETTER[series.direction]
    unit = series.unit if series.unit not in ("", "1") else ""
    yield f"{history.metric} by {history.by}: {', '.join(about)}"
    yield ", ".join(text for text in (counted(len(series.points), "point"), unit, better) if text)
    yield from (f"note: {remark}" for remark in series.remarks)
    if len(series.points) > 1:
        yield picture(series)
    yield from _table(history.by, series)
    yield from _left_out(series)
    if len(series.points) > 1:
        yield _verdict(series)


def picture(series: Series) -> str:
    """A character a point, lowest to highest; of a long series the newest. A bar before the point after a change."""
    points = series.points[-WIDEST:]
    first = len(series.points) - len(points)
    low, high = min(p.value for p in points), max(p.value for p in points)
    changes = {change.at: MARKS[change.certainty] for change in series.changes}
    text = "…" if first else ""
    for at, point in enumerate(points, first):
        share = (point.value - low) / (high - low) if high > low else 0.5
        text += BASELINE if at and at in series.stretches else changes.get(at, "")
        text += BARS[min(len(BARS) - 1, int(share * len(BARS)))]
    return text


def _table(by: By, series: Series) -> list[str]:
    changes = {change.at: change for change in series.changes}
    shown = _shown_rows(series)
    rows = []
    for at, point in enumerate(series.points):
        if at not in shown:
            if at - 1 in shown or at == 0:
                rows.append(["…"])
            continue
        notes = [f"remark: {mark.note}" for mark in series.marks if mark.at == at]
        baseline = ["new baseline"] if at and at in series.stretches else []
        change = [_change(changes[at], series)] if at in changes else []
        spread = f"{quantity(point.low, series.unit)} – {quantity(point.high, series.unit)}"
        rows.append(
            [
                _when(by, point),
                quantity(point.value, series.unit),
                spread if len(point.repetitions) > 1 else "",
                f"{len(point.repetitions)} in {counted(len(point.records), 'record')}",
                point.records[0] if len(point.records) == 1 else "",
                "; ".join([*baseline, *change, *notes]),
            ]
        )
    return aligned([[by, "median", "min – max", "n", "record", ""], *rows]) if rows else []


def _shown_rows(series: Series) -> set[int]:
    count = len(series.points)
    if count <= MOST_ROWS:
        return set(range(count))
    places = [change.at for change in series.changes] + [mark.at for mark in series.marks] + list(series.stretches)
    beside = {at for place in places for at in (place - 1, place) if at >= 0}
    return beside | set(range(count - NEWEST_ROWS, count))


def _when(by: By, point: Point) -> str:
    version = f"{point.version or ''}{f' ({point.source[:40]})' if point.source else ''}"
    return version if by == "version" else f"{point.first_at:%Y-%m-%d %H:%M} {version}".rstrip()


def _change(change: Change, series: Series) -> str:
    size = "changed" if change.ratio is None else f"{100 * (change.ratio - 1):+.1f} %"
    way = "" if change.ratio is None else _way(change.ratio, series)
    return f"{size}{way} since here, {change.certainty}"


def _way(ratio: float, series: Series) -> str:
    if series.direction == "none":
        return ""
    return " (better)" if (ratio > 1) == (series.direction == "higher") else " (worse)"


def _left_out(series: Series) -> Iterator[str]:
    from perfdb.compare.series import NO_VERSION

    whys: dict[str, list[str]] = {}
    for each in series.left_out:
        whys.setdefault(each.why, []).append(f"{each.record}{f' ({each.version})' if each.version else ''}")
    for why, records in sorted(whys.items()):
        more = f" and {len(records) - 8:,} more" if len(records) > 8 else ""
        remedy = " (--by date has them)" if why == NO_VERSION else ""
        yield f"left out, {why}: {', '.join(records[:8])}{more}{remedy}"


def _verdict(series: Series) -> str:
    sure = sum(change.certainty == "confirmed" for change in series.changes)
    maybe = len(series.changes) - sure
    told = [counted(sure, "confirmed change"), *([f"{maybe} suspected"] if maybe else [])]
    return f"{', '.join(told)} (| confirmed, ¦ suspected, ‖ new baseline)" if series.changes else "no change found"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, column under column."""
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]

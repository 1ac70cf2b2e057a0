"""Who had which rows when, panel by panel: a Gantt chart as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """One thing on its rows. Times are in seconds.

    Attributes:
        label: What it is.
        short: What stands on it, a few signs.
        kind: What gives it its colour.
        rows: Ranges of rows, first and last, from 0.
        held: From when until when it had them.
        ran: From when until when it made use of them; None where it never did.
        is_over: Whether anybody saw its end.
    """

    label: str
    short: str
    kind: str
    rows: tuple[tuple[int, int], ...]
    held: tuple[float, float]
    ran: tuple[float, float] | None
    is_over: bool = True


@dataclass(frozen=True)
class Turn:
    """From when until when this one was the first of those that waited."""

    label: str
    short: str
    kind: str
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Level:
    """From when until when so many rows were in use on average, by each of the chart's kinds."""

    begin_s: float
    end_s: float
    in_use: tuple[float, ...]


@dataclass(frozen=True)
class Panel:
    """One of several timetables that are compared: either spans, or levels where those would be too many.

    Attributes:
        label: What it is of.
        told: What came of it, in a few words.
        rows: How many there are.
        spans: In order of their begin.
        turns: Who waited first, in order.
        levels: How many rows were in use, in order.
        until_s: When what is shown ends.
    """

    label: str
    told: str
    rows: int
    spans: tuple[Span, ...]
    turns: tuple[Turn, ...]
    levels: tuple[Level, ...]
    until_s: float


@dataclass(frozen=True)
class Gantt:
    """Panels one below the other, on one axis of time.

    Attributes:
        row: What a row is, such as `node`; in the plural with an `s`.
        span: What has rows, such as `job`; likewise.
        kinds: In the order of their colours.
    """

    row: str
    span: str
    kinds: tuple[str, ...]
    panels: tuple[Panel, ...]
    remarks: tuple[str, ...] = ()

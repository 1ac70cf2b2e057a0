"""What a rule answers with, a stretch of one line, and the markers that take its place."""

import re
from typing import NamedTuple

SECRET = "<redacted>"  # noqa: S105
ADDRESS = "<address>"
HOME = "<home>"
USER = "<user>"
HOST = "<host>"

_MARKER = re.compile("|".join(re.escape(marker) for marker in (SECRET, ADDRESS, HOME, USER, HOST)))


class Span(NamedTuple):
    """Characters [start, end) of a line, to be replaced by `marker`."""

    start: int
    end: int
    marker: str


def without_markers(text: str) -> str:
    """What of `text` was not masked yet."""
    return _MARKER.sub("", text)


def only_markers(text: str) -> bool:
    """Whether nothing but markers, blanks and quotes is left in `text`."""
    return not without_markers(text).strip(" \t\r\"',\\")


def settle(line: str, spans: list[Span]) -> list[Span]:
    """Sort spans, merge those that overlap, and cut out markers that already stand in the line.

    A marker is never masked again. So each replacement removes characters for good, and masking ends.
    """
    merged: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = last._replace(end=max(last.end, span.end))
        elif span.start < span.end:
            merged.append(span)
    markers = [match.span() for match in _MARKER.finditer(line)]
    if not markers:
        return merged
    settled: list[Span] = []
    index = 0
    for span in merged:
        start = span.start
        while index < len(markers) and markers[index][1] <= start:
            index += 1
        at = index
        while at < len(markers) and markers[at][0] < span.end:
            if start < markers[at][0]:
                settled.append(span._replace(start=start, end=markers[at][0]))
            start = max(start, markers[at][1])
            at += 1
        if start < span.end:
            settled.append(span._replace(start=start))
    return settled


def apply(line: str, spans: list[Span]) -> str:
    """The line with each settled span replaced by its marker."""
    pieces: list[str] = []
    at = 0
    for span in spans:
        pieces += (line[at : span.start], span.marker)
        at = span.end
    return "".join([*pieces, line[at:]])

"""What the engine would run of a chart, and what it would look up: expressions and fields."""

from __future__ import annotations

from collections.abc import Iterator

import vl_convert

from perfdb.report.charts.bundle import VEGALITE
from perfdb.report.charts.spec import Spec

_KEYS = ("field", "expr", "test", "signal", "update", "url", "href", "as")


def expressions_of(spec: Spec) -> list[tuple[str, str]]:
    """All of them, in order of their text: the engine makes some of its own."""
    return sorted(_found(vl_convert.vegalite_to_vega(spec, vl_version=VEGALITE)))


def _found(part: object) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key in _KEYS and isinstance(value, str):
                yield key, value
            elif key != "values":
                yield from _found(value)
    elif isinstance(part, list):
        for item in part:
            yield from _found(item)

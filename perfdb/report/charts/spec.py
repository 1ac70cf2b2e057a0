"""A chart as a Vega-Lite document: a template that Altair makes once, filled with words and data. Pure.

Records are strangers' text. It gets into a chart in two ways only: as values in `datasets`, under field names of our
own, and as plain strings where Vega-Lite takes text. Neither becomes an expression or a field's name, nor part of one.
No colour is in a document: marks have styles (see `theme`), so that one document is fit for light and dark pages.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

WIDTH = 560
HEIGHT = 260
# Of the small sans-serif letters of a subtitle, in pixels: Vega does not wrap text by itself.
_LETTER = 5.6
_TITLE_LETTER = 7.4
_LONGEST = 200


def slot(name: str) -> Any:
    """A place in a template that `filled` puts a value in."""
    return f"@slot:{name}"


def template(build: Callable[[], Any]) -> Callable[[], Spec]:
    """The document that Altair makes of `build()`, made once; each call gives a fresh copy."""

    @cache
    def text() -> str:
        from altair.utils.schemapi import debug_mode

        with debug_mode(False):  # slots are no values that Altair knows: it could only find fault with them
            document = build().to_dict(validate=False)
        document.pop("config", None)
        for layer in document.get("layer", ()):
            # Vega-Lite would put axis titles, which hold records' words, into an expression that makes each mark's label.
            layer["mark"]["aria"] = False
        return json.dumps(document)

    def copy() -> Spec:
        document = json.loads(text())
        assert isinstance(document, dict)
        return document

    return copy


def filled(
    made: Spec,
    values: Mapping[str, Any],
    data: Mapping[str, Rows],
    *,
    title: str,
    subtitle: Sequence[str],
    description: str,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Spec:
    """A template with every slot filled.

    Args:
        values: By slot.
        data: Rows by name of data set.
        title: Above the chart; "" for none, where a page says it.
        subtitle: Sentences below the title; they are wrapped to the width.
        description: What a screen reader says.
        width: Of the plot, without axes, in pixels.
    """
    spec = _filled(made, values)
    assert isinstance(spec, dict)
    spec |= {"width": width, "height": height, "description": shortened(description, 1000)}
    spec["datasets"] = {name: list(rows) for name, rows in data.items()}
    spec.pop("title", None)
    if title:
        spec["title"] = {
            "text": _wrapped(title, int(width / _TITLE_LETTER)),
            "subtitle": [line for text in subtitle for line in _wrapped(text, int(width / _LETTER))],
        }
    return spec


def _filled(part: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(part, str) and part.startswith("@slot:"):
        return values[part.removeprefix("@slot:")]
    if isinstance(part, list):
        return [_filled(item, values) for item in part]
    if isinstance(part, dict):
        return {key: _filled(item, values) for key, item in part.items()}
    return part


def _wrapped(text: str, letters: int) -> list[str]:
    return textwrap.wrap(shortened(text, 2000), max(20, letters)) or [""]


def shortened(text: str, limit: int = _LONGEST) -> str:
    """One line of printable text, at most `limit` letters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[: limit - 2]} …"


def unlike(labels: Sequence[str]) -> list[str]:
    """The labels as names of rows, which must differ."""
    known: dict[str, int] = {}
    made = []
    for label in map(shortened, labels):
        known[label] = known.get(label, 0) + 1
        made.append(label if known[label] == 1 else f"{label} ({known[label]})")
    return made


def rounded(value: float) -> float:
    """`value` as exact as a chart can show it, and no more bytes than that takes."""
    return float(f"{value:.6g}")

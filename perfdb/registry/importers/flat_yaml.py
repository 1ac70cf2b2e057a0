"""The YAML that MLflow writes, and no more of it: one flat mapping of plain values. Every value comes as text.

No tag, anchor, alias or nesting: what a stranger's file can do ends at its size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from perfdb.registry.importers.reading import Unreadable

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def flat_mapping(text: str) -> dict[str, str | None]:
    """The mapping that `text` spells; lists, which MLflow leaves empty, are left out.

    Raises:
        Unreadable: it is another kind of YAML, or none.
    """
    import yaml

    try:
        return dict(_pairs(yaml, yaml.parse(text, Loader=yaml.SafeLoader)))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        raise Unreadable(f"it is no YAML as MLflow writes it{line}") from error


def _pairs(yaml: Any, events: Iterator[Any]) -> Iterator[tuple[str, str | None]]:
    for kind in (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.MappingStartEvent):
        _is(next(events), kind)
    seen: set[str] = set()
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        key = _is(event, yaml.ScalarEvent).value
        if key in seen:
            raise Unreadable(f"{key[:40]!r} stands in it twice")
        seen.add(key)
        value = next(events)
        if isinstance(value, yaml.SequenceStartEvent):
            _is(value, yaml.SequenceStartEvent)
            _is(next(events), yaml.SequenceEndEvent)
            continue
        scalar = _is(value, yaml.ScalarEvent)
        yield key, None if scalar.implicit[0] and scalar.value in _NULLS else scalar.value
    for kind in (yaml.DocumentEndEvent, yaml.StreamEndEvent):
        _is(next(events), kind)


def _is(event: Any, kind: type[Any]) -> Any:
    if not isinstance(event, kind) or getattr(event, "anchor", None) or getattr(event, "tag", None):
        raise Unreadable("it holds more than plain values: a tag, an anchor, or something nested")
    return event

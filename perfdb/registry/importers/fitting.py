"""What of a run fits into a record that `perfdb validate` accepts. What does not is left out whole, and named. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from perfdb.record import Metric, Scalar, canonical_bytes, sha256_hex
from perfdb.registry.validator.limits import LARGEST_RECORD_FILE, LARGEST_TEXT, MOST_CELLS, MOST_COLUMNS, MOST_VALUES

# Half of what is allowed: searching all of it for secrets, and the rest of the record, must stay quick on slow machines.
LARGEST_SOURCE = LARGEST_TEXT // 2
# As the validator's child that reads Parquet has them.
MOST_WORDS = 10_000
LARGEST_WORDS = 256 * 1024
_LONG_TEXT = 500

Item = TypeVar("Item")


@dataclass(frozen=True)
class Numbers:
    """What of a record may be many, and what of it was left out, in words."""

    tags: Mapping[str, str]
    params: Mapping[str, Scalar]
    metrics: tuple[Metric, ...]
    beside: tuple[Metric, ...] = ()
    left_out: tuple[str, ...] = ()


def fitted_numbers(numbers: Numbers) -> Numbers:
    """As many tags, params and metrics as fit, in their order, metrics of one value first; `beside` has the others."""
    tags, more_tags = _fitting(numbers.tags.items(), lambda item: dict([item]), 16, 10)
    params, more_params = _fitting(numbers.params.items(), lambda item: dict([item]), 5, 4)
    metrics, more_metrics = _fitting(numbers.metrics, lambda metric: metric.model_dump(exclude_none=True), 2, 2)
    if more_metrics:
        short_first = sorted(numbers.metrics, key=lambda metric: metric.values is not None)
        metrics, more_metrics = _fitting(short_first, lambda metric: metric.model_dump(exclude_none=True), 2, 2)
    told = [
        _told("tags", [name for name, _ in more_tags]),
        _told("params", [name for name, _ in more_params]),
        _told("metrics", [metric.name for metric in more_metrics]),
    ]
    left_out = (*numbers.left_out, *filter(None, told))
    return replace(
        numbers,
        tags=dict(tags),
        params=dict(params),
        metrics=tuple(metrics),
        beside=tuple(more_metrics),
        left_out=left_out,
    )


def _fitting(
    items: Iterable[Item], document: Any, bytes_share: int, values_share: int
) -> tuple[list[Item], list[Item]]:
    """Those that fit into their share of a record, and those that do not."""
    room, values = LARGEST_RECORD_FILE // bytes_share, MOST_VALUES // values_share
    fit, more = [], []
    for item in items:
        spelled = canonical_bytes(document(item))
        commas = spelled.count(b",") + 1
        if len(spelled) <= room and commas <= values:
            room, values = room - len(spelled) - 1, values - commas
            fit.append(item)
        else:
            more.append(item)
    return fit, more


def _told(what: str, names: Sequence[str]) -> str | None:
    if not names:
        return None
    some = ", ".join(name[:40] for name in names[:5])
    return f"{what}: {len(names)} ({some}{', …' if len(names) > 5 else ''})"


def fitted_samples(columns: Mapping[str, Sequence[object]]) -> tuple[dict[str, list[object]], list[str]]:
    """Columns that have a value somewhere and texts that can be searched, every so many rows where there are too many."""
    there = {name: list(values) for name, values in columns.items() if any(value is not None for value in values)}
    told = []
    if len(there) > MOST_COLUMNS:
        told.append(f"columns {', '.join(name[:40] for name in list(there)[MOST_COLUMNS:][:5])} of samples.parquet")
        there = dict(list(there.items())[:MOST_COLUMNS])
    rows = len(next(iter(there.values()), []))
    step = math.ceil(rows * len(there) / MOST_CELLS)
    if step > 1:
        told.append(f"rows of samples.parquet: it has one in {step} of {rows}")
    kept = {}
    for name, values in there.items():
        some = values[:: max(1, step)]
        words = {value for value in some if isinstance(value, str)}
        if len(words) > MOST_WORDS or sum(len(word.encode()) for word in words) > LARGEST_WORDS:
            told.append(f"column {name} of samples.parquet: {len(words)} different texts")
        elif any(value is not None for value in some):
            kept[name] = some
    return kept, told


def fitted_source(kept: Mapping[str, Any]) -> tuple[bytes, list[str]]:
    """The raw source as JSON. Too large, it has the size and SHA-256 of its longest texts, then of its largest parts."""
    data = canonical_bytes(dict(kept))
    told = []
    if len(data) > LARGEST_SOURCE:
        lengths = sorted((len(text.encode()) for text in _texts(kept)), reverse=True)
        over, longest = len(data) - LARGEST_SOURCE, None
        for length in lengths:
            if over <= 0:
                break
            over, longest = over - (length - _MARKER), length
        if longest is not None:
            count = sum(length >= longest for length in lengths)
            kept = _without_texts(kept, longest)
            told.append(f"{count} texts of {longest} bytes and more in artifacts/source.json")
            data = canonical_bytes(dict(kept))
    while len(data) > LARGEST_SOURCE:
        parts = {name: canonical_bytes(part) for name, part in kept.items() if not _is_marker(part)}
        largest = max(parts, key=lambda name: len(parts[name]))
        kept = {**kept, largest: _marker(parts[largest])}
        told.append(f"`{largest[:40]}` of artifacts/source.json")
        data = canonical_bytes(dict(kept))
    return data, told


def _marker(data: bytes) -> dict[str, Any]:
    return {"left_out_bytes": len(data), "sha256": sha256_hex(data)}


_MARKER = len(canonical_bytes(_marker(b"x" * 1_000_000)))


def _is_marker(part: Any) -> bool:
    return isinstance(part, Mapping) and part.keys() == {"left_out_bytes", "sha256"}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= _LONG_TEXT:
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _without_texts(value: Any, longest: int) -> Any:
    if isinstance(value, str):
        data = value.encode() if len(value) >= _LONG_TEXT else b""
        return _marker(data) if data and len(data) >= longest else value
    if isinstance(value, Mapping):
        return {name: _without_texts(inner, longest) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_texts(inner, longest) for inner in value]
    return value

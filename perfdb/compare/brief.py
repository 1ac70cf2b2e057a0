"""Differences in few words: the ones that matter first, long values from where they part. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from perfdb.compare.comparison import Difference
from perfdb.compare.dimensions import group_of
from perfdb.compare.settings import SETTINGS

# Kinds that come by the dozen: an environment brings its packages, a release its options.
SUMMED_UP = frozenset({"packages", "params", "overrides", "spec", SETTINGS})
# Each task of Parsl's goes through these.
_FIRST = ("package.dill", "package.pyzmq", "package.typeguard")
_SHOWN = 3
_LONGEST = 60
_BEFORE = 20


def values_in_words(difference: Difference) -> str:
    """`'slurm' against 'kubernetes'`; a side's several values with `and`, long ones from where they part."""
    texts = [text for side in difference.values for text in side if len(text) > _LONGEST]
    start = max(0, _shared(texts) - _BEFORE) if len(texts) > 1 else 0
    return " against ".join(" and ".join(_cut(text, start) for text in side) for side in difference.values)


def in_lines(differences: Sequence[Difference], to_see_more: str) -> Iterator[str]:
    """`  scheduler: 'slurm' against 'kubernetes'`, a line a dimension; of packages and the like the first few.

    Args:
        to_see_more: What tells the rest, for the line that counts them.
    """
    rest: dict[str, list[Difference]] = {}
    for difference in differences:
        kind = group_of(difference.dimension)
        if kind in SUMMED_UP:
            rest.setdefault(kind, []).append(difference)
        else:
            yield _line(difference)
    for kind, found in rest.items():
        shown = _SHOWN if len(found) > _SHOWN + 1 else len(found)  # a line for one more could have told that one
        ordered = sorted(found, key=_matters_less)
        yield from map(_line, ordered[:shown])
        if more := len(found) - shown:
            yield f"  and {more} more {'of spec' if kind == 'spec' else kind}{to_see_more}"


def _line(difference: Difference) -> str:
    return f"  {difference.dimension}: {values_in_words(difference)}"


def _matters_less(difference: Difference) -> tuple[bool, bool]:
    unknown = any("unknown" in side for side in difference.values)
    return (difference.dimension not in _FIRST, unknown)


def _shared(texts: Sequence[str]) -> int:
    columns = zip(*texts, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda column: len(set(column)) == 1, columns))


def _cut(text: str, start: int) -> str:
    if len(text) <= _LONGEST:
        return text
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"

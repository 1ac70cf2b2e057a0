"""Pairs measured side by side: the order A B B A, and the interval of a ratio."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence

from scipy import stats


def abba(pairs: int) -> Iterator[tuple[str, str]]:
    """The order within each pair: A first, then B first, so that a drift of the machine favours neither."""
    for index in range(pairs):
        yield ("A", "B") if index % 2 == 0 else ("B", "A")


def ratio_interval(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """The geometric mean of a/b over pairs, with its 95 % interval (Student's t on the logarithms).

    Args:
        a, b: Values > 0 of the same length, at least 2, pair by pair.
    """
    logs = [math.log(x / y) for x, y in zip(a, b, strict=True)]
    middle = statistics.fmean(logs)
    half = stats.t.ppf(0.975, len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(middle), math.exp(middle - half), math.exp(middle + half)

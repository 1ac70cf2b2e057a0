"""The median, and how sure it is, from the values it is of. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

AIM = 0.95


@dataclass(frozen=True)
class MedianInterval:
    """The ends, in the values' unit, and how often such an interval holds the true median: 0 to 1."""

    low: float
    high: float
    confidence: float


def median(values: Sequence[float]) -> float:
    """The median of finite values, finite too: of two so large that their sum is no number, the lower one."""
    middle = statistics.median(values)
    return middle if math.isfinite(middle) else statistics.median_low(values)


def interval_of_median(values: Sequence[float]) -> MedianInterval | None:
    """The narrowest interval between two values, as far from either end, that holds the true median in 95 % of cases.

    It asks nothing of the distribution. Fewer than six values cannot be so sure: theirs goes from the least to the
    greatest, with the confidence that it has (75 % for three).

    Args:
        values: Independent of one another, in any order.

    Returns:
        None for a single value.

    Source: order statistics, confidence 1 - 2 P(B < k), B binomial(n, 1/2) and k the rank of either end; asked for
    by Hoefler and Belli, SC'15 (doi 10.1145/2807591.2807644), section 3.1.3.
    """
    ordered = sorted(values)
    count = len(ordered)
    if count < 2:
        return None
    rank, confidence = _rank(count)
    return MedianInterval(ordered[rank - 1], ordered[count - rank], confidence)


@lru_cache(maxsize=1024)
def _rank(count: int) -> tuple[int, float]:
    """The rank of the ends among so many values, and how often they hold the median between them.

    From the middle outwards, where the rank lies: some square roots of `count` steps.
    """
    whole = 1 << count
    rank = count // 2
    ways = math.comb(count, rank)  # of `whole`, those in which `rank` values lie below the median
    inside = ways if count % 2 == 0 else 2 * ways
    while (confidence := 1.0 - (whole - inside) / whole) < AIM and rank > 1:
        ways = ways * rank // (count - rank + 1)
        rank -= 1
        inside += 2 * ways
    return rank, confidence

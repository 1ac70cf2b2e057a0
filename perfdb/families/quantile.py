"""The one quantile of the families."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(values: Sequence[float], q: float) -> float:
    """The `q` quantile, linear between order statistics (type 7 of Hyndman and Fan, 1996).

    Args:
        values: At least one, in any order.
        q: 0 to 1.
    """
    ordered = sorted(values)
    position = q * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def supported(count: int, q: float) -> bool:
    """Whether so many values tell that quantile: at least 1 / (1 - q), 20 for the 95th percentile."""
    return count > 0 and count * (1 - q) >= 1 - 1e-9

"""Whether values of one side look like one thing measured several times. Pure.

Source: the warnings of pyperf's `check`, for when values are too scattered; that of two groups is our own rule.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_FEWEST_TO_JUDGE = 3
# As pyperf asks: a standard deviation of a tenth of the mean, an extreme half of the mean away from it.
_SPREAD = 0.10
_EXTREME = 0.50
# Two groups: each of a fifth of the values and of four at least, and between them a gap that no scatter explains.
_FEWEST_IN_GROUP = 4
_SHARE_IN_GROUP = 0.2
_GAP_IN_DEVIATIONS = 5.0
_GAP = 0.10


@dataclass(frozen=True)
class TwoGroups:
    """Values that fall into two groups: how many lie in each, and each one's range."""

    low: tuple[float, float, int]
    high: tuple[float, float, int]


def instability(values: Sequence[float]) -> str | None:
    """Why values are too scattered to be trusted, in a few words; None if they are not, or are fewer than three."""
    if len(values) < _FEWEST_TO_JUDGE:
        return None
    # On a scale of their own: sums and squares of the largest floats have no room.
    scale = max(map(abs, values))
    values = [value / scale for value in values] if scale > 0 else values
    mean = statistics.fmean(values)
    if mean <= 0:
        return None
    spread = statistics.stdev(values) / mean
    furthest = max(abs(value - mean) for value in values) / mean
    if spread >= _SPREAD:
        return f"the standard deviation is {100 * spread:.0f} % of the mean"
    return f"an extreme lies {100 * furthest:.0f} % off the mean" if furthest >= _EXTREME else None


def two_groups(values: Sequence[float]) -> TwoGroups | None:
    """The two groups that values fall into, if they do: as when two series were put together as one.

    They are split at the widest gap, by ratio. The gap must be five times as wide as the standard deviation of the
    tighter group, so neither a bell curve nor evenly spread values have one; single outliers are no group.
    """
    if len(values) < 2 * _FEWEST_IN_GROUP or min(values) <= 0:
        return None
    ordered = sorted(values)
    logs = [math.log(value) for value in ordered]
    least = max(_FEWEST_IN_GROUP, math.ceil(_SHARE_IN_GROUP * len(logs)))
    places = range(least, len(logs) - least + 1)
    if not places:
        return None
    place = max(places, key=lambda i: logs[i] - logs[i - 1])
    gap = logs[place] - logs[place - 1]
    tighter = min(statistics.stdev(logs[:place]), statistics.stdev(logs[place:]))
    if gap < max(_GAP, _GAP_IN_DEVIATIONS * tighter):
        return None
    low, high = ordered[:place], ordered[place:]
    return TwoGroups((low[0], low[-1], len(low)), (high[0], high[-1], len(high)))

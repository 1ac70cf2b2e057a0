"""Two samples against one another: how large the ratio is, how sure that is, and how far they overlap. Pure.

The interval is Hodges and Lehmann's, on logarithms: the median of all ratios of one other value to one baseline value,
and between the two order statistics of those ratios that Mann and Whitney's test leaves. It asks for no bell curve, no
seed and no resampling; a few slow runs move it little. Decision 0014 tells why it is this one.

Sources: Hodges and Lehmann, Annals of Mathematical Statistics 34 (1963); Mann and Whitney, ibid. 18 (1947);
van Elteren, Bulletin of the ISI 37 (1960), for the sum over blocks; Cliff, Psychological Bulletin 114 (1993).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from perfdb.compare.comparison import Interval

if TYPE_CHECKING:
    import numpy

METHOD = "Hodges-Lehmann ratio, Mann-Whitney interval"
# Baseline values and other values that were taken under the same circumstances, and are compared with each other only.
Block = tuple[Sequence[float], Sequence[float]]
# Of so many pairs the exact distribution takes some milliseconds; of more, the normal one is as good.
_MOST_EXACT_PAIRS = 2500
# Of a ratio that a float can hold, and its reciprocal too.
_LARGEST_LOG = 700.0
# Above so many the pairs are counted, not kept.
_MOST_KEPT_PAIRS = 4_000_000


def ratio_interval(baseline: Sequence[float], other: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """The ratio of other to baseline, with its confidence interval.

    Args:
        baseline: One value for each unit of analysis, in any one unit; at least 1.
        other: The same, in the same unit.
        confidence: Of the interval, two-sided.

    Returns:
        None where so few values cannot give that confidence (3 against 3 never give 95 %), or where one is zero or
        negative: those have no ratio.
    """
    return blocked_ratio_interval([(baseline, other)], confidence)


def blocked_ratio_interval(blocks: Sequence[Block], confidence: float = 0.95) -> Interval | None:
    """The same over several blocks, such as sittings, each of which may be faster or slower as a whole.

    Only values of one block are set against each other, so that what a block does to all its values cancels out, and
    the interval stays exact whatever that was.
    """
    import numpy as np

    if any(value <= 0 for block in blocks for side in block for value in side):
        return None
    sizes = tuple((len(baseline), len(other)) for baseline, other in blocks if len(baseline) and len(other))
    rank = _lower_rank(sizes, (1 - confidence) / 2) if sizes else None
    if rank is None:
        return None
    logs = [(np.log(np.sort(b)), np.log(np.sort(o))) for b, o in blocks if len(b) and len(o)]
    differences = _Differences(logs)
    low, middle, high = (
        differences.at(place) for place in (rank, (1 + differences.count) / 2, differences.count + 1 - rank)
    )
    if max(abs(middle), abs(low), abs(high)) > _LARGEST_LOG:
        return None
    ratios = [math.exp(place) for place in (middle, low, high)]
    return Interval(ratio=ratios[0], low=ratios[1], high=ratios[2], confidence=confidence, method=METHOD)


def can_be_sure(blocks: Sequence[Block], confidence: float = 0.95) -> bool:
    """Whether so many values can give an interval of that confidence at all, whatever they are."""
    sizes = tuple((len(baseline), len(other)) for baseline, other in blocks if len(baseline) and len(other))
    return bool(sizes) and _lower_rank(sizes, (1 - confidence) / 2) is not None


def mann_whitney_p(baseline: Sequence[float], other: Sequence[float]) -> float:
    """The two-sided p of Mann and Whitney's test that neither side tends to the larger values.

    Exact where no values are equal and the pairs are few enough; else the normal approximation, corrected for ties and
    continuity.

    Args:
        baseline: At least 1 value.
        other: At least 1 value.
    """
    return blocked_mann_whitney_p([(baseline, other)])


def blocked_mann_whitney_p(blocks: Sequence[Block]) -> float:
    """The same over several blocks, within each of which alone values are compared."""
    import numpy as np

    larger, ties, variance = 0.0, False, 0.0
    sizes = []
    for baseline, other in blocks:
        if not len(baseline) or not len(other):
            continue
        sizes.append((len(baseline), len(other)))
        larger += _larger_pairs(np.sort(baseline), np.sort(other))
        counts = np.unique(np.concatenate([baseline, other]), return_counts=True)[1].astype(float)
        total = len(baseline) + len(other)
        tied = float((counts**3 - counts).sum()) / (total * (total - 1))
        variance += len(baseline) * len(other) / 12 * (total + 1 - tied)
        ties = ties or bool((counts > 1).any())
    pairs = sum(n * m for n, m in sizes)
    smaller = min(larger, pairs - larger)
    if not ties and pairs <= _MOST_EXACT_PAIRS:
        return min(1.0, 2 * float(_null(tuple(sizes))[: round(smaller) + 1].sum()))
    if variance <= 0:
        return 1.0
    distance = max(0.0, pairs / 2 - smaller - 0.5) / math.sqrt(variance)
    return min(1.0, 2 * NormalDist().cdf(-distance))


def cliffs_delta(baseline: Sequence[float], other: Sequence[float]) -> float:
    """How far the sides overlap: the share of pairs whose other value is the larger, less the share where it is smaller.

    Returns:
        From -1 (each other value is below each baseline value) to 1; 0 where neither side is the larger.
    """
    return blocked_cliffs_delta([(baseline, other)])


def blocked_cliffs_delta(blocks: Sequence[Block]) -> float:
    """Cliff's delta over the pairs within each block, from -1 to 1."""
    import numpy as np

    both = [(np.sort(baseline), np.sort(other)) for baseline, other in blocks if len(baseline) and len(other)]
    pairs = sum(len(baseline) * len(other) for baseline, other in both)
    larger = sum(_larger_pairs(baseline, other) for baseline, other in both)
    return (2 * larger - pairs) / pairs if pairs else 0.0


def false_discovery(ps: Sequence[float]) -> tuple[float, ...]:
    """Each p adjusted for having tested all of them (Benjamini and Hochberg)."""
    if not ps:
        return ()
    from scipy.stats import false_discovery_control

    return tuple(float(p) for p in false_discovery_control(list(ps)))


def _larger_pairs(baseline: Any, other: Any) -> float:
    """Pairs whose other value is the larger; equal ones count half. Both are sorted."""
    below = baseline.searchsorted(other, "left").sum()
    up_to = baseline.searchsorted(other, "right").sum()
    return float(below + up_to) / 2


@functools.lru_cache(maxsize=256)
def _null(sizes: tuple[tuple[int, int], ...]) -> numpy.ndarray[Any, Any]:
    """The chances of each number of pairs whose other value is the larger, if the sides are alike."""
    import numpy as np

    whole = np.ones(1)
    for n, m in sizes:
        whole = np.convolve(whole, _null_of_one(*sorted((n, m))))
    return whole


@functools.lru_cache(maxsize=256)
def _null_of_one(n: int, m: int) -> numpy.ndarray[Any, Any]:
    """The same of one block: the coefficients of Gauss's binomial, in whole numbers until the last step."""
    import numpy as np

    ways = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for u in range(n * m, m + i - 1, -1):
            ways[u] -= ways[u - m - i]
        for u in range(i, n * m + 1):
            ways[u] += ways[u - i]
    total = math.comb(n + m, n)
    return np.array([count / total for count in ways])


def _lower_rank(sizes: tuple[tuple[int, int], ...], outside: float) -> float | None:
    """The place, from 1, among all sorted differences, below which the truth lies with a chance of `outside`.

    Between two places it is interpolated: the chance would jump otherwise, for 5 against 5 from 1.6 to 2.8 %.
    """
    import numpy as np

    pairs = sum(n * m for n, m in sizes)
    if pairs > _MOST_EXACT_PAIRS:
        deviation = math.sqrt(sum(n * m * (n + m + 1) for n, m in sizes) / 12)
        rank = pairs / 2 + 0.5 + NormalDist().inv_cdf(outside) * deviation
        return rank if rank >= 1 else None
    chances = np.cumsum(_null(sizes))
    place = int(np.searchsorted(chances, outside, "right"))
    if place == 0:
        return None
    below = float(chances[place - 1])
    return place + (outside - below) / (float(chances[place]) - below)


class _Differences:
    """All differences within the blocks, other less baseline, as if they were sorted."""

    def __init__(self, blocks: Sequence[tuple[Any, Any]]) -> None:
        import numpy as np

        self.count = sum(len(baseline) * len(other) for baseline, other in blocks)
        self._blocks = blocks
        self._sorted = None
        if self.count <= _MOST_KEPT_PAIRS:
            self._sorted = np.sort(np.concatenate([(o[:, None] - b[None, :]).ravel() for b, o in blocks]))

    def at(self, place: float) -> float:
        """The one at a place, counted from 1; between two places, as far between the two differences."""
        whole = math.floor(place)
        first = self._nth(whole)
        return first + (place - whole) * (self._nth(whole + 1) - first) if place > whole else first

    def _nth(self, number: int) -> float:
        if self._sorted is not None:
            return float(self._sorted[number - 1])
        # Halved until no float lies between: each step counts the pairs below by looking up one side in the other.
        low = min(float(o[0] - b[-1]) for b, o in self._blocks)
        high = max(float(o[-1] - b[0]) for b, o in self._blocks)
        while low < (middle := (low + high) / 2) < high:
            if sum(int(b.searchsorted(o - middle, "left").sum()) for b, o in self._blocks) <= self.count - number:
                high = middle
            else:
                low = middle
        return high

"""Where a series of numbers changed: candidates from ruptures, and our own rules for which of them to believe. Pure.

Sources: Celisse, Marot, Pierre-Jean and Rigaill, Computational Statistics and Data Analysis 128 (2018), the kernel, and Killick,
Fearnhead and Eckley, Journal of the American Statistical Association 107 (2012), the search, for the candidates; Mann and
Whitney, Annals of Mathematical Statistics 18 (1947), one stretch against the next; Marriott and Pope, Biometrika 41 (1954),
the bias of an autocorrelation; Student, Biometrika 6 (1908), for a suspicion. Decision 0015 tells why the rules are these.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from perfdb.compare.median import median
from perfdb.record.model import Finite, Frozen

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

Certainty = Literal["confirmed", "suspected"]
Evidence = Literal["points", "repetitions"]

LEAST_RATIO = 1.05
# Of a series in which nothing changed, the chance of a confirmed change is about this; it is shared out among its points.
FALSE_ALARM = 0.02
SUSPICION = 0.01
LEAST_POINTS = 3
LEAST_REPETITIONS = 5
MOST_CANDIDATES = 24
# A hundred independent points easily look as correlated as this.
UNTOLD_AUTOCORRELATION = 0.1
# In logs: a series that repeats itself more exactly than this was rounded, and is no better known.
LEAST_NOISE = 0.001


class Change(Frozen):
    """One lasting change of a series.

    Attributes:
        at: The index of the first point after it.
        before, after: The medians of the points on either side, each as far as the next change.
        ratio: `after` over `before`; None where one of them is not positive.
        p: How likely so great a difference is where nothing changed.
        certainty: `suspected` where what follows is too little to be sure.
        evidence: What was tested: the points, or all repetitions of points that were measured in turns.
    """

    at: Annotated[int, Field(ge=1)]
    before: Finite
    after: Finite
    ratio: Finite | None
    p: Annotated[float, Field(ge=0, le=1)]
    certainty: Certainty
    evidence: Evidence = "points"


@dataclass(frozen=True)
class Edge:
    """A place where a series changes, and what speaks for it."""

    p: float
    certainty: Certainty
    evidence: Evidence


@dataclass(frozen=True)
class _Judged:
    p: float
    large: bool
    holds: bool


_Judge = Callable[[Sequence[int]], Sequence[_Judged]]


def change_points(values: Sequence[float]) -> tuple[Change, ...]:
    """The lasting changes of a series of measurements, each taken by itself.

    A confirmed change is one of at least 5 % between at least three points on either side, with a Mann-Whitney p, corrected
    for autocorrelation, of at most 0.02 over the number of points. So a lone outlier is none, and of fewer than 13 points
    none can be confirmed. One that lacks nothing but proof, since too few points follow, is suspected.

    Args:
        values: Finite, in order.
    """
    return told(values, point_edges(values))


def told(values: Sequence[float], edges: dict[int, Edge]) -> tuple[Change, ...]:
    """Edges as changes, with the medians of the points between them, in the unit of `values`."""
    if not edges:
        return ()
    places = sorted(edges)
    bounds = [0, *places, len(values)]
    medians = [median(values[low:high]) for low, high in itertools.pairwise(bounds)]
    return tuple(
        Change(at=at, before=before, after=after, ratio=_ratio(before, after), **vars(edges[at]))
        for at, before, after in zip(places, medians[:-1], medians[1:], strict=True)
    )


def point_edges(values: Sequence[float]) -> dict[int, Edge]:
    """Where a series of single measurements changes, by index of the first point after."""
    count = len(values)
    if count <= LEAST_POINTS:
        return {}
    series = _on_one_scale(values)
    held = functools.cache(lambda low, at, high: _held(series[low:at], series[at:high]))

    def judge(places: Sequence[int]) -> list[_Judged]:
        bounds = [0, *places, count]
        shrink = _shrink(series, bounds)
        found = []
        for low, at, high in zip(bounds, bounds[1:], bounds[2:], strict=False):
            p, large = held(low, at, high)
            p = _shrunk(p, shrink)
            enough = min(at - low, high - at) >= LEAST_POINTS
            found.append(_Judged(p, large, large and enough and p <= FALSE_ALARM / count))
        return found

    candidates = _candidates(series)
    confirmed = _pruned(candidates, judge)
    edges = {at: Edge(p, "confirmed", "points") for at, p in confirmed.items()}
    start = max(edges, default=0)
    last = {at for at in (*candidates, count - 1, count - 2) if at - start >= LEAST_POINTS}
    suspects = [
        (_shrunk(_t_p(series[start:at], series[at:]), _shrink(series, [0, *sorted(edges), at, count])), at)
        for at in last
        if _is_large(series[start:at], series[at:])
    ]
    p, at = min(suspects, default=(1.0, 0))
    if p <= SUSPICION:
        edges[at] = Edge(p, "suspected", "points")
    return edges


def turn_edges(repetitions: Sequence[Sequence[float]]) -> dict[int, Edge]:
    """Where points that were measured in turns, in one sitting, change.

    Whatever came and went meanwhile came to all of them alike, so their repetitions may be held against one another: by the
    same rules, but with five repetitions a side instead of three points. So a single release can be confirmed to differ.

    Args:
        repetitions: Of each point in order: the finite values of its repetitions, at least one.
    """
    bounds = list(itertools.accumulate((len(values) for values in repetitions), initial=0))
    series = _on_one_scale([value for values in repetitions for value in values])
    held = functools.cache(lambda low, at, high: _held(series[low:at], series[at:high]))

    def judge(places: Sequence[int]) -> list[_Judged]:
        ends = [0, *(bounds[place] for place in places), bounds[-1]]
        found = []
        for low, at, high in zip(ends, ends[1:], ends[2:], strict=False):
            p, large = held(low, at, high)
            enough = min(at - low, high - at) >= LEAST_REPETITIONS
            found.append(_Judged(p, large, large and enough and p <= FALSE_ALARM / len(repetitions)))
        return found

    kept = _pruned(range(1, len(repetitions)), judge)
    return {at: Edge(p, "confirmed", "repetitions") for at, p in kept.items()}


def _pruned(candidates: Sequence[int], judge: _Judge) -> dict[int, float]:
    """The places that hold, with their p: the weakest goes, and what it parted is judged anew, until all hold."""
    places = list(candidates)
    while places:
        judged = judge(places)
        weakest = max(range(len(places)), key=lambda i: (not judged[i].holds, not judged[i].large, judged[i].p))
        if judged[weakest].holds:
            return {at: each.p for at, each in zip(places, judged, strict=True)}
        del places[weakest]
    return {}


def _candidates(series: Array) -> list[int]:
    """Rather too many places than too few. Outliers are clipped first, or each would be a place of its own."""
    import numpy as np
    from ruptures import KernelCPD  # type: ignore[import-untyped]
    from scipy.ndimage import median_filter

    if len(series) < 2 * LEAST_POINTS:
        return []
    noise = max(LEAST_NOISE, 1.4826 * float(np.median(np.abs(np.diff(series)))) / math.sqrt(2))
    scaled = (series - np.median(series)) / noise
    smooth = median_filter(scaled, size=7, mode="nearest")
    clipped = smooth + np.clip(scaled - smooth, -3, 3)
    search = KernelCPD("linear", min_size=LEAST_POINTS).fit(clipped.reshape(-1, 1))
    penalty = 3 * math.log(len(series))
    # A series that wanders has a place wherever it turns: the largest are enough.
    while len(found := search.predict(pen=penalty)) > MOST_CANDIDATES:
        penalty *= 2
    return [int(at) for at in found if at < len(series)]


def _shrink(series: Array, bounds: Sequence[int]) -> float:
    """How much less a z is worth than among independent points: 1 where they are, less the more they follow one another.

    The first autocorrelation of what is left beside each stretch's median, outliers clipped, without the bias of taking it
    from the stretches' own medians.
    """
    import numpy as np

    left = np.concatenate([series[low:high] - np.median(series[low:high]) for low, high in itertools.pairwise(bounds)])
    bound = 2.5 * 1.4826 * float(np.median(np.abs(left)))
    left = np.clip(left, -bound, bound)
    power = float(left @ left)
    if power == 0:
        return 1.0
    seen = float(left[1:] @ left[:-1]) / power
    corrected = seen + (1 + 3 * seen) * (len(bounds) - 1) / len(left)
    correlation = min(0.9, max(0.0, corrected - UNTOLD_AUTOCORRELATION))
    return math.sqrt((1 - correlation) / (1 + correlation))


def _shrunk(p: float, shrink: float) -> float:
    from scipy.stats import norm

    return p if shrink == 1 else min(1.0, 2 * float(norm.sf(float(norm.isf(p / 2)) * shrink)))


def _held(before: Array, after: Array) -> tuple[float, bool]:
    """One stretch held against the next: how likely by chance, and whether the difference is worth telling."""
    return _rank_p(before, after), _is_large(before, after)


def _rank_p(before: Array, after: Array) -> float:
    """Mann-Whitney's p, two-sided: exact where a side is small, since there the approximation never gets small enough."""
    from scipy.stats import mannwhitneyu

    few = min(len(before), len(after)) <= 8 and len(before) * len(after) <= 4000
    return min(1.0, float(mannwhitneyu(before, after, method="exact" if few else "asymptotic").pvalue))


def _t_p(before: Array, after: Array) -> float:
    """Student's p for one point or more against those before. A series with outliers is slow to suspect, as it should be."""
    import numpy as np
    from scipy.stats import t

    freedom = len(before) + len(after) - 2
    spread = float(np.sum((before - before.mean()) ** 2) + np.sum((after - after.mean()) ** 2))
    error = max(LEAST_NOISE, math.sqrt(spread / freedom)) * math.sqrt(1 / len(before) + 1 / len(after))
    return 2 * float(t.sf(abs(float(np.median(after) - np.median(before))) / error, freedom))


def _is_large(before: Array, after: Array) -> bool:
    import numpy as np

    return abs(float(np.median(after) - np.median(before))) >= math.log(LEAST_RATIO)


def _on_one_scale(values: Sequence[float]) -> Array:
    """Logs, so that halving and doubling are alike; in parts of the usual size where a value is not positive."""
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    if array.min() > 0:
        return np.log(array)
    usual = float(np.median(np.abs(array[array != 0]))) if array.any() else 1.0
    with np.errstate(over="ignore"):
        return np.clip(array / usual, -1e6, 1e6)


def _ratio(before: float, after: float) -> float | None:
    ratio = after / before if before > 0 and after > 0 else math.inf
    return ratio if math.isfinite(ratio) and ratio > 0 else None

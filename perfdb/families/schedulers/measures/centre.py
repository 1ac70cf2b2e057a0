"""Mean and median over jobs, some of which may be known to have taken longer than a bound only. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median


def mean_of(values: Sequence[float | None]) -> float | None:
    """Their mean, in their unit; None where there is none, or one is unknown: left out, the slowest would make the others' look good."""
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def median_of(values: Sequence[float], bounds: Sequence[float]) -> float | None:
    """The median, in their unit, over jobs of which some took a value, and others more than a bound.

    It is what it is wherever above their bounds the others lie, so long as no bound lies below it; None otherwise.
    """
    every = [*values, *(math.inf for _ in bounds)]
    if not every:
        return None
    ordered = sorted(every)
    upper = ordered[len(ordered) // 2]
    if any(bound < upper for bound in bounds):
        return None
    return median(ordered)

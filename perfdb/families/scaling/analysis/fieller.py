"""The interval of a ratio of two means. Pure.

Sources: E. C. Fieller, Journal of the Royal Statistical Society B 16 (1954), the interval; F. E. Satterthwaite, Biometrics
Bulletin 2 (1946), the degrees of freedom where the variances differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, variance

CONFIDENCE = 0.95


def fieller(numerator: Sequence[float], denominator: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the ratio of two means, of values that are near a bell curve.

    It is each ratio r that a t test of mean(numerator) - r mean(denominator) = 0 does not reject.

    Args:
        numerator: At least two values, none negative.
        denominator: At least two values, above zero.

    Returns:
        From at least 0; the upper end is infinite where the denominator's mean may as well be zero.
    """
    from scipy.special import stdtrit

    y, x = fmean(numerator), fmean(denominator)
    vary, varx = variance(numerator) / len(numerator), variance(denominator) / len(denominator)
    ratio = y / x
    spread = vary + ratio**2 * varx
    if spread == 0:
        return ratio, ratio
    free = spread**2 / (vary**2 / (len(numerator) - 1) + (ratio**2 * varx) ** 2 / (len(denominator) - 1))
    t2 = float(stdtrit(free, (1 + CONFIDENCE) / 2)) ** 2
    # (y - r x)^2 <= t^2 (vary + r^2 varx), solved for r.
    a, b, c = x**2 - t2 * varx, x * y, y**2 - t2 * vary
    root = math.sqrt(max(0.0, b**2 - a * c))
    if a <= 0:
        # All but what lies between the roots, one of which is negative or zero where c is below zero.
        return (max(0.0, c / (b + root)) if c > 0 else 0.0), math.inf
    return max(0.0, (b - root) / a), (b + root) / a

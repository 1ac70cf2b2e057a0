"""What an interval means in the metric's own direction. Pure."""

from __future__ import annotations

from perfdb.compare.comparison import Interval, Verdict
from perfdb.record import Direction

BAND = 0.05
SIGNIFICANT_P = 0.05
# Below so many a side, no test can tell much: the smallest p there is of 4 against 4 is 0.029, of 5 against 5 it is 0.008.
FEWEST_UNITS = 5


def band_edges(band: float) -> tuple[float, float]:
    """The ratios between which a difference does not matter, the same whichever side is the baseline."""
    return 1 / (1 + band), 1 + band


def verdict(interval: Interval | None, p_adjusted: float | None, direction: Direction, band: float = BAND) -> Verdict:
    """What a ratio says about the other side.

    Better or worse: the interval lies wholly outside the band, and p is small too. Equivalent: it lies wholly inside.
    Anything else is undecided, and so is whatever has no better.

    Args:
        interval: Of the ratio, other over baseline; None if there is none, such as of values that are zero.
        p_adjusted: Corrected for all metrics tested together.
        direction: Which way is better.
        band: How far from 1 a ratio may be without mattering: 0.05 is from 1/1.05 to 1.05.
    """
    if interval is None:
        return "undecided"
    least, most = band_edges(band)
    if least <= interval.low and interval.high <= most:
        return "equivalent"
    outside = interval.low > most or interval.high < least
    if not outside or direction == "none" or p_adjusted is None or p_adjusted > SIGNIFICANT_P:
        return "undecided"
    return "better" if (interval.low > most) == (direction == "higher") else "worse"

"""How many were under way, moment by moment, and what that must agree with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

_ROUNDING = 0.02


@dataclass(frozen=True)
class Curve:
    """How many were under way: `changes` by millisecond since the load's beginning."""

    changes: Mapping[int, int] = field(default_factory=dict)

    @cached_property
    def levels(self) -> tuple[tuple[float, int], ...]:
        """From each moment on (seconds), so many."""
        level, levels = 0, []
        for ms in sorted(self.changes):
            level += self.changes[ms]
            levels.append((ms / 1e3, level))
        return tuple(levels)

    @property
    def peak(self) -> int:
        """The most at any time."""
        return max((level for _, level in self.levels), default=0)

    def at(self, moment_s: float) -> int:
        """How many at that moment."""
        return sum(change for ms, change in self.changes.items() if ms / 1e3 <= moment_s)

    def mean(self, begin_s: float, end_s: float) -> float:
        """The mean number over that time, which is longer than none."""
        return self.area(begin_s, end_s) / (end_s - begin_s)

    def area(self, begin_s: float, end_s: float) -> float:
        """How many, times the seconds that they were so many; 0 where the end is not after the beginning."""
        area, level, since = 0.0, 0, begin_s
        for moment, then in self.levels:
            if moment > end_s:
                break
            if moment > since:
                area += level * (moment - since)
                since = moment
            level = then
        return area + level * max(0.0, end_s - since)


@dataclass(frozen=True)
class LittlesLaw:
    """Steps under way over the steady window.

    Sessions are of the window by when they are scheduled; their steps reach over its ends, by no more than the longest
    session. So of what is under way only bounds are known.

    Attributes:
        mean: How many were under way on average.
        expected: What Little's law says: steps a second times their mean time.
        least, most: What `expected` lies between if all was counted: the steps of sessions of the window alone, and all that may
            be theirs, over the window's length.
    """

    mean: float
    expected: float
    least: float
    most: float

    @property
    def holds(self) -> bool:
        """Whether it does, but for rounding: histograms have three digits, moments milliseconds."""
        spare = _ROUNDING * max(self.mean, self.expected) + _ROUNDING
        return self.least - spare <= self.expected <= self.most + spare

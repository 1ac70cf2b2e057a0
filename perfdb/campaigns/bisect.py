"""Where in a row of releases or commits a metric changed: the search, whatever the measurements come from. Pure.

The row is searched by halves. Each step asks an oracle about one candidate between two ends that are known to differ: is
it like the one, like the other, or like neither? So one lasting change is found in about log2(n) steps. A candidate like
neither end means several changes, and each part is searched; one whose neighbours on both sides are alike is an odd one
and no change; one that does not run, or stays undecided, is stepped around.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, Protocol

Side = Literal["first", "last", "neither", "undecided", "broken"]
Answer = Literal["found", "odd", "alike", "undecided", "broken"]
# After so many that stay undecided, the range between the ends is all that can be said.
MOST_UNDECIDED = 3


@dataclass(frozen=True)
class Ends:
    """What two ends are to each other, or which of them does not run."""

    relation: Literal["differ", "alike", "undecided"]
    broken: frozenset[int] = frozenset()


class Oracle(Protocol):
    """Measures. Places count from 0 along the row."""

    def ends(self, first: int, last: int) -> Ends:
        """How two places are to each other."""

    def look(self, candidate: int, first: int, last: int) -> Side:
        """Which of two places that differ from each other the candidate is like."""

    def estimate(self, looks: int) -> None:
        """About so many more looks are to come."""


@dataclass(frozen=True)
class Change:
    """A change that lasts: somewhere after `before`, at `after` at the latest.

    Attributes:
        between: Places between those two that could not be measured or stayed undecided.
    """

    before: int
    after: int
    between: tuple[int, ...] = ()


@dataclass(frozen=True)
class Found:
    """What the search came to.

    Attributes:
        answer: `found`; `odd`: all that differs is a lone one; `alike` or `undecided`: so are the ends; `broken`: fewer than
            two places run.
        first, last: The ends that were used: where one that was asked for does not run, the next one inside that does.
        changes: In the row's order.
        odd: Places that differ from their neighbours on both sides, which are alike.
        broken: Places that do not run.
    """

    answer: Answer
    first: int
    last: int
    changes: tuple[Change, ...] = ()
    odd: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()


def search(count: int, first: int, last: int, oracle: Oracle) -> Found:
    """Find every change between two places of a row.

    Args:
        count: How many places the row has. Those outside of the two are only asked whether an end is an odd one.
        first: The earlier place.
        last: The later one.
        oracle: Answers; it may be wrong now and then, which costs a wrong answer and never a loop.
    """
    return _Search(count, oracle).run(first, last)


def looks_left(between: int) -> int:
    """How many looks it takes to search so many places by halves."""
    return math.ceil(math.log2(between + 1)) if between > 0 else 0


@dataclass
class _Search:
    count: int
    oracle: Oracle
    changes: list[Change] = field(default_factory=list)
    odd: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)

    def run(self, first: int, last: int) -> Found:
        while first < last:
            # Two to see whether the answer lasts.
            self.oracle.estimate(looks_left(last - first - 1) + 2)
            ends = self.oracle.ends(first, last)
            self.broken |= ends.broken
            if not ends.broken:
                break
            first, last = first + (first in ends.broken), last - (last in ends.broken)
        else:
            return Found("broken", first, last, broken=tuple(sorted(self.broken)))
        answer: Answer = "odd"
        if ends.relation != "differ":
            answer = ends.relation
        else:
            self._part(first, last)
            if self.changes:
                answer = "found"
        changes = sorted(set(self.changes), key=lambda change: (change.before, change.after))
        return Found(answer, first, last, tuple(changes), tuple(sorted(self.odd)), tuple(sorted(self.broken)))

    def _part(self, first: int, last: int) -> None:
        """Search between two places that differ."""
        like_first, like_last = {first}, {last}
        before, after = first, last
        undecided: set[int] = set()
        neither: list[int] = []
        while (candidate := self._middle(before, after, undecided | set(neither))) is not None:
            self.oracle.estimate(looks_left(after - before - 1) + 2)
            match self.oracle.look(candidate, before, after):
                case "first":
                    before = candidate
                    like_first.add(candidate)
                case "last":
                    after = candidate
                    like_last.add(candidate)
                case "broken":
                    self.broken.add(candidate)
                case "undecided":
                    undecided.add(candidate)
                    if sum(before < place < after for place in undecided) >= MOST_UNDECIDED:
                        break
                case "neither":
                    neither.append(candidate)
                    inside = sorted(place for place in neither if before < place < after)
                    if len(inside) > 1:
                        self._several(before, inside[0], inside[-1], after)
                        return
        # What is like neither end is a level of its own if it lies between them, and an odd one if the search left it aside.
        self.odd |= {place for place in neither if not before < place < after}
        levels = [before, *(place for place in neither if before < place < after), after]
        if len(levels) == 2 and not self._lasts(first, last, before, after, like_first, like_last):
            return
        for earlier, later in pairwise(levels):
            between = (self.broken | undecided) & set(range(earlier + 1, later))
            self.changes.append(Change(earlier, later, tuple(sorted(between))))

    def _several(self, first: int, one: int, other: int, last: int) -> None:
        """Two places like neither end: a change on each side of them, and perhaps more between."""
        self._part(first, one)
        if self.oracle.ends(one, other).relation == "differ":
            self._part(one, other)
        self._part(other, last)

    def _lasts(self, first: int, last: int, before: int, after: int, like_first: set[int], like_last: set[int]) -> bool:
        """Whether the places around a change are like its two sides; if one of those is odd, the rest is searched."""
        following = self._beside(after, 1, like_last, before, after)
        if following is not None and following[1] == "first":
            self.odd.add(after)
            if following[0] < last:
                self._part(following[0], last)
            return False
        preceding = self._beside(before, -1, like_first, before, after)
        if preceding is not None and preceding[1] == "last":
            self.odd.add(before)
            if preceding[0] > first:
                self._part(first, preceding[0])
            return False
        return True

    def _beside(self, place: int, step: int, known: set[int], before: int, after: int) -> tuple[int, Side] | None:
        """The next place that runs and what it is like; None where there is none, or where that is known."""
        place += step
        while 0 <= place < self.count and place not in known:
            if place not in self.broken and place not in self.odd:
                self.oracle.estimate(1)
                side = self.oracle.look(place, before, after)
                if side != "broken":
                    return place, side
                self.broken.add(place)
            place += step
        return None

    def _middle(self, before: int, after: int, without: set[int]) -> int | None:
        """The place nearest to the middle that may still be asked about."""
        left = [place for place in range(before + 1, after) if place not in without and place not in self.broken]
        return min(left, key=lambda place: (abs(2 * place - before - after), place), default=None)

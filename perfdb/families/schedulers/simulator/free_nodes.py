"""Which nodes are free. Pure.

Kept as ranges, so that a cluster of a million nodes costs what its jobs tear it into, and not a million.
"""

from __future__ import annotations

from bisect import bisect

Range = tuple[int, int]


class FreeNodes:
    """The free ones of `count` nodes, numbered from 0, as ranges with both ends in them, ascending."""

    def __init__(self, count: int) -> None:
        self._ranges: list[Range] = [(0, count - 1)]

    def take(self, count: int) -> tuple[Range, ...]:
        """The lowest `count` numbers, which there must be."""
        for place, (first, last) in enumerate(self._ranges):
            count -= last - first + 1
            if count <= 0:
                taken = (*self._ranges[:place], (first, last + count))
                self._ranges[: place + 1] = [(last + count + 1, last)] if count else []
                return taken
        raise ValueError("there are not so many free nodes")

    def give_back(self, ranges: tuple[Range, ...]) -> None:
        """They are free again."""
        for taken in ranges:
            first, last = taken
            begin = end = bisect(self._ranges, taken)
            if begin > 0 and self._ranges[begin - 1][1] == first - 1:
                begin -= 1
                first = self._ranges[begin][0]
            if end < len(self._ranges) and self._ranges[end][0] == last + 1:
                last = self._ranges[end][1]
                end += 1
            self._ranges[begin:end] = [(first, last)]


def text_of(ranges: tuple[Range, ...]) -> str:
    """As `0-2,5`."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)

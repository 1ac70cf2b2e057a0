"""Faults that come as planned: so many of a thousand, the same ones for the same seed."""

from __future__ import annotations

import random


class Planned:
    """Says of each event in turn whether it is one of those picked.

    Of every block of 10 events (100, 1,000 or 10,000 where the share needs it) exactly the share is picked, at random
    places, so that a short run gets its share too.
    """

    def __init__(self, share: float, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 (nobody is to be kept from guessing it)
        self._block = next((size for size in (10, 100, 1000) if abs(share * size - round(share * size)) < 1e-9), 10_000)
        self._count = round(share * self._block)
        self._left: list[bool] = []

    def next(self) -> bool:
        """Whether the next event is picked."""
        if not self._count:
            return False
        if not self._left:
            self._left = [True] * self._count + [False] * (self._block - self._count)
            self._random.shuffle(self._left)
        return self._left.pop()

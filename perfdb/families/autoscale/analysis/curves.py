"""Cores obtained over time, as steps, and where one way to obtain them overtakes another. Pure.

A curve is the number of cores that have been obtained by each instant, counted from the moment that they were asked for.
It is a step function, so where two curves cross is computed from their steps, not sampled.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import Literal

# A nanosecond: what differs by less is told apart by no clock here, only by the way that a float was computed.
_DIGITS = 9
Asked = Literal["in-turn", "at-once"]


@dataclass(frozen=True)
class Curve:
    """Cores over time.

    Attributes:
        at_s: When there are more, in seconds since they were asked for; each later than the one before.
        cores: How many there are from then on, at least 1; each more than the one before.
    """

    at_s: tuple[float, ...]
    cores: tuple[int, ...]

    @classmethod
    def of(cls, obtained: Sequence[tuple[float, int]]) -> Curve:
        """The curve of (instant in seconds, further cores), in any order; what comes at one instant is one step."""
        steps: dict[float, int] = {}
        for at_s, more in sorted(obtained):
            steps[round(at_s, _DIGITS)] = steps.get(round(at_s, _DIGITS), 0) + more
        return cls(tuple(steps), tuple(accumulate(steps.values())))

    @property
    def total(self) -> int:
        """Cores at its end."""
        return self.cores[-1] if self.cores else 0

    def time_of(self, cores: int) -> float | None:
        """When so many cores are there, in seconds; None if never."""
        place = bisect_left(self.cores, cores)
        return self.at_s[place] if place < len(self.at_s) else None

    def cores_at(self, at_s: float) -> int:
        """How many cores are there by then."""
        place = bisect_right(self.at_s, at_s)
        return self.cores[place - 1] if place else 0

    def up_to(self, cores: int) -> Curve:
        """The same where no more than so many are asked for."""
        steps = [(at, min(there, cores)) for at, there in zip(self.at_s, self.cores, strict=True)]
        last = next((n for n, (_, there) in enumerate(steps, 1) if there >= cores), len(steps))
        return Curve(tuple(at for at, _ in steps[:last]), tuple(there for _, there in steps[:last]))


def of_nodes(ready_s: Sequence[float], cores: int) -> Curve:
    """The curve of nodes of `cores` cores each, of which the first is ready at `ready_s[0]`, and so on."""
    return Curve.of([(at, cores) for at in ready_s])


def given_nodes(seconds: float, cores: int, asked: Asked, wanted: int) -> Curve:
    """The curve of nodes that are said to take `seconds` each.

    With `in-turn` each node is asked for when the one before is there, so that the k-th is ready at k * seconds; with
    `at-once` all are asked for together and their waits overlap, so that every one is ready at `seconds`.

    Args:
        cores: Of a node.
        wanted: How many cores are asked for; there are as many nodes as that takes.
    """
    nodes = -(-wanted // cores)
    return of_nodes([seconds * (number if asked == "in-turn" else 1) for number in range(1, nodes + 1)], cores)


@dataclass(frozen=True)
class Band:
    """The curves of several rounds.

    Attributes:
        middle: The k-th node at the median over the rounds of when the k-th was ready.
        fastest: The same with the earliest; no round was above it.
        slowest: The same with the latest.
        rounds: Each round's own.
    """

    middle: Curve
    fastest: Curve
    slowest: Curve
    rounds: tuple[Curve, ...]


def of_rounds(rounds: Sequence[Sequence[float]], cores: int) -> Band:
    """The curves of rounds, each given as the instants in seconds at which its nodes were ready, earliest first.

    Only as many nodes as every round has are counted: else a late node's median would be of other rounds than an early
    one's.

    Args:
        rounds: At least one, each with at least one instant.
        cores: Of a node.
    """
    nodes = min(map(len, rounds))
    by_ordinal = [[ready[place] for ready in rounds] for place in range(nodes)]
    middle, fastest, slowest = (of_nodes([pick(times) for times in by_ordinal], cores) for pick in (median, min, max))
    return Band(middle, fastest, slowest, tuple(of_nodes(ready[:nodes], cores) for ready in rounds))


@dataclass(frozen=True)
class Crossover:
    """From where on another way is ahead than before.

    Attributes:
        faster: The place of the one that is ahead from here on: 0 or 1.
        cores: The number of cores from which on it has them earlier.
        at_s: When either has that many, in seconds.
    """

    faster: Literal[0, 1]
    cores: int
    at_s: tuple[float, float]


@dataclass(frozen=True)
class Overtaking:
    """The instant from which on one has more cores than the other.

    Attributes:
        ahead: The place of the one that has more: 0 or 1.
        at_s: Seconds since the cores were asked for.
        cores: How many either has then.
    """

    ahead: Literal[0, 1]
    at_s: float
    cores: tuple[int, int]


def crossovers(one: Curve, other: Curve, most: int) -> tuple[Crossover, ...]:
    """Who has k cores earlier, for k from 1 to as many as both come to have, `most` at most.

    The first says who is ahead from the start on, the further ones where that changes. Where both have k cores at the
    same instant nobody is ahead, and whoever was ahead before stays so.
    """
    end = min(most, one.total, other.total)
    starts = sorted({1, *(cores + 1 for curve in (one, other) for cores in curve.cores if cores < end)}) if end else []
    found: list[Crossover] = []
    for cores in starts:
        mine, others = one.time_of(cores), other.time_of(cores)
        assert mine is not None and others is not None, "both come to have so many"
        if mine == others:
            continue
        faster: Literal[0, 1] = 0 if mine < others else 1
        if not found or found[-1].faster != faster:
            found.append(Crossover(faster, cores, (mine, others)))
    return tuple(found)


def overtakings(one: Curve, other: Curve, most: int) -> tuple[Overtaking, ...]:
    """The instants at which one comes to have more cores than the other, where both ask for as many as both come to
    have, `most` at most. Like `crossovers`, along time."""
    end = min(most, one.total, other.total)
    curves = one.up_to(end), other.up_to(end)
    found: list[Overtaking] = []
    for at in sorted({at for curve in curves for at in curve.at_s}):
        mine, others = (curve.cores_at(at) for curve in curves)
        if mine == others:
            continue
        ahead: Literal[0, 1] = 0 if mine > others else 1
        if not found or found[-1].ahead != ahead:
            found.append(Overtaking(ahead, at, (mine, others)))
    return tuple(found)


@dataclass(frozen=True)
class Range:
    """Where a crossover lies over several rounds.

    Attributes:
        faster: As of the crossover.
        low: The fewest cores, over the rounds that have it.
        high: The most.
        rounds: How many have it.
        of: How many there are.
    """

    faster: Literal[0, 1]
    low: int
    high: int
    rounds: int
    of: int


def ranges(rounds: Sequence[Curve], other: Curve, most: int) -> tuple[Range, ...]:
    """For each way the fewest and the most cores from which on it is first ahead, over rounds' own curves.

    A round in which it is never ahead is not in that range, and is counted.
    """
    firsts: dict[Literal[0, 1], list[int]] = {0: [], 1: []}
    for curve in rounds:
        seen: dict[Literal[0, 1], int] = {}
        for crossing in crossovers(curve, other, most):
            seen.setdefault(crossing.faster, crossing.cores)
        for faster, cores in seen.items():
            firsts[faster].append(cores)
    return tuple(
        Range(faster, min(found), max(found), len(found), len(rounds)) for faster, found in firsts.items() if found
    )

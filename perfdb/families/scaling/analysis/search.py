"""Which load to try next, so that few tries find the ceiling: growth, then bisection. Pure.

The policy knows nothing but what was tried, so a search that was cut off goes on where it stopped, and a grid that was
tried first is a search's beginning. What is borderline is tried again, since there one try says little; so is the failure
that ends a search, since a hiccup of the network fails a load that the service bears.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from perfdb.families.scaling.analysis.cells import Cell, Criterion, Verdict, by_load
from perfdb.record.model import Frozen

Ending = Literal["found", "above the largest", "below the smallest", "not measurable", "too many tries"]


class Search(Frozen):
    """What is looked for, and how hard. Loads are whole: sessions, or sessions/s.

    Attributes:
        start: The first load, where nothing was tried yet.
        smallest: Nothing smaller is tried.
        largest: Nothing larger is tried.
        growth: As long as nothing failed, the next load is so many times the largest; and smaller by it while all failed.
        resolution: The search ends where the smallest failure is at most so much larger than the ceiling, as a share of it
            (or by 1).
        p99_margin: A p99 so near to its bound, as a share of it, is borderline.
        success_margin: So is a success share so near to its bound.
        votes: How often a borderline load is tried at most; odd, so that they decide. One that gave no valid cell is tried
            twice.
        tries: How many cells a search has at most.
    """

    start: Annotated[int, Field(ge=1)] = 32
    smallest: Annotated[int, Field(ge=1)] = 1
    largest: Annotated[int, Field(ge=1)]
    growth: Annotated[float, Field(ge=1.1, le=100)] = 2.0
    resolution: Annotated[float, Field(gt=0, le=1)] = 0.05
    p99_margin: Annotated[float, Field(ge=0, lt=1)] = 0.1
    success_margin: Annotated[float, Field(ge=0, lt=1)] = 0.01
    votes: Annotated[int, Field(ge=1, le=9)] = 3
    tries: Annotated[int, Field(ge=1, le=1000)] = 40
    criterion: Criterion = Criterion()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.smallest <= self.start <= self.largest:
            raise ValueError("`smallest` <= `start` <= `largest`")
        if self.votes % 2 == 0:
            raise ValueError("`votes` is odd: an even number may not decide")
        return self

    def borderline(self, cell: Cell) -> bool:
        """Whether a valid cell is so near the criterion that another try may well say otherwise."""
        bound = self.criterion.p99_bound_s(cell.wait_s)
        slow = cell.p99_s is None or cell.p99_s >= bound * (1 + self.p99_margin)
        quick = cell.p99_s is not None and cell.p99_s < bound * (1 - self.p99_margin)
        least = self.criterion.least_success
        lossy = cell.success_share < least - self.success_margin
        # Nothing is better than all, so all is not borderline, whatever the margin.
        sound = cell.success_share >= min(1.0, least + self.success_margin)
        return not (slow or lossy) and not (quick and sound)


def next_try(search: Search, tried: Sequence[Cell]) -> int | None:
    """The load to try next; None where the search has ended.

    Args:
        tried: What one repetition of one wait has tried so far, valid or not, in any order.

    Raises:
        ValueError: A load that was tried is no whole number.
    """
    step = _step(search, tried)
    return step if isinstance(step, int) else None


def ending(search: Search, tried: Sequence[Cell]) -> Ending | None:
    """Why the search has ended; None where it goes on.

    `found`: the ceiling is known to the resolution. `above the largest`: the largest load passed. `below the smallest`:
    the smallest failed. `not measurable`: larger loads gave no valid cell, so the ceiling is at least what passed.
    `too many tries`: `tries` was reached before.
    """
    step = _step(search, tried)
    return None if isinstance(step, int) else step


def _step(search: Search, tried: Sequence[Cell]) -> int | Ending:
    if odd := [cell.load for cell in tried if not cell.load.is_integer()]:
        raise ValueError(f"a search is over whole loads, not {odd[0]:g}")
    known = {round(load): _Known(search, cells) for load, cells in by_load(tried).items()}
    stop = min((load for load, one in known.items() if one.settled and one.verdict != "passed"), default=math.inf)
    # Above a failure nothing can raise the ceiling.
    unsettled = [load for load, one in known.items() if not one.settled and load < stop]
    step = unsettled[0] if unsettled else _where(search, known)
    # Asked last: a search whose last try ends it was not cut short.
    return "too many tries" if isinstance(step, int) and len(tried) >= search.tries else step


class _Known:
    """What is known of one load."""

    def __init__(self, search: Search, cells: Sequence[Cell]) -> None:
        valid = [cell for cell in cells if cell.valid]
        passes = sum(search.criterion.met(cell) for cell in valid)
        failures = len(valid) - passes
        majority = (search.votes + 1) // 2
        # Twice, so that a client that was disturbed once does not end a search.
        exhausted = len(cells) >= (max(2, search.votes) if valid else 2)
        unclear = not valid or (passes and failures) or any(map(search.borderline, valid))
        self.verdict: Verdict = search.criterion.verdict(cells)
        self.settled = exhausted or max(passes, failures) >= majority or not unclear
        self.confirmed = exhausted or failures >= min(2, majority)


def _where(search: Search, known: Mapping[int, _Known]) -> int | Ending:
    if not known:
        return search.start
    stop = min((load for load, one in known.items() if one.verdict != "passed"), default=None)
    passed = max((load for load, one in known.items() if stop is None or load < stop), default=None)
    if stop is None:
        assert passed is not None, "something is known, and nothing failed"
        return "above the largest" if passed >= search.largest else min(search.largest, _grown(passed, search.growth))
    if passed is None:
        if stop > search.smallest:
            return max(search.smallest, math.floor(stop / search.growth))
    elif stop - passed > 1 and stop > passed * (1 + search.resolution):
        # Loads that differ by two or more have this, rounded, between them.
        return round(math.sqrt(passed * stop))
    if known[stop].verdict == "unknown":
        return "not measurable"
    if not known[stop].confirmed:
        return stop
    return "below the smallest" if passed is None else "found"


def _grown(load: int, growth: float) -> int:
    return max(load + 1, round(load * growth))

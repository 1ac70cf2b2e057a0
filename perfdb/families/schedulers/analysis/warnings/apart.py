"""Arms that were measured one after the other, rather than in turns. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from perfdb.families.schedulers.analysis.case import Case
from perfdb.families.schedulers.analysis.warnings.caveat import (
    Caveat,
    by_scheduler,
    instant,
    seconds,
    submitted,
)


class _Ran(NamedTuple):
    """When one arm's jobs, or records, were begun, and when the last one was over; seconds since 1970."""

    begun: tuple[float, ...]
    until: float


def apart(cases: Sequence[Case]) -> Iterator[Caveat]:
    """`arms_apart`: all of one arm was begun before anything of the other, so what changed meanwhile is in the difference.

    Of a record of ours nobody knows when each job was, but its arms took turns in it, so they count from its begin. When a
    simulated arm was computed says nothing.
    """
    ran = {scheduler: found for scheduler, mine in by_scheduler(cases).items() if (found := _ran(mine)) is not None}
    for one, other in combinations(ran, 2):
        first, second = sorted((one, other), key=lambda scheduler: ran[scheduler].begun[0])
        if ran[first].begun[-1] >= ran[second].begun[0]:
            continue
        yield Caveat(
            "arms_apart",
            (first, second),
            f"{first} from {instant(ran[first].begun[0])} to {instant(ran[first].until)}, {second} from "
            f"{instant(ran[second].begun[0])} to {instant(ran[second].until)}; the last of {first} was begun "
            f"{seconds(ran[second].begun[0] - ran[first].begun[-1])} before the first of {second}",
        )


def _ran(cases: Sequence[Case]) -> _Ran | None:
    if not all(case.is_dated or (case.made == "measured" and case.span) for case in cases):
        return None
    begun = sorted(at for case in cases for at in _begun(case))
    ended = [end for case in cases if case.span for end in (case.span[1],)]
    return _Ran(tuple(begun), max(ended)) if begun and ended else None


def _begun(case: Case) -> list[float]:
    if case.is_dated:
        return [at for row in case.rows if (at := submitted(row)) is not None]
    return [case.span[0]] if case.span else []

"""The largest load that a service bears, for each repetition, and how sure that is. Pure.

A repetition's ceiling is the largest load that passed with all smaller ones passing. A larger load that passed above one
that failed does not raise it: a service that fails at 512 and passes at 1,024 does not bear 1,024 reliably. Such loads are
told beside. Loads without a valid cell say nothing, so they neither raise a ceiling nor end it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from perfdb.compare.median import AIM, interval_of_median
from perfdb.families.scaling.analysis.cells import Cell, Criterion, Load, LoadUnit, by_load
from perfdb.record.model import Frozen, Seconds
from perfdb.units import counted, significant


class Bracket(Frozen):
    """Between which loads a ceiling lies.

    Attributes:
        passed: The largest load that passed with all smaller passing; None if already the smallest failed.
        failed: The next larger that failed; None if none did: the ceiling is `passed` at least.
    """

    passed: Load | None
    failed: Load | None

    @property
    def at_least(self) -> bool:
        """Whether nothing larger was tried and failed."""
        return self.passed is not None and self.failed is None

    def text(self) -> str:
        """In words, for people."""
        if self.passed is None:
            return "not known" if self.failed is None else f"below {significant(self.failed)}"
        return f"at least {significant(self.passed)}" if self.failed is None else significant(self.passed)


class RepetitionCeiling(Frozen):
    """One repetition's.

    Attributes:
        passed_above: Loads larger than one that failed, that passed all the same; smallest first.
    """

    repetition: Annotated[int, Field(ge=1)]
    bracket: Bracket
    passed_above: tuple[Load, ...]


class Ceiling(Frozen):
    """What the repetitions of one wait come to.

    Attributes:
        wait_s: What each step waited.
        unit: Of every load here.
        criterion: What a load had to meet.
        repetitions: Each one's, in order; those without a valid cell are left out.
        bracket: The median over the repetitions, of two middle ones the lower, so that it is a load that was tried: the
            median of the true ceilings lies from its `passed` to its `failed`.
        low: The lower end of the interval over repetitions.
        high: The upper end.
        confidence: How often such an interval holds the true median; None for one repetition, which has no interval.
        invalid_cells: How many cells said nothing.
    """

    wait_s: Seconds
    unit: LoadUnit
    criterion: Criterion
    repetitions: tuple[RepetitionCeiling, ...]
    bracket: Bracket
    low: Bracket | None
    high: Bracket | None
    confidence: Annotated[float, Field(ge=0, le=1)] | None
    invalid_cells: Annotated[int, Field(ge=0)]

    @property
    def only_a_range(self) -> bool:
        """Whether the repetitions are too few for 95 %, so that the interval is just the least and the greatest."""
        return self.confidence is not None and self.confidence < AIM

    @property
    def doubts(self) -> tuple[str, ...]:
        """Of which repetitions the ceiling is not known, and why, for people; none where all are."""
        count = len(self.repetitions)
        opened = sum(one.bracket.at_least for one in self.repetitions)
        none = sum(one.bracket.passed is None for one in self.repetitions)
        found = []
        if opened:
            found.append(f"the largest load that was tried passed in {opened} of {counted(count, 'repetition')}")
        if none:
            found.append(f"already the smallest load failed in {none} of {counted(count, 'repetition')}")
        return tuple(found)

    def interval_text(self) -> str:
        """The interval and what it is, for people."""
        if self.low is None or self.high is None or self.confidence is None:
            return "one repetition: no interval"
        count = len(self.repetitions)
        how = "range" if self.only_a_range else "order statistics"
        share = significant(100 * self.confidence, 3)
        return f"{self.low.text()} to {self.high.text()} ({how} of {count} repetitions: holds the median in {share} %)"

    def search_text(self) -> str:
        """Between which loads the ceiling lies, for people."""
        if self.bracket.passed is None:
            return f"already the smallest load failed ({self.bracket.text()} {self.unit})"
        if self.bracket.failed is None:
            return f"the largest load that was tried passed: {self.bracket.text()} {self.unit}; try larger ones"
        return f"from {significant(self.bracket.passed)}, which passed, to {significant(self.bracket.failed)}, which did not"


def bracket_of(cells: Sequence[Cell], criterion: Criterion) -> tuple[Bracket, tuple[float, ...]]:
    """Where the ceiling of one repetition lies, and the loads that passed above one that failed.

    Args:
        cells: Of one wait and one repetition, in any order.
    """
    verdicts = {load: criterion.verdict(tried) for load, tried in by_load(cells).items()}
    failed = min((load for load, verdict in verdicts.items() if verdict == "failed"), default=None)
    passes = [load for load, verdict in verdicts.items() if verdict == "passed"]
    below = [load for load in passes if failed is None or load < failed]
    above = tuple(load for load in passes if failed is not None and load > failed)
    return Bracket(passed=max(below, default=None), failed=failed), above


def ceilings(cells: Sequence[Cell], criterion: Criterion, unit: LoadUnit = "sessions") -> tuple[Ceiling, ...]:
    """The ceiling of each wait, the shortest wait first; none of a wait without a valid cell."""
    waits = sorted({cell.wait_s for cell in cells})
    found = (_ceiling([cell for cell in cells if cell.wait_s == wait], criterion, unit) for wait in waits)
    return tuple(ceiling for ceiling in found if ceiling)


def _ceiling(cells: Sequence[Cell], criterion: Criterion, unit: LoadUnit) -> Ceiling | None:
    valid = [cell for cell in cells if cell.valid]
    if not valid:
        return None
    each = []
    for repetition in sorted({cell.repetition for cell in valid}):
        bracket, above = bracket_of([cell for cell in valid if cell.repetition == repetition], criterion)
        each.append(RepetitionCeiling(repetition=repetition, bracket=bracket, passed_above=above))
    # A median grows with each of its values: so of true ceilings that lie within their brackets it lies between the
    # brackets' own medians. The same goes for every other order statistic.
    lows = sorted(0.0 if one.bracket.passed is None else one.bracket.passed for one in each)
    highs = sorted(math.inf if one.bracket.failed is None else one.bracket.failed for one in each)
    places = interval_of_median(range(len(each)))
    return Ceiling(
        wait_s=valid[0].wait_s,
        unit=unit,
        criterion=criterion,
        repetitions=tuple(each),
        bracket=_at(lows, highs, (len(each) - 1) // 2),
        low=_at(lows, highs, round(places.low)) if places else None,
        high=_at(lows, highs, round(places.high)) if places else None,
        confidence=places.confidence if places else None,
        invalid_cells=len(cells) - len(valid),
    )


def _at(lows: Sequence[float], highs: Sequence[float], place: int) -> Bracket:
    passed, failed = lows[place], highs[place]
    return Bracket(passed=passed or None, failed=failed if math.isfinite(failed) else None)

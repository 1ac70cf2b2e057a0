"""What a bisection came to, as a document and in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perfdb.campaigns.bisect import Change, Found
from perfdb.compare.comparison import MetricComparison


@dataclass(frozen=True)
class Sized:
    """A change and how large it is; None where its two sides could not be compared."""

    change: Change
    metric: MetricComparison | None

    @property
    def size(self) -> float:
        """The distance of the ratio from 1, the same for half as for twice; 0 if unknown."""
        interval = self.metric.interval if self.metric else None
        return abs(math.log(interval.ratio)) if interval else 0.0


def largest(changes: Sequence[Sized]) -> Sized | None:
    """The change that counts as the first bad one: the largest; of equal ones the earlier."""
    return max(changes, key=lambda sized: sized.size, default=None)


def document(
    row: Sequence[str], metric: str, found: Found, changes: Sequence[Sized], why_broken: Mapping[int, str]
) -> dict[str, Any]:
    """The answer as JSON has it; the steps come from whoever took them."""
    main = largest(changes)
    return {
        "answer": found.answer,
        "verdict": in_words(row, metric, found, changes),
        "metric": metric,
        "good": row[found.first],
        "bad": row[found.last],
        "first_bad": row[main.change.after] if main else None,
        "last_good": row[main.change.before] if main else None,
        "changes": [
            {
                "last_good": row[sized.change.before],
                "first_bad": row[sized.change.after],
                "between": [row[place] for place in sized.change.between],
                "comparison": sized.metric.model_dump(mode="json") if sized.metric else None,
            }
            for sized in changes
        ],
        "odd": [row[place] for place in found.odd],
        "broken": [{"name": row[place], "reason": why_broken.get(place)} for place in found.broken],
    }


def in_words(row: Sequence[str], metric: str, found: Found, changes: Sequence[Sized]) -> str:
    """The answer, one or a few sentences."""
    first, last = row[found.first], row[found.last]
    odd = f" Odd ones, unlike their neighbours on both sides: {', '.join(row[place] for place in found.odd)}."
    match found.answer:
        case "alike":
            return f"{metric} is alike in {first} and {last}: nothing changed that lasts from the one to the other."
        case "undecided":
            return (
                f"whether {metric} differs between {first} and {last} stayed undecided: the runs vary by more than they differ, "
                "if they do. Choose ends that are further apart, longer iterations (--time) or a quieter machine."
            )
        case "broken":
            return "fewer than two of the row run, so there is nothing to compare."
        case "odd":
            return f"{metric} changed in nothing that lasts from {first} to {last}.{odd}"
    main = largest(changes)
    assert main is not None, "what was found has a change"
    told = [_of_one(row, metric, main)]
    if others := [sized for sized in changes if sized is not main]:
        told.append(f"Smaller changes: {'; '.join(_of_one(row, metric, sized) for sized in others)}")
    return ". ".join(told) + "." + (odd if found.odd else "")


def _of_one(row: Sequence[str], metric: str, sized: Sized) -> str:
    change = sized.change
    where = f"{row[change.after]} changed {metric}"
    if change.between:
        where = (
            f"{metric} changed after {row[change.before]}, at {row[change.after]} at the latest (between them "
            f"{', '.join(row[place] for place in change.between)} could not be told)"
        )
    interval = sized.metric.interval if sized.metric else None
    if sized.metric is None or interval is None:
        return where
    ratio = f"{_percent(interval.ratio)} ({_percent(interval.low)} to {_percent(interval.high)})"
    way = {"better": ", for the better", "worse": ", for the worse"}.get(sized.metric.verdict, "")
    return f"{where} by {ratio}{way}"


def _percent(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.1f} %"

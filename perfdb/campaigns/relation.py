"""Whether two set-ups differ in a metric, by the verdict of a comparison, whichever way is better. Pure."""

from __future__ import annotations

from typing import Literal

from perfdb.campaigns.bisect import Side
from perfdb.compare.comparison import Interval
from perfdb.compare.verdict import verdict

Relation = Literal["alike", "differ", "undecided"]


def relation_of(interval: Interval | None, p: float | None) -> Relation:
    """What a ratio says of two set-ups, where it only counts whether there is a difference.

    Args:
        interval: Of the ratio.
        p: That there is no difference.
    """
    # A metric with no better and worse changes as well as any other.
    match verdict(interval, p, "higher"):
        case "better" | "worse":
            return "differ"
        case "equivalent":
            return "alike"
        case _:
            return "undecided"


def side_of(to_first: Relation, to_last: Relation) -> Side:
    """Which of two ends that differ a candidate is like.

    Who surely differs from the one and not surely from the other is like the other: the ends differ from each other, so
    that is the nearer one.
    """
    if to_first == "differ" and to_last == "differ":
        return "neither"
    if to_last == "differ":
        return "first"
    if to_first == "differ":
        return "last"
    return "undecided"

"""How evenly schedulers treat users, and sizes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from perfdb.families.schedulers.measures.spans import slowdown_of
from perfdb.families.schedulers.outcome import Outcome


def jain(values: Sequence[float]) -> float:
    """Jain's index: 1 where all values are equal, 1 / n where one of n has everything.

    Args:
        values: At least one, >= 0, not all 0.

    Returns:
        (sum of x)^2 / (n * sum of x^2).

    Source: Jain, Chiu and Hawe, A quantitative measure of fairness and discrimination, DEC-TR-301, 1984.
    """
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))


def jain_by(outcomes: Sequence[Outcome], group: Callable[[Outcome], int]) -> float | None:
    """The index over groups of jobs, of each its mean bounded slowdown.

    None where a job's slowdown is not known, or there is one group, which is always treated as evenly as itself.
    """
    found: dict[int, list[float]] = {}
    for outcome in outcomes:
        slowdown = slowdown_of(outcome)
        if slowdown is None:
            return None
        found.setdefault(group(outcome), []).append(slowdown)
    return jain([fmean(slowdowns) for slowdowns in found.values()]) if len(found) > 1 else None


def by_user(outcome: Outcome) -> int:
    """Whose it is."""
    return outcome.work.user


def by_size(outcome: Outcome) -> int:
    """How many nodes it asked for."""
    return outcome.work.nodes

"""When nothing began although jobs waited, and which job was at the head of the queue then. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from perfdb.families.schedulers.outcome import Outcome


class Clog(NamedTuple):
    """A time without a start while jobs waited.

    Attributes:
        from_s, until_s: Since the arm's begin.
        head: The head of the queue when it ended: of those that waited, the one submitted first, by its batch and number. A
            scheduler that orders by something else than submission may have had another one there.
        waiting: How many waited then.
        is_open: Whether it was ended by nobody watching any longer, rather than by a start or by the last one leaving.
    """

    from_s: float
    until_s: float
    head: tuple[int, int]
    waiting: int
    is_open: bool

    @property
    def lasted_s(self) -> float:
        """At least, where it is open."""
        return self.until_s - self.from_s


class _Waited(NamedTuple):
    """One job's wait. `began`: whether a start ended it."""

    from_s: float
    until_s: float
    submitted_s: float
    outcome: Outcome
    began: bool


def longest_clog(outcomes: Sequence[Outcome]) -> Clog | None:
    """The longest time since the last start, or since a job came to an empty queue, while jobs waited; None where none did.

    A job waits from when it is eligible until its program begins; until it is over or no longer watched, where it never did.
    """
    return next(iter(longest_clogs(outcomes, 1)), None)


def longest_clogs(outcomes: Sequence[Outcome], most: int) -> list[Clog]:
    """So many of the longest such times, the longest first, of equal ones the earlier."""
    waits = [waited for outcome in outcomes if (waited := _wait(outcome)) is not None]
    found = sorted(_without_a_start(waits), key=lambda span: (span[0] - span[1], span[0]))[:most]
    return [_clog(waits, *span) for span in found]


def _without_a_start(waits: Sequence[_Waited]) -> Iterator[tuple[float, float]]:
    changes = [(w.from_s, 0, 1) for w in waits] + [(w.until_s, 1 if w.began else 2, -1) for w in waits]
    waiting, since = 0, 0.0
    # Who comes and begins at the same instant has waited no time, so arrivals go first.
    for at_s, what, change in sorted(changes):
        if waiting == 0 and change == 1:
            since = at_s
        waiting += change
        if what != 0 and (what == 1 or waiting == 0):
            if at_s > since:
                yield since, at_s
            since = at_s


def _wait(outcome: Outcome) -> _Waited | None:
    submitted, began = outcome.submitted_s, outcome.began_s
    if submitted is None:
        return None
    first = submitted if outcome.eligible_s is None else max(submitted, outcome.eligible_s)
    if began is not None:
        return _Waited(min(first, began), began, submitted, outcome, began=True)
    left = outcome.seen_until_s if outcome.ended_s is None else outcome.ended_s
    return None if left is None else _Waited(min(first, left), left, submitted, outcome, began=False)


def _clog(waits: Sequence[_Waited], from_s: float, until_s: float) -> Clog:
    there = [w for w in waits if w.from_s < until_s <= w.until_s]
    first = min(there, key=lambda w: (w.submitted_s, w.outcome.batch, w.outcome.work.job))
    left = [w for w in waits if w.until_s == until_s]
    is_open = any(w.outcome.is_censored for w in left) and not any(w.began for w in left)
    return Clog(from_s, until_s, (first.outcome.batch, first.outcome.work.job), len(there), is_open)

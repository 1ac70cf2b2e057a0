"""Arms whose jobs did not come alike. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from perfdb.families.schedulers.analysis.case import Case
from perfdb.families.schedulers.analysis.warnings.caveat import Caveat, by_scheduler, seconds

# Arms are told apart by as many times of the time between submissions.
TIMES = 1.5
# Fewer jobs come in no rhythm.
FEWEST = 3
# Below this, how fast a client submits is what differs.
SPAN_S = 1.0


def unequal_load(cases: Sequence[Case]) -> Iterator[Caveat]:
    """`unequal_load`: the jobs of one arm came over a longer time than those of another.

    How many were given is told by `missing_jobs`, and where no submission is known by `at_once`.
    """
    arms = by_scheduler(case for case in cases if case.made != "simulated")
    spans = {scheduler: found for scheduler, mine in arms.items() if (found := _span(mine)) is not None}
    if len(spans) > 1:
        pace = {scheduler: span / (count - 1) for scheduler, (count, span) in spans.items()}
        slow, fast = max(pace, key=lambda s: pace[s]), min(pace, key=lambda s: pace[s])
        if pace[slow] > TIMES * pace[fast] and spans[slow][1] - spans[fast][1] > SPAN_S:
            told = (f"{spans[s][0]} jobs of {s} were submitted within {seconds(spans[s][1])}" for s in (fast, slow))
            yield Caveat("unequal_load", (fast, slow), ", ".join(told))


def _span(cases: Sequence[Case]) -> tuple[int, float] | None:
    """How many jobs were submitted in how many seconds; of arms in turns, the median over those. None for too few."""
    turns: dict[tuple[str, object], list[float]] = {}
    for case in cases:
        for row in case.rows:
            if row.submitted_s is None:
                return None
            # Iterations of an import are within one run of its client; one of ours has a clock and a scheduler of its own.
            turn = None if case.is_dated else row.turn
            turns.setdefault((case.of if case.is_dated else case.record, turn), []).append(row.submitted_s)
    spans = [(len(times), max(times) - min(times)) for times in turns.values() if len(times) >= FEWEST]
    return (round(median(n for n, _ in spans)), median(span for _, span in spans)) if spans else None

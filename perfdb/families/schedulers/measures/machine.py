"""What the nodes did: makespan, utilisation, and what was held and not used. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from perfdb.families.schedulers.measures.centre import mean_of
from perfdb.families.schedulers.measures.spans import is_settled, run_s
from perfdb.families.schedulers.outcome import Outcome


def makespan_s(outcomes: Sequence[Outcome]) -> float | None:
    """From the first submission to the last end, in seconds; of several batches their mean, each from its own first one.

    None where a job did not come to its planned end: the last end is nobody's then.
    """
    return mean_of([*makespans(outcomes).values()])


def makespans(outcomes: Sequence[Outcome]) -> Mapping[int, float | None]:
    """The same of each batch, by its number."""
    return {batch: _makespan_s(of_batch) for batch, of_batch in _batches(outcomes)}


def _makespan_s(outcomes: Iterable[Outcome]) -> float | None:
    first: float | None = None
    last: float | None = None
    for outcome in outcomes:
        submitted, over = outcome.submitted_s, outcome.over_s
        if submitted is None or over is None or not is_settled(outcome):
            return None
        first = submitted if first is None else min(first, submitted)
        last = over if last is None else max(last, over)
    return None if first is None or last is None else max(0.0, last - first)


def _batches(outcomes: Sequence[Outcome]) -> Iterable[tuple[int, Iterable[Outcome]]]:
    return groupby(sorted(outcomes, key=lambda outcome: outcome.batch), key=lambda outcome: outcome.batch)


def utilisation(outcomes: Sequence[Outcome], nodes: int) -> float | None:
    """Nodes times run time, summed over the jobs, over nodes times makespan, summed over the batches.

    Args:
        nodes: How many the scheduler had, >= 1.

    Returns:
        0 to 1; None where the makespan is not known, or is 0.
    """
    spans = [*makespans(outcomes).values()]
    known = [span for span in spans if span is not None]
    if not known or len(known) < len(spans) or sum(known) <= 0:
        return None
    worked = sum(outcome.work.nodes * (run_s(outcome) or 0.0) for outcome in outcomes)
    return worked / (nodes * sum(known))


def held_idle_node_s(outcomes: Sequence[Outcome]) -> float | None:
    """Node-seconds that nodes were allocated to jobs whose programs had not begun, or were over.

    None where this is not known of a job, or one did not come to its planned end.
    """
    held = [held_idle_s(outcome) for outcome in outcomes]
    known = [o.work.nodes * sum(idle) for o, idle in zip(outcomes, held, strict=True) if idle is not None]
    return sum(known) if known and len(known) == len(held) else None


def held_idle_s(outcome: Outcome) -> tuple[float, float] | None:
    """For how long one job held its nodes before its program began, and after it was over; seconds."""
    allocated, began, over, released = outcome.allocated_s, outcome.began_s, outcome.over_s, outcome.released_s
    if not is_settled(outcome) or allocated is None or began is None or over is None or released is None:
        return None
    return max(0.0, began - allocated), max(0.0, released - over)

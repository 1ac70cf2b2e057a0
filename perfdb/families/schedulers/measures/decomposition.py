"""Where jobs' time went: queue, start-up, run, and nodes held after. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from perfdb.families.schedulers.measures.machine import held_idle_s
from perfdb.families.schedulers.measures.spans import run_s
from perfdb.families.schedulers.outcome import Outcome

# In order. From submission to allocation; to the begin of the program; to its end; until the nodes are free again.
PARTS = ("queue", "startup", "run", "release")


def parts_s(outcome: Outcome) -> tuple[float, ...] | None:
    """Seconds of each of `PARTS`; None where one is not known."""
    held, run = held_idle_s(outcome), run_s(outcome)
    submitted, allocated = outcome.submitted_s, outcome.allocated_s
    if held is None or run is None or submitted is None or allocated is None:
        return None
    startup, release = held
    return max(0.0, allocated - submitted), startup, run, release


def decomposition(outcomes: Sequence[Outcome]) -> Mapping[str, tuple[float, float]]:
    """By part: its mean over the jobs in seconds, and its node-seconds summed over them.

    Node-seconds of the queue are those that the waiting jobs had asked for. Empty where a part of any job is not known.
    """
    found = [(outcome.work.nodes, parts) for outcome in outcomes if (parts := parts_s(outcome)) is not None]
    if not found or len(found) < len(outcomes):
        return {}
    return {
        name: (fmean(parts[place] for _, parts in found), sum(nodes * parts[place] for nodes, parts in found))
        for place, name in enumerate(PARTS)
    }

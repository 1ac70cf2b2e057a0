"""The arithmetic of stages: what each milestone took, and which milestones are where they cannot be. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from perfdb.families.autoscale.milestones import CHAIN, MILESTONES

# Stamped by the scheduler's clock, whose offset is only known to be bounded.
BY_SCHEDULER = frozenset(("job_pending", "job_allocated", "power_up_asked", "node_booted"))


@dataclass(frozen=True)
class Told:
    """An instant, and who says so.

    Attributes:
        at: Epoch seconds on the submit host's clock.
        resolution_s: It was then, or up to so much later.
        source: Who wrote it down.
        within_s: And so much either way: how sure it is how far that clock is from the submit host's.
    """

    at: float
    resolution_s: float
    source: str
    within_s: float = 0.0


def stages(instants: Mapping[str, float | None]) -> dict[str, float]:
    """Seconds that each milestone took, counted from the latest one that stands before it; 0 where it overlapped.

    Args:
        instants: Seconds on one clock by milestone, in any order; None for one that had nothing to wait for. One that is
            not told is left out, and its time is part of the next one's.

    Returns:
        Those of all milestones but the first that is told. They add up to the latest instant less that first one.
    """
    taken: dict[str, float] = {}
    latest: float | None = None
    for milestone in CHAIN:
        if milestone.name not in instants:
            continue
        at = instants[milestone.name]
        if latest is None:
            latest = at
        elif at is None:
            taken[milestone.name] = 0.0
        else:
            taken[milestone.name] = max(0.0, at - latest)
            latest = max(latest, at)
    return taken


def out_of_order(
    told: Mapping[str, Told | None], several_nodes: bool, apart_s: float = 0.0
) -> Iterator[tuple[str, str, float]]:
    """Each milestone that is told to have been before a cause of its own: its name, that cause's, and by how many seconds.

    Both resolutions, and how sure the clocks' offsets are, are granted.

    Args:
        told: By milestone, as for `stages`.
        several_nodes: Whether the job had more than one, so that its script may run before the others are up.
        apart_s: Granted besides between the scheduler's clock and any other one.
    """
    for name, effect in told.items():
        for cause_name in known_causes(name, told, several_nodes):
            cause = told[cause_name]
            if effect is None or cause is None:
                continue
            granted = effect.resolution_s + effect.within_s + cause.within_s
            if (name in BY_SCHEDULER) != (cause_name in BY_SCHEDULER):
                granted += apart_s
            if effect.at + granted < cause.at:
                yield name, cause_name, cause.at - effect.at


def known_causes(name: str, told: Mapping[str, Told | None], several_nodes: bool) -> set[str]:
    """The causes of a milestone that have an instant; those of a cause in the place of one that has none."""
    found = set()
    for cause in MILESTONES[name].causes:
        skipped = several_nodes and (name, cause) == ("script_started", "node_booted")
        if told.get(cause) is not None and not skipped:
            found.add(cause)
        else:
            found |= known_causes(cause, told, several_nodes)
    return found

"""How a scheduler is set, each setting a dimension of its own; and the few of them that a person is told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from perfdb.record import Scalar

SETTINGS = "scheduler_settings"
PREFIX = f"{SETTINGS}."
# What people ask for first, of Slurm and of a pocket cluster.
FIRST = ("SchedulerType", "SelectType", "PriorityType", "PreemptMode", "boot_s", "partition.TotalNodes")


def in_order(names: Iterable[str]) -> list[str]:
    """What people ask for first, then the rest by name."""
    place = {name: number for number, name in enumerate(FIRST)}
    return sorted(names, key=lambda name: (place.get(name, len(place)), name))


def telling(settings: Sequence[Mapping[str, Scalar]]) -> list[str]:
    """As few settings as tell all of these from one another, for most come in company: a cloud's with a cloud's.

    A setting that one lacks is unlike any value.
    """
    names: list[str] = []
    apart = 1
    for name in in_order({name for each in settings for name in each}):
        more = len({tuple(each.get(known) for known in (*names, name)) for each in settings})
        if more > apart:
            names, apart = [*names, name], more
    return names

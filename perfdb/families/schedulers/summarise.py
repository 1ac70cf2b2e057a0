"""The metrics that samples imply: everything a record of this family states follows from them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from perfdb.families.schedulers.arms import MOST_ARMS
from perfdb.families.schedulers.measures.figures import figures
from perfdb.families.schedulers.metrics import METRICS, OF_ARM, PAIRED, of_arm, of_difference
from perfdb.families.schedulers.outcome import ArmRun
from perfdb.families.schedulers.reading import read
from perfdb.record import Metric


def summarise(samples: Mapping[str, Sequence[Any]]) -> tuple[Metric, ...]:
    """All metrics, with a value for each iteration that has one, in their order.

    Raises:
        KeyError: a column is not there.
        ValueError: a row is none that a run could have.
    """
    return summary_of(read(samples))


def summary_of(runs: Sequence[ArmRun]) -> tuple[Metric, ...]:
    """The same of arms that were read already."""
    told: dict[int, dict[int, dict[str, float]]] = {}
    for run in sorted(runs, key=lambda run: run.iteration):
        told.setdefault(run.iteration, {})[run.arm] = figures(run)
    simulated = {run.arm for run in runs if run.is_simulated}
    return tuple(_metrics([*told.values()], simulated))


def _metrics(iterations: Sequence[Mapping[int, Mapping[str, float]]], simulated: Set[int]) -> Iterator[Metric]:
    for place in range(1, MOST_ARMS + 1):
        of_place = [arms.get(place, {}) for arms in iterations]
        for figure in OF_ARM:
            yield from _with_values(of_arm(place, figure, is_simulated=place in simulated), figure, of_place)
    for place in range(2, MOST_ARMS + 1):
        less = [_less(arms.get(place, {}), arms.get(1, {})) for arms in iterations]
        is_simulated = not simulated.isdisjoint({1, place})
        for figure in PAIRED:
            yield from _with_values(of_difference(place, figure, is_simulated=is_simulated), figure, less)


def _with_values(name: str, figure: str, told: Sequence[Mapping[str, float]]) -> Iterator[Metric]:
    values = tuple(found[figure] for found in told if figure in found)
    if values:
        definition = METRICS[name]
        yield Metric(name=name, unit=definition.unit, direction=definition.direction, values=values)


def _less(arm: Mapping[str, float], first: Mapping[str, float]) -> dict[str, float]:
    return {name: arm[name] - first[name] for name in PAIRED if name in arm and name in first}

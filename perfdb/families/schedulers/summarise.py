"""The metrics that samples imply: everything a record of this family states follows from them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from perfdb.families.schedulers.arms import MOST_ARMS
from perfdb.families.schedulers.measures.figures import figures
from perfdb.families.schedulers.metrics import METRICS, OF_ARM, PAIRED
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
    return tuple(_metrics([*told.values()]))


def _metrics(iterations: Sequence[Mapping[int, Mapping[str, float]]]) -> Iterator[Metric]:
    for place in range(1, MOST_ARMS + 1):
        of_arm = [arms.get(place, {}) for arms in iterations]
        yield from _with_values(f"arm{place}_", OF_ARM, of_arm)
    for place in range(2, MOST_ARMS + 1):
        yield from _with_values(
            f"arm{place}_less_arm1_", PAIRED, [_less(arms.get(place, {}), arms.get(1, {})) for arms in iterations]
        )


def _with_values(prefix: str, names: Iterable[str], told: Sequence[Mapping[str, float]]) -> Iterator[Metric]:
    for name in names:
        values = tuple(figures_of[name] for figures_of in told if name in figures_of)
        if values:
            definition = METRICS[prefix + name]
            yield Metric(name=prefix + name, unit=definition.unit, direction=definition.direction, values=values)


def _less(arm: Mapping[str, float], first: Mapping[str, float]) -> dict[str, float]:
    return {name: arm[name] - first[name] for name in PAIRED if name in arm and name in first}

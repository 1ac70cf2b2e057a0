"""The events of many rounds taken together: how long nodes took to come, and how sure that is. Pure.

Nodes of one round share their moment and are not independent; rounds are. So an interval of the mean is Student's, over
the means of the rounds, and an interval of the median, by order statistics, stands only where a round has one value, as
with the second node of each. Too few rounds have none: three are the fewest for a mean, six for a median.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal

from perfdb.compare.median import AIM, interval_of_median, median
from perfdb.families.autoscale.milestones import MILESTONES
from perfdb.families.autoscale.rounds.stages import stages as stages_of
from perfdb.families.quantile import quantile, supported
from perfdb.record.model import Frozen

Kind = Literal["cold", "warm"]
KINDS: tuple[Kind, ...] = ("cold", "warm")
COLUMNS = ("round", "kind", "block", "node", "ordinal", "quantity", "value_s")
ACQUISITION = "first_task_started"
SEED = "seed_acquisition"
_FEWEST_FOR_A_MEAN = 3
MEAN_METHOD = "95 % of the mean: Student's t over the rounds' means, from 3 rounds on, cut at 0, for no wait is shorter"
MEDIAN_METHOD = "at least 95 % of the median: order statistics, where a round has one value, from 6 rounds on"


@dataclass(frozen=True)
class Event:
    """One node of one round.

    Attributes:
        round: Unlike every other round's of its kind.
        ordinal: Of how many nodes of its round it was the last to come, from 1; 0 for a block that never came up.
        known: By quantity, in seconds since the round's first task was handed over; None for a milestone that had nothing
            to wait for.
    """

    kind: Kind
    round: tuple[str, int]
    ordinal: int
    known: Mapping[str, float | None]


def events_of(columns: Mapping[str, Sequence[Any]], record: str) -> tuple[Event, ...]:
    """The events that a record's samples tell of.

    Args:
        columns: Of the samples; a row that cannot be is passed over.
        record: Its id, which tells its rounds from others'.
    """
    known: dict[tuple[Kind, int, str, str, int], dict[str, float | None]] = {}
    for kind, number, block, node, ordinal, quantity, value in _rows(columns):
        known.setdefault((kind, number, block, node, ordinal), {})[quantity] = value
    return tuple(
        Event(kind, (record, number), ordinal, found) for (kind, number, _, _, ordinal), found in known.items()
    )


def _rows(columns: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Kind, int, str, str, int, str, float | None]]:
    wanted = [columns.get(name, ()) for name in COLUMNS]
    if len(set(map(len, wanted))) > 1:
        return
    for number, kind, block, node, ordinal, quantity, value in zip(*wanted, strict=True):
        if (
            kind in KINDS
            and type(number) is int
            and type(ordinal) is int
            and ordinal >= 0
            and isinstance(quantity, str)
            and (value is None or (isinstance(value, float) and math.isfinite(value)))
        ):
            yield kind, number, str(block), str(node), ordinal, quantity, value


def ready_by_round(events: Sequence[Event], kind: Kind) -> tuple[tuple[float, ...], ...]:
    """For each round of a kind, when its nodes ran their first task, in seconds, earliest first."""
    return tuple(tuple(sorted(values)) for values in _by_round(events, kind, ACQUISITION))


class Summary(Frozen):
    """Some events' times, in seconds.

    Attributes:
        what: Which events, or which stage.
        n: Values.
        rounds: Rounds that they are of.
        mean: Of the rounds' means, which is the events' mean where all rounds have as many.
        p95: Of 20 values or more.
        mean_interval: See the module.
        median_interval: See the module.
    """

    what: str
    n: int
    rounds: int
    min: float
    mean: float
    median: float
    p95: float | None
    max: float
    mean_interval: tuple[float, float] | None
    median_interval: tuple[float, float] | None


class Batch(Frozen):
    """What the rounds of one kind took.

    Attributes:
        acquisition: From the round's first submission to the first task's start: of all nodes, then by ordinal.
        seed: The same by completions: from a task's own submission until its result was gathered, for the first task of
            each node.
        stages: Each stage, in the order of the chain, of all nodes.
    """

    kind: Kind
    rounds: int
    acquisition: tuple[Summary, ...]
    seed: tuple[Summary, ...]
    stages: tuple[Summary, ...]


def batch_of(events: Sequence[Event], kind: Kind) -> Batch | None:
    """The rounds of one kind taken together; None where there is none."""
    mine = [event for event in events if event.kind == kind]
    if not mine:
        return None
    # As in a record's own metrics: a stage holds what came before it and nobody told, so only what is told of all is alike.
    told_of_all = [m for m in MILESTONES if all(m in event.known for event in mine if event.ordinal)]
    stages = [Event(event.kind, event.round, event.ordinal, _stages(event, told_of_all)) for event in mine]
    told = (summary(name, _by_round(stages, kind, name)) for name in MILESTONES)
    return Batch(
        kind=kind,
        rounds=len({event.round for event in mine}),
        acquisition=tuple(_all_and_each(mine, kind, ACQUISITION)),
        seed=tuple(_all_and_each(mine, kind, SEED)),
        stages=tuple(found for found in told if found),
    )


def _stages(event: Event, told: Sequence[str]) -> dict[str, float | None]:
    return dict(stages_of({name: event.known[name] for name in told if name in event.known}))


def _all_and_each(events: Sequence[Event], kind: Kind, quantity: str) -> Iterator[Summary]:
    ordinals = sorted({event.ordinal for event in events if event.ordinal})
    several = summary("all nodes", _by_round(events, kind, quantity)) if len(ordinals) > 1 else None
    if several:
        yield several
    for ordinal in ordinals:
        mine = [event for event in events if event.ordinal == ordinal]
        if found := summary(f"node {ordinal}", _by_round(mine, kind, quantity)):
            yield found


def _by_round(events: Sequence[Event], kind: Kind, quantity: str) -> list[list[float]]:
    """The values of a quantity, a list a round; of nodes that came, and without rounds that lack it."""
    found: dict[tuple[str, int], list[float]] = {}
    for event in events:
        value = event.known.get(quantity)
        if event.kind == kind and event.ordinal and value is not None:
            found.setdefault(event.round, []).append(value)
    return list(found.values())


def summary(what: str, rounds: Sequence[Sequence[float]]) -> Summary | None:
    """What rounds' values come to; None where there is none.

    Args:
        rounds: The values of each, at least one.
    """
    values = sorted(value for values in rounds for value in values)
    if not values:
        return None
    means = [fmean(values) for values in rounds]
    alone = all(len(values) == 1 for values in rounds)
    return Summary(
        what=what,
        n=len(values),
        rounds=len(rounds),
        min=values[0],
        mean=fmean(means),
        median=median(values),
        p95=quantile(values, 0.95) if supported(len(values), 0.95) else None,
        max=values[-1],
        mean_interval=interval_of_mean(means),
        median_interval=_interval_of_median(values) if alone else None,
    )


def interval_of_mean(values: Sequence[float]) -> tuple[float, float] | None:
    """Student's 95 % interval of the mean of independent values that are near a bell curve; None for fewer than three.

    Of values none of which is below 0, as waits are, it does not go below 0 either.

    Source: Student, Biometrika 6 (1908).
    """
    if len(values) < _FEWEST_FOR_A_MEAN:
        return None
    from scipy.special import stdtrit

    middle, count = fmean(values), len(values)
    half = float(stdtrit(count - 1, (1 + AIM) / 2)) * stdev(values) / math.sqrt(count)
    low = middle - half
    return (max(0.0, low) if min(values) >= 0 else low), middle + half


def _interval_of_median(values: Sequence[float]) -> tuple[float, float] | None:
    found = interval_of_median(values)
    return (found.low, found.high) if found and found.confidence >= AIM else None

"""The metrics that samples imply: everything a record of this family states follows from them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from perfdb.families.autoscale.metrics import METRICS, ORDINALS, PREFIXES
from perfdb.families.autoscale.milestones import MILESTONES
from perfdb.families.autoscale.rounds.stages import stages
from perfdb.families.autoscale.samples import COLUMNS
from perfdb.families.quantile import quantile, supported
from perfdb.record import Metric

# One node's values by quantity, the rest of it by ordinal, block and node.
Values = Mapping[str, float | None]
Nodes = Mapping[tuple[int, str, str], Values]

# What no run exceeds, for samples come from strangers. Clocks that are wrong make times before 0, and are kept.
MOST_ROUNDS, MOST_NODES, LONGEST_S, LONGEST_SOURCE = 1000, 100_000_000, 1e11, 300


def summarise(samples: Mapping[str, Sequence[Any]]) -> tuple[Metric, ...]:
    """All metrics. A round that lacks one is left out of it; a mean is one over the nodes that have it.

    Raises:
        KeyError: a column is not there.
        ValueError: columns differ in length, or a number is none.
    """
    if not samples:
        return ()
    rounds = read_rounds(samples)
    return tuple(
        metric
        for kind, prefix in PREFIXES.items()
        for metric in _of_kind(prefix, [rounds[kind, n] for k, n in sorted(rounds) if k == kind])
    )


def read_rounds(
    samples: Mapping[str, Sequence[Any]],
) -> dict[tuple[str, int], dict[tuple[int, str, str], dict[str, float | None]]]:
    """What the samples say, by kind and number of the round, then by ordinal, block and node, then by quantity.

    Raises:
        ValueError: a row is none that a run could have.
    """
    rounds: dict[tuple[str, int], dict[tuple[int, str, str], dict[str, float | None]]] = {}
    for number, kind, block, node, ordinal, quantity, value, resolution, source in zip(
        *(samples[c] for c in COLUMNS), strict=True
    ):
        if not (1 <= number <= MOST_ROUNDS and 0 <= ordinal <= MOST_NODES and kind in PREFIXES):
            raise ValueError(f"there is no {kind} round {number} with a node {ordinal}")
        if not 0 <= resolution <= LONGEST_S or (value is not None and not abs(value) <= LONGEST_S):
            raise ValueError(f"{quantity} is no time: {value} within {resolution} s")
        if not (source.isprintable() and len(source) <= LONGEST_SOURCE):
            raise ValueError("a source is no line of text")
        rounds.setdefault((kind, number), {}).setdefault((ordinal, block, node), {})[quantity] = value
    return rounds


def _of_kind(prefix: str, rounds: Sequence[Nodes]) -> Iterator[Metric]:
    def metric(name: str, values: Sequence[float | None]) -> Iterator[Metric]:
        there = tuple(value for value in values if value is not None)
        definition = METRICS[prefix + name]
        if there:
            yield Metric(name=prefix + name, unit=definition.unit, direction=definition.direction, values=there)

    acquired = [[node for (ordinal, _, _), node in nodes.items() if ordinal > 0] for nodes in rounds]
    yield from metric(
        "acquisition_s", [_mean([node.get("first_task_started") for node in nodes]) for nodes in acquired]
    )
    for n in ORDINALS:
        own = [next((node for (o, _, _), node in nodes.items() if o == n), {}) for nodes in rounds]
        yield from metric(f"node_{n}_acquisition_s", [node.get("first_task_started") for node in own])
    yield from _over_all(
        prefix, [s for nodes in acquired for node in nodes if (s := node.get("first_task_started")) is not None]
    )
    yield from metric(
        "seed_acquisition_s", [_mean_of_all([node.get("seed_acquisition") for node in nodes]) for nodes in acquired]
    )
    # A stage holds what came before it and nobody told, so that only those told of every node mean the same for each.
    told = [m for m in MILESTONES if all(m in node for nodes in acquired for node in nodes)]
    taken = [[stages({m: node[m] for m in told}) for node in nodes] for nodes in acquired]
    for milestone in list(MILESTONES)[1:]:
        yield from metric(f"stage_{milestone}_s", [_mean([node.get(milestone) for node in nodes]) for nodes in taken])
    yield from metric("acquired_nodes", [float(len(nodes)) for nodes in acquired])
    yield from metric("censored_blocks", [float(sum(ordinal == 0 for ordinal, _, _ in nodes)) for nodes in rounds])
    yield from metric("idle_to_cancel_s", [_mean(list(_idle(nodes))) for nodes in rounds])
    yield from metric("cancel_to_release_s", [_mean(list(_release(nodes))) for nodes in rounds])
    allocated = [_sum(nodes.values(), "allocated") for nodes in rounds]
    used = [_sum(nodes, "used") for nodes in acquired]
    yield from metric("node_s_allocated", allocated)
    yield from metric("node_s_used", used)
    yield from metric(
        "node_use_share", [u / a if u is not None and a else None for u, a in zip(used, allocated, strict=True)]
    )


def _over_all(prefix: str, values: Sequence[float]) -> Iterator[Metric]:
    if not values:
        return
    told = {"min": min(values), "mean": fmean(values), "median": quantile(values, 0.5), "max": max(values)}
    if supported(len(values), 0.95):
        told["p95"] = quantile(values, 0.95)
    for statistic, value in told.items():
        name = f"{prefix}acquisition_{statistic}_s"
        yield Metric(name=name, unit=METRICS[name].unit, direction=METRICS[name].direction, value=value)


def _blocks(nodes: Nodes) -> dict[str, list[Values]]:
    """The nodes of each block that ran a task, together."""
    found: dict[str, list[Values]] = {}
    for (ordinal, block, _), node in nodes.items():
        if ordinal > 0:
            found.setdefault(block, []).append(node)
    return found


def _idle(nodes: Nodes) -> Iterator[float]:
    for block in _blocks(nodes).values():
        cancelled = block[0].get("cancel_called")
        ended = [at for node in block if (at := node.get("last_task_ended")) is not None]
        if cancelled is not None and ended:
            yield max(0.0, cancelled - max(ended))


def _release(nodes: Nodes) -> Iterator[float]:
    for block in _blocks(nodes).values():
        cancelled = block[0].get("cancel_called")
        released = block[0].get("job_ended", block[0].get("cancel_returned"))
        if cancelled is not None and released is not None:
            yield max(0.0, released - cancelled)


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return fmean(there) if there else None


def _mean_of_all(values: Sequence[float | None]) -> float | None:
    """None where one does not tell: those that do may be another kind of node."""
    return None if None in values else _mean(values)


def _sum(nodes: Iterable[Values], quantity: str) -> float | None:
    """Over all of them; None where one does not tell."""
    values = [node.get(quantity) for node in nodes]
    there = [value for value in values if value is not None]
    return math.fsum(there) if there and len(there) == len(values) else None

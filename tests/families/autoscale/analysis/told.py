"""Samples of an autoscale record, column by column, from what is said of each node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

NAMES = ("round", "kind", "block", "node", "ordinal", "quantity", "value_s", "resolution_s", "source")
# By (kind, round), each node's quantities.
Rounds = Mapping[tuple[str, int], Sequence[Mapping[str, float | None]]]


def columns_of(rounds: Rounds, never_came: int = 0) -> dict[str, list[object]]:
    """The columns; nodes of a round are counted from 1, and blocks that never came stand in its first round."""
    columns: dict[str, list[object]] = {name: [] for name in NAMES}
    first = next(iter(rounds))
    for (kind, number), nodes in rounds.items():
        censored = [{"task_submitted": 0.0, "job_pending": 0.5}] * never_came if (kind, number) == first else []
        for place, known in enumerate([*nodes, *censored], 1):
            ordinal = place if place <= len(nodes) else 0
            for quantity, value in known.items():
                row = (number, kind, f"{place - 1}", f"{place:012x}", ordinal, quantity, value, 0.001, "a test")
                for name, cell in zip(NAMES, row, strict=True):
                    columns[name].append(cell)
    return columns


def started(*at_s: float) -> list[dict[str, float | None]]:
    """Nodes of which no more is known than when their first task started."""
    return [{"task_submitted": 0.0, "first_task_started": at} for at in at_s]

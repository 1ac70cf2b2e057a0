"""What a metric's number is, beside the number."""

from __future__ import annotations

from dataclasses import dataclass

from perfdb.record.model import Direction


@dataclass(frozen=True)
class MetricDefinition:
    """For people who must decide whether to trust a number.

    Attributes:
        unit: As in the record.
        direction: Which way is better.
        definition: What was counted or timed, from when to when, by whose clock.
        least: No value below this is possible.
        most: No value above this is plausible.
    """

    unit: str
    direction: Direction
    definition: str
    least: float = 0.0
    most: float = 1e12

"""Values side by side, as data of a chart: distributions, boxes, differences, and what a whole is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Curve:
    """Samples of one quantity, in any order, and how many more there are of which no more is known than that they are larger."""

    label: str
    values: tuple[float, ...]
    larger: int = 0


@dataclass(frozen=True)
class Curves:
    """Distributions of one quantity. `of`: what one of the samples is."""

    quantity: str
    unit: str
    curves: tuple[Curve, ...]
    remarks: tuple[str, ...] = ()
    of: str = "sample"


@dataclass(frozen=True)
class Box:
    """The values of one series in one group, and of those that nobody saw whole, how large each had become by then."""

    group: str
    series: str
    values: tuple[float, ...]
    at_least: tuple[float, ...] = ()


@dataclass(frozen=True)
class Boxes:
    """Distributions of one quantity by two things, which are called `group` and `series`."""

    group: str
    series: str
    quantity: str
    unit: str
    boxes: tuple[Box, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Differences:
    """How much one thing differs from another, pair by pair: a row of values for each, which may lie on either side of zero."""

    quantity: str
    unit: str
    rows: tuple[tuple[str, tuple[float, ...]], ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Staircases:
    """As a StagesChart: for each group its stages in order, each with its values. `quantity`: what the stages add up to."""

    unit: str
    groups: tuple[tuple[str, tuple[tuple[str, tuple[float, ...]], ...]], ...]
    remarks: tuple[str, ...] = ()
    quantity: str = ""

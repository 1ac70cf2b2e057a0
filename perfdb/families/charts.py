"""What a chart of a family shows: described here, drawn by whoever has the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SamplesChart:
    """The distribution of one column of a record's samples.

    Attributes:
        name: Of the file, and on the command line; unlike every other one of the family.
        title: For people.
        shows: What it shows, a sentence.
        column: The samples' column.
        unit: Of that column.
        by: The column of words by which the samples fall into curves; "" for one curve.
        labels: What those words mean.
        only: Whether samples of other words are left out.
        where: The words that other columns must hold, by column.
        quantity: What the numbers are, in a word or two; "" where the column's name says it.
    """

    name: str
    title: str
    shows: str
    column: str
    unit: str
    by: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    only: bool = False
    where: Mapping[str, str] = field(default_factory=dict)
    quantity: str = ""


@dataclass(frozen=True)
class RepetitionsChart:
    """Every repetition's value of metrics of one unit, a row for each metric. `name`, `title`, `shows` as above."""

    name: str
    title: str
    shows: str
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class IterationsChart:
    """A metric of a run's iterations, in order, a line for each repetition. `name`, `title`, `shows` as above."""

    name: str
    title: str
    shows: str
    metric: str


@dataclass(frozen=True)
class ScalingChart:
    """A metric of many records against each of these parameters that differs among them. Else as above."""

    name: str
    title: str
    shows: str
    metric: str
    over: tuple[str, ...]


@dataclass(frozen=True)
class StagesChart:
    """What a whole is made of, stage after stage, each from where the last one ended: one staircase for each group.

    Attributes:
        stages: What each stage is called, by the stem of its metric, in order; all of one unit.
        groups: What a group's metrics begin with before that stem, by the group's name.
    """

    name: str
    title: str
    shows: str
    stages: Mapping[str, str]
    groups: Mapping[str, str]


ChartDescription = SamplesChart | RepetitionsChart | IterationsChart | ScalingChart | StagesChart

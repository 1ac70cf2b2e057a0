"""What a chart of a family shows: described here, drawn by whoever has the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from perfdb.families.gantt import Gantt
from perfdb.families.spreads import Boxes, Curves, Differences, Staircases
from perfdb.record import Record


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


@dataclass(frozen=True)
class Dot:
    """A place on a line: `y` with the least and the greatest that it stands for, and what else is to be told of it."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    told: str = ""


@dataclass(frozen=True)
class Line:
    """Dots in order of `x`: what was measured; or, where `rule` says what it is, a limit or a law for the line of that label."""

    label: str
    dots: tuple[Dot, ...]
    rule: str = ""

    @property
    def name(self) -> str:
        """Unlike every other line's."""
        return f"{self.label}, {self.rule}" if self.rule else self.label


@dataclass(frozen=True)
class Lines:
    """Numbers against a number.

    Attributes:
        x: What stands along the axis, with its unit if it has one.
        y: What the numbers are, in a word or two.
        unit: Theirs.
        log_x: Whether the axis along is logarithmic, where all of it is above zero.
        remarks: Sentences that the lines need.
    """

    x: str
    y: str
    unit: str
    lines: tuple[Line, ...]
    log_x: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Square:
    """One place of a grid: the words in it, and how deep its colour is, 0 to 1. Only places that were tried have one."""

    row: str
    column: str
    depth: float
    told: str
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """Numbers by two things; `rows` and `columns` are in order, and called what `down` and `across` say."""

    down: str
    across: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    squares: tuple[Square, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bars:
    """A number for each of several things, and the one that all would have if they had the same.

    Attributes:
        of: What the things are.
        quantity: What the numbers are, in a word or two; whole ones.
        even: The number for comparison.
    """

    of: str
    quantity: str
    bars: tuple[tuple[str, int], ...]
    even: float
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """One of several things that share something.

    Attributes:
        short: What stands on it, three signs or so.
        steps: (when, how much it has from then on), in order.
        arrived: When it came, where anybody knows.
    """

    label: str
    short: str
    kind: str
    steps: tuple[tuple[float, int], ...]
    arrived: float | None = None


@dataclass(frozen=True)
class Stack:
    """Who has how much of something over time, one upon the other, and when each came.

    Attributes:
        quantity: What is shared, in a word or two; whole ones.
        most: How much of it there is.
        layers: The lowest one first; times are in seconds.
    """

    quantity: str
    most: int
    layers: tuple[Layer, ...]
    remarks: tuple[str, ...] = ()


PictureData = Lines | Grid | Bars | Stack | Gantt | Curves | Boxes | Differences | Staircases


@dataclass(frozen=True)
class Picture:
    """What a family has made for a chart. `name`, `title`, `shows` as above."""

    name: str
    title: str
    shows: str
    data: PictureData


@dataclass(frozen=True)
class Pictures:
    """Charts whose numbers and number follow from a record and its samples, which may be anybody's.

    Attributes:
        make: Pure: the charts from the record and its samples' columns; none from what is no such record's.
    """

    make: Callable[[Record, Mapping[str, Sequence[object]]], Iterable[Picture]]


@dataclass(frozen=True)
class PicturesOfMany:
    """Charts of several records together.

    Attributes:
        make: Pure: the charts from records, oldest first, each with its samples' columns.
    """

    make: Callable[[Sequence[tuple[Record, Mapping[str, Sequence[object]]]]], Iterable[Picture]]


ChartDescription = (
    SamplesChart | RepetitionsChart | IterationsChart | ScalingChart | StagesChart | Pictures | PicturesOfMany
)

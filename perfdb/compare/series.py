"""One metric along versions or dates: frozen models that a table, a chart, a page and a JSON document are made from. No I/O."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from perfdb.compare.changes import Change
from perfdb.compare.sample import interleaved
from perfdb.record.model import Direction, Finite, Frozen, Instant, Scalar, ShortHash, Uuid

By = Literal["version", "date"]
# Why a record is in no point of a series by version.
NO_VERSION = "no version"
Index = Annotated[int, Field(ge=0)]


class Point(Frozen):
    """One place of a series: by version all records of that version, by date one record.

    Attributes:
        value: The median over `medians`.
        medians: Each record's median, in the order of `records`.
        repetitions: Every repetition's value of those records.
        version: Of what was measured, such as Parsl's; None where the record says none.
        source: The commit or address, where that was no release.
        first_at, last_at: When the first and the last of the records began.
        sitting: The one sitting in which all of them were measured, if there is one.
        turns: The places that their children had in the order of that sitting.
    """

    value: Finite
    medians: tuple[Finite, ...]
    repetitions: tuple[Finite, ...]
    records: Annotated[tuple[ShortHash, ...], Field(min_length=1)]
    version: str | None = None
    source: str | None = None
    first_at: Instant
    last_at: Instant
    sitting: Uuid | None = None
    turns: tuple[int, ...] = ()

    @property
    def low(self) -> float:
        """The smallest value of any repetition."""
        return min(self.repetitions)

    @property
    def high(self) -> float:
        """The largest value of any repetition."""
        return max(self.repetitions)

    def took_turns_with(self, other: Point) -> bool:
        """Whether both were measured in turns, so that whatever came and went there came to both."""
        return self.is_of_a_sitting_with(other) and interleaved(self.turns, other.turns)

    def is_of_a_sitting_with(self, other: Point) -> bool:
        """Whether both were measured in one sitting, in turns or not."""
        return self.sitting is not None and self.sitting == other.sitting


class LeftOut(Frozen):
    """A record of the same circumstances that does not count, and why: its status, `withdrawn`, `no version`, ….

    `before` is the index of the point that it would stand before, and the number of points if after all of them.
    """

    record: ShortHash
    why: str
    reason: str | None = None
    version: str | None = None
    started_at: Instant
    value: Finite | None = None
    before: Index


class Mark(Frozen):
    """An annotation on a series: `at` is the index of the first point that holds one of its records."""

    at: Index
    uuid: Uuid
    note: str
    resets_baseline: bool


class Series(Frozen):
    """One metric under like circumstances, in order.

    Attributes:
        circumstances: What all its records share: family, experiment, machine, config, and of spec and overrides what
            tells this series from the others of the history.
        stretches: The index of each stretch's first point, 0 first: a new baseline begins a new one. Changes are searched
            within them, and no ratio is made across.
        changes: In order; `at` is an index of `points`.
        remarks: What makes the series weaker than it looks, a sentence each.
    """

    circumstances: dict[str, Scalar]
    unit: str
    direction: Direction
    points: tuple[Point, ...]
    stretches: tuple[Index, ...] = (0,)
    changes: tuple[Change, ...] = ()
    marks: tuple[Mark, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[str, ...] = ()


class History(Frozen):
    """One metric's series, each by version or by date; those with the newest points first."""

    metric: str
    by: By
    series: tuple[Series, ...]

"""What a comparison found: frozen models that a table, a chart, a page and a JSON document are made from. No I/O."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from perfdb.record.model import Direction, Finite, Frozen, Scalar, ShortHash

Verdict = Literal["better", "worse", "equivalent", "undecided", "too few"]
Unit = Literal["repetition", "record"]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Interval(Frozen):
    """A ratio, the other side over the baseline, with its confidence interval.

    `confidence` is what the interval was made for, such as 0.95; `method` names how, for people.
    """

    ratio: Finite
    low: Finite
    high: Finite
    confidence: Share
    method: str


class Values(Frozen):
    """One side's values of one metric, one for each unit of analysis, in the order of time."""

    values: tuple[Finite, ...]
    median: Finite
    records: tuple[ShortHash, ...]

    @property
    def n(self) -> int:
        """Units of analysis."""
        return len(self.values)


class MetricComparison(Frozen):
    """One metric of one case: baseline against other.

    `verdict` is about the other side, in the metric's own direction; a metric without one is never better or worse.
    `p` is Mann-Whitney's, two-sided; `p_adjusted` is corrected for all metrics tested together. `cliffs_delta` lies
    between -1 and 1 and is positive where the other side's values are mostly the larger ones. `ratio` is the interval's;
    where there is none, that of the medians, if both are above zero: it says how it looks, not how sure that is.
    """

    metric: str
    unit: str
    direction: Direction
    unit_of_analysis: Unit
    baseline: Values
    other: Values
    ratio: Finite | None = None
    interval: Interval | None = None
    p: Share | None = None
    p_adjusted: Share | None = None
    cliffs_delta: Annotated[float, Field(ge=-1, le=1)] | None = None
    verdict: Verdict


class Case(Frozen):
    """What is alike on both sides, such as machine and config, and its metrics. `other` is the side's place, from 1."""

    alike: dict[str, Scalar]
    other: Annotated[int, Field(ge=1)]
    metrics: tuple[MetricComparison, ...]


class Side(Frozen):
    """One side: what was asked for, the records that count, and those left out by status (`withdrawn` among them).

    `name` is a short one: the value of what is compared, where it tells the sides apart, else the label.
    """

    label: str
    name: str
    records: tuple[ShortHash, ...]
    left_out: dict[str, tuple[ShortHash, ...]] = Field(default_factory=dict)


class Difference(Frozen):
    """A dimension in which the sides differ: each side's values, as text, in the order of the sides."""

    dimension: str
    values: tuple[tuple[str, ...], ...]


class FailedCase(Frozen):
    """A case that the baseline has good runs of, and the other side only such as failed, ran out of time or are invalid.

    Attributes:
        alike: What the case is called by.
        other: The side's place, from 1.
        statuses: How many of its runs ended how.
    """

    alike: dict[str, Scalar]
    other: Annotated[int, Field(ge=1)]
    statuses: dict[str, int]


class Summary(Frozen):
    """One metric over all cases of a suite: the geometric mean of the ratios, and how many verdicts of each kind.

    `failed` counts the cases besides of which one side has nothing but runs that failed or are invalid.
    """

    metric: str
    other: Annotated[int, Field(ge=1)]
    ratio: Finite
    cases: Annotated[int, Field(ge=1)]
    verdicts: dict[str, int]
    failed: Annotated[int, Field(ge=0)] = 0


class Comparison(Frozen):
    """Two sides or more; the first is the baseline that each other one is compared with.

    Attributes:
        sides: In the order they were named.
        compared: The dimensions that are what is compared, such as `parsl_version`.
        came_along: What differs because of those, such as packages that a release brings; told, not refused.
        ignored: What differs besides and was allowed to.
        warnings: What makes the comparison weaker than it looks, a sentence each.
        cases: One for each set of circumstances that both sides have.
        unmatched: Circumstances that one side alone has, a sentence each.
        summaries: Where there are several cases.
        remedies: Commands that would make up for what is too few, ready to type.
        failed: Cases that the other side no longer runs.
        band: How far from 1 a ratio may be without mattering: 0.05 is from 1/1.05 to 1.05.
    """

    sides: Annotated[tuple[Side, ...], Field(min_length=2)]
    compared: tuple[str, ...]
    came_along: tuple[Difference, ...] = ()
    ignored: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()
    unmatched: tuple[str, ...] = ()
    summaries: tuple[Summary, ...] = ()
    remedies: tuple[str, ...] = ()
    failed: tuple[FailedCase, ...] = ()
    band: Finite = 0.05

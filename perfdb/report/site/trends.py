"""Each metric's series, where its newest value stands against what came before, and on which page it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from perfdb.compare.comparison import Interval, Verdict
from perfdb.compare.history import Past
from perfdb.compare.likeness import Likeness
from perfdb.compare.series import By, Point, Series
from perfdb.compare.statistics import false_discovery, mann_whitney_p, ratio_interval
from perfdb.compare.verdict import FEWEST_UNITS, verdict
from perfdb.report.site.contents import Contents
from perfdb.report.site.meanings import kind_of
from perfdb.report.site.text import slug

# A chart of more points is no clearer, only larger.
MOST_POINTS = 400


@dataclass(frozen=True)
class Standing:
    """The newest version's value against that of the version before it, under like circumstances.

    Attributes:
        baseline: The point before.
        unit_of_analysis: What was compared: repetitions of one sitting, else one value a record.
        counts: How many of those, before and now.
        interval: None where there are too few for one.
        unlike: The dimensions in which the runs differ besides, such as `python`: then there is no ratio and no verdict.
    """

    baseline: Point
    unit_of_analysis: str
    counts: tuple[int, int]
    ratio: float | None
    interval: Interval | None
    verdict: Verdict | Literal["unlike"]
    p: float | None = None
    unlike: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trend:
    """One series of one metric.

    Attributes:
        kind: Family, or kind of source.
        primary: Whether the metric is the one that comes first for that kind.
        by: How `series` is ordered: by date where no record names a version.
        dated: The same by date: a record each, the newest `MOST_POINTS` of them.
        page: Of the history that shows it, relative to the site.
        variant: What tells it from others of the same machine and config.
    """

    kind: str
    metric: str
    primary: bool
    series: Series
    by: By
    dated: Series
    machine: str
    config: str
    experiment: str
    page: str
    standing: Standing | None = None
    variant: str = ""

    @property
    def newest(self) -> Point:
        """The newest version's point."""
        return self.series.points[-1]

    @property
    def last_at(self) -> datetime:
        """When the newest of its records began."""
        return max(point.last_at for point in self.series.points)

    @property
    def record_count(self) -> int:
        """How many records count in it."""
        return sum(len(point.records) for point in self.series.points)

    @property
    def values(self) -> list[float]:
        """Each point's value, in order."""
        return [point.value for point in self.series.points]

    @property
    def anchor(self) -> str:
        """The place on its page."""
        return slug(f"{self.metric} {self.variant}".strip())


def history_page(experiment: str, machine: str, config: str) -> str:
    """Where the history of a config on a machine is shown."""
    return f"history/{slug(experiment)}--{slug(machine)}--{slug(config) if config else 'no-config'}.html"


def trends(contents: Contents) -> tuple[Trend, ...]:
    """Every series of every metric that stands for a record; those with the newest records first."""
    found = []
    annotations = {a.uuid: a for item in contents.items for a in item.remarks.annotations}
    likeness = Likeness({item.id: item.record for item in contents.items})
    for kind, items in contents.grouped(lambda item: kind_of(item.record)).items():
        past = Past(
            [item.record for item in items],
            [item.id for item in items if item.withdrawn],
            sorted(annotations.values(), key=lambda a: (a.at, a.uuid)),
        )
        names = dict.fromkeys(metric.name for item in items for metric in item.record.metrics)
        for place, name in enumerate(names):
            versions = {_key(series): series for series in past.of(name, "version").series}
            for dated in past.of(name, "date").series:
                if dated.points:
                    found.append(_trend(kind, name, place == 0, versions.get(_key(dated)), dated, likeness))
    found = _told_apart(found)
    found.sort(key=lambda t: (t.machine, t.config, t.kind, not t.primary, t.metric, t.variant))
    found.sort(key=lambda t: t.last_at, reverse=True)
    return tuple(_corrected(found))


def _told_apart(found: Sequence[Trend]) -> list[Trend]:
    """With what tells those apart that are of one machine and config, and no more."""
    values: dict[tuple[str, str], dict[str, set[str]]] = {}
    holders: Counter[tuple[str, str, str]] = Counter()
    counts = Counter((trend.page, trend.metric) for trend in found)
    for trend in found:
        seen = values.setdefault((trend.page, trend.metric), {})
        for name, value in trend.series.circumstances.items():
            seen.setdefault(name, set()).add(repr(value))
            holders[trend.page, trend.metric, name] += 1
    made = []
    for trend in found:
        seen, count = values[trend.page, trend.metric], counts[trend.page, trend.metric]
        told: dict[str, str] = {}
        for name, value in trend.series.circumstances.items():
            # What only some of them have tells them apart as well.
            if name.startswith("override.") or len(seen[name]) > 1 or holders[trend.page, trend.metric, name] < count:
                told.setdefault(name.split(".", 1)[-1] if "." in name else name, str(value))
        made.append(replace(trend, variant=", ".join(f"{name}={value}" for name, value in sorted(told.items()))))
    return made


def _trend(
    kind: str, metric: str, primary: bool, by_version: Series | None, dated: Series, likeness: Likeness
) -> Trend:
    around = dated.circumstances
    experiment, machine, config = (str(around.get(name) or "") for name in ("experiment", "machine", "config"))
    versions = by_version is not None and bool(by_version.points)
    series = by_version if by_version is not None and versions else newest_points(dated, MOST_POINTS)
    return Trend(
        kind,
        metric,
        primary,
        series,
        "version" if versions else "date",
        newest_points(dated, MOST_POINTS),
        machine,
        config,
        experiment,
        history_page(experiment, machine, config),
        _standing(series, likeness) if versions else None,
    )


def _key(series: Series) -> tuple[tuple[str, str], ...]:
    return (("unit", series.unit), *sorted((name, repr(value)) for name, value in series.circumstances.items()))


def _standing(series: Series, likeness: Likeness) -> Standing | None:
    """The last point against the one before, unless a new baseline begins with it."""
    if len(series.points) < 2 or (series.stretches and series.stretches[-1] == len(series.points) - 1):
        return None
    before, now = series.points[-2:]
    in_turns = before.took_turns_with(now)
    first, second = (p.repetitions if in_turns else p.medians for p in (before, now))
    unit, counts = "repetition" if in_turns else "record", (len(first), len(second))
    if unlike := likeness.differing(before.records, now.records):
        return Standing(before, unit, counts, None, None, "unlike", unlike=unlike)
    ratio = now.value / before.value if before.value > 0 and now.value > 0 else None
    few = min(len(first), len(second)) < FEWEST_UNITS
    interval = None if few else ratio_interval(first, second)
    return Standing(
        before,
        unit,
        counts,
        interval.ratio if interval else ratio,
        interval,
        "too few" if few else "undecided",
        None if few else mann_whitney_p(first, second),
    )


def _corrected(found: Sequence[Trend]) -> list[Trend]:
    """With verdicts, each p corrected for all that were tested together."""
    tested = [trend for trend in found if trend.standing is not None and trend.standing.p is not None]
    adjusted = false_discovery(
        [trend.standing.p for trend in tested if trend.standing and trend.standing.p is not None]
    )
    known = {id(trend): p for trend, p in zip(tested, adjusted, strict=True)}
    made = []
    for trend in found:
        standing = trend.standing
        if standing is not None and id(trend) in known:
            p = known[id(trend)]
            judged = verdict(standing.interval, p, trend.series.direction)
            made.append(replace(trend, standing=replace(standing, p=p, verdict=judged)))
        else:
            made.append(trend)
    return made


def newest_points(series: Series, most: int) -> Series:
    """The series' end, with what belongs to it."""
    gone = len(series.points) - most
    if gone <= 0:
        return series
    return series.model_copy(
        update={
            "points": series.points[gone:],
            "stretches": (0, *(at - gone for at in series.stretches if at > gone)),
            "changes": tuple(c.model_copy(update={"at": c.at - gone}) for c in series.changes if c.at > gone),
            "marks": tuple(m.model_copy(update={"at": m.at - gone}) for m in series.marks if m.at >= gone),
            "left_out": tuple(
                o.model_copy(update={"before": o.before - gone}) for o in series.left_out if o.before >= gone
            ),
        }
    )

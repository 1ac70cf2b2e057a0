"""Comparisons in full: the newest version against the one before, and the arms of a sitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perfdb.compare.between import compare
from perfdb.compare.comparison import Comparison
from perfdb.compare.sides import Chosen
from perfdb.errors import UsageError
from perfdb.families import FAMILIES
from perfdb.registry.importers.definitions import HEADLINES
from perfdb.report.charts import Spec, ratios
from perfdb.report.site.contents import Contents, Item
from perfdb.report.site.trends import Trend

# Newest first; of the others the table has the ratios, and `perfdb compare` all the rest.
MOST = 20
MOST_ARMS = 6
WIDE = 640


@dataclass(frozen=True)
class Compared:
    """One comparison, or why there is none.

    Attributes:
        refusal: What speaks against comparing these; "" where nothing does.
        spec: The ratios as a chart; None where none has an interval.
    """

    title: str
    comparison: Comparison | None
    refusal: str = ""
    spec: Spec | None = None


def of_releases(contents: Contents, found: Sequence[Trend]) -> list[Compared]:
    """The newest version against the one before it, for the newest machines and configs."""
    made = []
    for trend in [t for t in found if t.primary and t.standing is not None][:MOST]:
        before = trend.standing.baseline if trend.standing else trend.newest
        sides = [
            Chosen(
                point.version or "no version",
                [contents.by_id[record_id].record for record_id in point.records],
                ("parsl_version",),
            )
            for point in (before, trend.newest)
        ]
        variant = f" ({trend.variant})" if trend.variant else ""
        title = f"{trend.config or trend.experiment} on {trend.machine}{variant}: {sides[0].label} and {sides[1].label}"
        made.append(_compared(title, sides))
    return made


def of_sitting(items: Sequence[Item]) -> Compared | None:
    """The arms of a sitting, each against the first; None where there is only one."""
    arms: dict[str, list[Item]] = {}
    for item in items:
        arms.setdefault(_arm(item), []).append(item)
    if not 2 <= len(arms) <= MOST_ARMS or not all(any(item.counts for item in arm) for arm in arms.values()):
        return None
    versions = {item.version for item in items}
    named = ("parsl_version",) if len(versions) > 1 else ()
    sides = [
        Chosen(label, [i.record for i in arm], named, [i.id for i in arm if i.withdrawn]) for label, arm in arms.items()
    ]
    return _compared("Arm against arm", sides)


def _arm(item: Item) -> str:
    overrides = ", ".join(f"{name}={value}" for name, value in (item.record.overrides or {}).items())
    return " ".join(part for part in (item.config or item.record.experiment, item.version, overrides) if part)


def _compared(title: str, sides: Sequence[Chosen]) -> Compared:
    headlines = {**HEADLINES, **{family.name: family.headline for family in FAMILIES.values()}}
    try:
        comparison = compare(sides, headlines=headlines)
    except UsageError as error:
        return Compared(title, None, str(error))
    drawn = any(metric.interval for case in comparison.cases for metric in case.metrics)
    return Compared(title, comparison, "", ratios(comparison, width=WIDE) if drawn else None)

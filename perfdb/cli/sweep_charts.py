"""The pictures that a sweep ends with: the first headline metric against whatever number was varied, and over releases."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perfdb.cli.figure import scaling_places, title_of, unit_of, write
from perfdb.errors import PerfdbError

if TYPE_CHECKING:
    from perfdb.cli.terminal import Voice
    from perfdb.families import Family
    from perfdb.record import Record
    from perfdb.report.charts import Spec

# Two releases are a comparison; a history needs one more.
FEWEST_RELEASES = 3


def draw(records: Sequence[Record], family: Family, folder: Path, voice: Voice) -> None:
    """Write them into `folder`. A picture that cannot be drawn is told, and costs nothing else."""
    ok = [record for record in records if record.status == "ok"]
    metric = next((name for name in family.headline if any(record.metric(name) for record in ok)), None)
    if metric is None:
        return
    for name, spec in _specs(ok, metric):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write(spec, folder / f"{name}.svg", 1.0, voice)
        except (PerfdbError, OSError) as error:
            voice.warn(f"the chart {name} could not be drawn: {error}")


def _specs(records: Sequence[Record], metric: str) -> Iterator[tuple[str, Spec]]:
    from perfdb.report.charts import scaling

    unit = unit_of(metric, records)
    for x in _varied(records):
        places, notes = scaling_places(records, {}, metric, x, None)
        yield (
            f"{metric}-by-{x}",
            scaling(places, name=metric, unit=unit, param=x, title=title_of(None, metric, unit), notes=notes),
        )
    with contextlib.suppress(PerfdbError):
        yield from _over_releases(records, metric)


def _over_releases(records: Sequence[Record], metric: str) -> Iterator[tuple[str, Spec]]:
    from perfdb.compare.history import history as past
    from perfdb.report.charts import history

    found = past(records, metric, by="version")
    several = [series for series in found.series if len(series.points) >= FEWEST_RELEASES]
    for place, series in enumerate(several, 1):
        where = ", ".join(f"{name} {value}" for name, value in series.circumstances.items() if value is not None)
        notes = [f"{where}.", *series.remarks]
        name = f"{metric}-over-releases" + (f"-{place}" if len(several) > 1 else "")
        title = title_of(None, metric, series.unit)
        yield name, history(series, metric=metric, by=found.by, title=title, notes=notes)


def _varied(records: Sequence[Record]) -> list[str]:
    """Numbers that were varied; of several that always change together, the one that says most."""
    from perfdb.report.charts.places import number

    names = dict.fromkeys(name for r in records for name in (*(r.overrides or {}), *(f"spec.{key}" for key in r.spec)))
    seen: dict[tuple[float | None, ...], str] = {}
    for name in sorted(names, key=lambda n: ("max" not in n, n)):
        values = tuple(number(record, name) for record in records)
        if len({value for value in values if value is not None}) > 1:
            seen.setdefault(values, name)
    return list(seen.values())

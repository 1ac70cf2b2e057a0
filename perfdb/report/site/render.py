"""Templates to files."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfdb.record import Metric, Record
from perfdb.report.charts.scripts import script_json
from perfdb.report.site.meanings import definitions, kind_of
from perfdb.report.site.text import slug, visible
from perfdb.units import bytes_, counted, duration, quantity, significant

if TYPE_CHECKING:
    import jinja2

ROOM = Path(__file__).parents[1]
BETTER = {"higher": "higher is better", "lower": "lower is better", "none": "neither way is better"}


@functools.cache
def environment() -> jinja2.Environment:
    """Every template, compiled once; whatever a record says is escaped."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        quantity=quantity,
        duration=duration,
        bytes=bytes_,
        counted=counted,
        significant=significant,
        day=lambda instant: f"{instant.astimezone(UTC):%Y-%m-%d}",
        minute=lambda instant: f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        iso=lambda instant: f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        script_json=script_json,
        slug=slug,
        exact=exact,
        percent=percent,
        middle=statistics.median,
        tiny=lambda p: f"{p:.2g}",
        ratio=lambda value: f"{value:.3f}",
    )
    made.globals.update(
        better=BETTER,
        median_of=median_of,
        kind_of=kind_of,
        meaning=meaning,
        len=len,
        min=min,
        max=max,
        sparkline=sparkline,
    )
    return made


def exact(value: float, unit: str = "") -> str:
    """Every digit of a value, for who wants to compute with it."""
    text = str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
    return f"{text} {unit}" if unit not in ("", "1") else text


def percent(ratio: float) -> str:
    """A ratio as a change: `+4.2 %`."""
    return f"{(ratio - 1) * 100:+.1f} %"


def median_of(metric: Metric) -> float:
    """The median over its repetitions, in the metric's unit."""
    return statistics.median(metric.all_values)


def meaning(record: Record, metric: Metric) -> str:
    """A metric's definition, with its direction, for a tooltip."""
    known = definitions(kind_of(record)).get(metric.name)
    what = known.definition if known else "as its source names it"
    return f"{what}; {BETTER[metric.direction]}"


def sparkline(values: list[float], width: int = 96, height: int = 22) -> dict[str, Any] | None:
    """A line through values, in the coordinates of an SVG; None for fewer than two."""
    shown = values[-60:]
    if len(shown) < 2:
        return None
    low, high = min(shown), max(shown)
    span = (high - low) or math.inf
    step = (width - 4) / (len(shown) - 1)
    points = [
        (
            round(2 + i * step, 1),
            round(height - 3 - (value - low) / span * (height - 6), 1) if span < math.inf else height / 2,
        )
        for i, value in enumerate(shown)
    ]
    return {"points": " ".join(f"{x},{y}" for x, y in points), "last": points[-1], "width": width, "height": height}


class Writer:
    """Writes pages below one folder."""

    def __init__(self, folder: Path, common: Mapping[str, Any]) -> None:
        self.folder = folder
        self._common = dict(common)

    def page(self, path: str, template: str, **context: Any) -> None:
        """Render a template to `path`, relative to the site; `root` leads from there to the site's top."""
        root = "../" * path.count("/")
        text = environment().get_template(template).render({**self._common, **context}, root=root, path=path)
        self.file(path, text.encode("utf-8", errors="replace"))

    def file(self, path: str, data: bytes) -> None:
        """Write bytes to `path`, relative to the site."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def instant_text(instant: datetime | None) -> str:
    """As pages spell it."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if instant else "never"

"""A small picture for each machine and config, to put into a README."""

from __future__ import annotations

from collections.abc import Sequence

from perfdb.report.site.render import Writer
from perfdb.report.site.text import slug
from perfdb.report.site.trends import Trend
from perfdb.units import quantity

# White text on each has a contrast of at least 4.5 : 1.
COLOURS = {"better": "#0b6b48", "worse": "#a3201a", "equivalent": "#0a58a8"}
OTHERWISE = "#56606c"
_LETTER_PX = 6.6
_LONGEST = 48


def write_badges(found: Sequence[Trend], writer: Writer) -> None:
    """Every badge, and the page that lists them. Of several settings of one config, the newest has the badge."""
    made: dict[str, dict[str, object]] = {}
    for trend in found:
        name = f"{slug(trend.machine)}--{slug(trend.config or trend.experiment)}.svg"
        if not trend.primary or name in made:
            continue
        word = trend.standing.verdict if trend.standing else ""
        label = _cut(f"{trend.config or trend.experiment} on {trend.machine}")
        value = quantity(trend.newest.value, trend.series.unit)
        value += ", simulated" if trend.metric.startswith("simulated_") else ""
        value += f" · {word}" if word in COLOURS else ""
        sides = {"left": _width(label), "right": _width(value)}
        colour = COLOURS.get(word, OTHERWISE)
        writer.page(f"badges/{name}", "badge.svg", label=label, value=value, colour=colour, **sides)
        made[name] = {"file": name, "label": label, "value": value, "trend": trend}
    writer.page("badges/index.html", "badges.html", badges=list(made.values()))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _width(text: str) -> int:
    return round(len(text) * _LETTER_PX) + 12

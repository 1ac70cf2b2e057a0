"""Which unit, and which kind of axis, lets a reader see the numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perfdb.report.charts.spec import shortened

# A span from which a straight axis would press most values into a corner.
LOG_FROM = 30.0
_SECONDS = (("µs", 1e6, 1e-3), ("ms", 1e3, 1.0), ("s", 1.0, 600.0), ("min", 1 / 60, 7200.0))


@dataclass(frozen=True)
class Axis:
    """A quantity on an axis.

    Attributes:
        title: With the unit.
        factor: What to multiply values by, to have them in that unit.
        logarithmic: Or else linear, and then not always from zero.
    """

    title: str
    factor: float
    logarithmic: bool

    def scale(self, **more: object) -> dict[str, object]:
        """Vega-Lite's scale for it; one that starts at zero is no logarithmic one, and Vega-Lite says so aloud."""
        kind = {"type": "log", "nice": False} if self.logarithmic else {"type": "linear", "zero": False, "nice": True}
        return {**kind, **more}


def axis(name: str, unit: str, values: Sequence[float], *, log: bool | None = None) -> Axis:
    """The axis for a quantity.

    Args:
        name: What it is; words, with `_` for spaces. "" where the chart says it elsewhere.
        unit: The values'.
        log: Whether the axis is logarithmic; None lets the span decide. Values of 0 or less forbid it.
    """
    shown, factor = unit, 1.0
    if unit == "s" and values:
        # Most values should read as numbers from 1 to 1000.
        middle = sorted(values)[len(values) // 2]
        shown, factor = next(((u, f) for u, f, below in _SECONDS if abs(middle) < below), ("h", 1 / 3600))
    wide = bool(values) and min(values) > 0 and max(values) / min(values) >= LOG_FROM
    logged = (wide if log is None else log) and bool(values) and min(values) > 0
    words = shortened(named(name, unit), 80)
    shown = shortened(shown, 40)
    if not words:
        return Axis(shown, factor, logged)
    told = words if shown in ("", "1") or words.endswith(shown) else f"{words} ({shown})"
    return Axis(told, factor, logged)


def named(name: str, unit: str = "") -> str:
    """A metric's name as words: `task_latency_p50_s` in seconds is "task latency p50", `warm_tasks_per_s` "warm tasks/s"."""
    return (name.removesuffix("_s") if unit == "s" else name).replace("_per_s", "/s").replace("_", " ")

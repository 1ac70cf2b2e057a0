"""Quantities as a person reads them: the unit beside the number, three or four digits that mean something."""

from __future__ import annotations

import math


def quantity(value: float, unit: str) -> str:
    """`value` with its unit, rounded for reading; never used for storing."""
    if unit == "s":
        return duration(value)
    if unit == "bytes":
        return bytes_(value)
    text = significant(value)
    if text == "1" and unit.isalpha() and unit.endswith("s"):
        unit = unit.removesuffix("s")
    return text if unit in ("", "1") else f"{text} {unit}"


def counted(number: int, noun: str) -> str:
    """`1 record`, `2 records`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def significant(value: float, digits: int = 4) -> str:
    """`value` to so many significant digits, with thousands separators and no exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(seconds: float) -> str:
    """Seconds as µs, ms, s, or h:mm:ss once they pass two minutes."""
    size = abs(seconds)
    if 120 <= size < math.inf:
        hours, rest = divmod(round(size), 3600)
        minutes, secs = divmod(rest, 60)
        sign = "-" if seconds < 0 else ""
        return f"{sign}{hours}:{minutes:02}:{secs:02}" if hours else f"{sign}{minutes}:{secs:02} min"
    if size >= 1 or size == 0 or math.isnan(size):
        return f"{significant(seconds)} s"
    if size >= 1e-3:
        return f"{significant(seconds * 1e3)} ms"
    return f"{significant(seconds * 1e6)} µs"


def bytes_(count: float) -> str:
    """Bytes with a binary prefix."""
    for prefix in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1024:
            return f"{significant(count, 3)} {prefix}"
        count /= 1024
    return f"{significant(count, 3)} PiB"

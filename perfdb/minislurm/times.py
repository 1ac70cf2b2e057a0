"""Time limits as Slurm writes them."""

from __future__ import annotations

import re

from perfdb.errors import UsageError

# Longer than any job; in nanoseconds it still fits into 64 bits.
_MOST_S = 36_500 * 86_400
_PATTERNS = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"(?P<minutes>\d{1,9})(?::(?P<seconds>\d{1,9}))?",
        r"(?P<hours>\d{1,9}):(?P<minutes>\d{1,9}):(?P<seconds>\d{1,9})",
        r"(?P<days>\d{1,9})-(?P<hours>\d{1,9})(?::(?P<minutes>\d{1,9})(?::(?P<seconds>\d{1,9}))?)?",
    )
)
_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def limit_s(text: str) -> float:
    """Seconds in `text`: minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS.

    Raises:
        UsageError: it is no time, none at all, or more than 36,500 days.
    """
    found = next((match for pattern in _PATTERNS if (match := pattern.fullmatch(text.strip()))), None)
    if found is None:
        raise UsageError(
            f"--time {text!r} is no time. Type minutes, MM:SS, HH:MM:SS or D-HH:MM:SS, such as --time 90 or --time 1:30:00."
        )
    seconds = sum(int(number) * _SECONDS[unit] for unit, number in found.groupdict().items() if number)
    if seconds == 0:
        raise UsageError(f"--time {text} leaves a job no time. For a job without a limit, leave --time out.")
    if seconds > _MOST_S:
        raise UsageError(f"--time {text} is more than 36,500 days. For a job without a limit, leave --time out.")
    return float(seconds)


def slurm_time(seconds: float) -> str:
    """`seconds` as Slurm writes a limit: 1:30:00, 2-00:00:00."""
    minutes, secs = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}-{hours:02}:{minutes:02}:{secs:02}" if days else f"{hours}:{minutes:02}:{secs:02}"

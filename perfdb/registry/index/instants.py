"""When a person means: `2026-11`, `2026-11-21T08:30`, `-7d`. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from perfdb.registry.index.rows import microseconds

Span = tuple[int, int]
_DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)
_AGO = re.compile(r"-(\d{1,6})(min|h|d|w)", re.ASCII)
_UNITS = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_LAST = microseconds(datetime.max.replace(tzinfo=UTC)) + 1


def span_of(text: str, now: datetime) -> Span | None:
    """What a text means, in microseconds since 1970: from the first on, before the second; None if it means no instant.

    A year, a month or a day is as long as it is. An instant, or an age such as `-7d`, has no length: both are the same.
    Without a zone it is UTC.

    Args:
        now: What ages count from.
    """
    try:
        if date := _DATE.fullmatch(text):
            year, month, day = (int(part) if part else None for part in date.groups())
            start = datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
            return microseconds(start), _end(start, by_year=month is None, by_day=day is not None)
        if age := _AGO.fullmatch(text):
            instant = now - int(age[1]) * _UNITS[age[2]]
        else:
            instant = datetime.fromisoformat(text)
            instant = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return microseconds(instant), microseconds(instant)


def _end(start: datetime, *, by_year: bool, by_day: bool) -> int:
    try:
        if by_day:
            return microseconds(start + timedelta(days=1))
        following = start.month == 12 or by_year
        return microseconds(start.replace(year=start.year + following, month=1 if following else start.month + 1))
    except (ValueError, OverflowError):  # the year 9999 has no next one
        return _LAST

"""The indices of an array as people type them."""

from __future__ import annotations

import re

from perfdb.errors import UsageError

MOST_TASKS = 100_000
_HIGHEST = 2**31 - 1
_PART = re.compile(r"(\d{1,18})(?:-(\d{1,18})(?::(\d{1,18}))?)?", re.ASCII)


def array_indices(text: str) -> tuple[int, ...]:
    """The indices in `text`, ascending, each once: 0-9, 1-7:2, 0,2,5.

    Raises:
        UsageError: it names no indices, one above 2**31 - 1, or more than MOST_TASKS.
    """
    ranges = [_range(text, part.strip()) for part in text.split(",")]
    # Counted before they are made: 0-999999999 must not fill the memory.
    if sum(map(len, ranges)) > MOST_TASKS:
        raise UsageError(
            f"--array {_short(text)} has more than {MOST_TASKS:,} tasks. Submit it in parts, such as --array 0-{MOST_TASKS - 1}."
        )
    return tuple(sorted({index for part in ranges for index in part}))


def _range(text: str, part: str) -> range:
    found = _PART.fullmatch(part)
    if found is None:
        why = ": how many tasks run at a time is not limited here" if "%" in part else ""
        raise UsageError(
            f"--array {_short(text)!r} names no indices{why}. Type a range or a list, such as --array 0-9, 1-7:2 or 0,2,5."
        )
    first, last, step = int(found[1]), int(found[2] or found[1]), int(found[3] or 1)
    if last < first:
        raise UsageError(f"--array {_short(text)} goes from {first} down to {last}. Type --array {last}-{first}.")
    if step == 0:
        raise UsageError(
            f"--array {_short(text)} has steps of 0. Type steps of 1 or more, such as --array {first}-{last}:2."
        )
    if last > _HIGHEST:
        raise UsageError(
            f"--array {_short(text)} has an index above {_HIGHEST}. Type smaller ones, such as --array 0-9."
        )
    return range(first, last + 1, step)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."

"""Strangers' text in a pull request: it must draw no picture, link nowhere, mention nobody and close no issue. Pure."""

from __future__ import annotations

import re

LONGEST = 200
_ACTIVE = re.compile(r"[@#]|://|(?i:gh)-(?=\d)")


def code(text: object) -> str:
    """As a code span, the one place where a forge acts on nothing; fit for a table's cell."""
    return f"`{one_line(text).replace('`', chr(39)).replace('|', '¦')}`"


def one_line(text: object) -> str:
    """In one line of bounded length, with nothing in it that a terminal would act on."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split()) or "-"
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 1]}…"


def harmless(text: object) -> str:
    """For a commit message, where a forge acts on `@name`, `#1`, `GH-1` and addresses wherever they stand."""
    return _ACTIVE.sub(" ", one_line(text))

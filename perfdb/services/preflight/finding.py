"""What one check came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        about: What, in a word or two.
        state: `ok`, `failed`, or `skipped` where it does not apply.
        found: How it is.
        do: What to do about it; empty unless it failed.
    """

    about: str
    state: Literal["ok", "failed", "skipped"]
    found: str
    do: str = ""


def ok(about: str, found: str) -> Finding:
    """It is well."""
    return Finding(about, "ok", found)


def failed(about: str, found: str, do: str) -> Finding:
    """It is not; `do` mends it."""
    return Finding(about, "failed", found, do)


def skipped(about: str, why: str) -> Finding:
    """It does not apply."""
    return Finding(about, "skipped", why)

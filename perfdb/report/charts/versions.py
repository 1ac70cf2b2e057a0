"""How a version is spelled on a chart or in a sentence where commits of one version must be told apart. Pure."""

from __future__ import annotations

import re

from perfdb.report.charts.spec import shortened

# A commit, and the content of a folder with changes.
_SUM = re.compile(r"\b[0-9a-f]{12,40}\b")
# As git itself shortens a commit.
_DIGITS = 7


def spelled(version: str | None, source: str | None) -> str:
    """A version, and of one that is no plain release the commit, or what else is known of it, in brackets."""
    if version and source:
        return f"{shortened(version, 40)} ({_short(source)})"
    return shortened(version or "", 40) or (_short(source) if source else "no version")


def _short(source: str) -> str:
    return "+".join(known[:_DIGITS] for known in _SUM.findall(source)[:2]) or shortened(source, 24)

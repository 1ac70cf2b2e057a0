"""What a check finds: lines, each fit to be shown to anybody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from perfdb.redaction import Redactor
    from perfdb.settings import Settings

Status = Literal["ok", "note", "fix"]


@dataclass(frozen=True)
class Point:
    """One thing looked at.

    Attributes:
        name: What, in a word or three; no two lines have the same.
        status: `ok`; `note` where something optional is missing or should be known; `fix` where something that is wanted
            does not work.
        found: How it is.
        needed_for: The commands, or the kind of run, that need it.
        fix: What to type, or to do; "" where nothing is to be done.
    """

    name: str
    status: Status
    found: str
    needed_for: str
    fix: str = ""

    def masked(self, redactor: Redactor) -> Point:
        """The same without secrets, and without names of people and machines."""
        fix = self.fix
        for finding in redactor.find(fix):
            if finding.kind != "secret":  # it holds none, but `PASSWORD=…`, to be typed, looks like one
                fix = fix.replace(finding.matched, f"<{finding.kind}>")
        return replace(self, found=redactor.text(self.found), fix=fix)


def place(path: Path, settings: Settings) -> str:
    """A path as it may be shown: below the root by its relative path, below the home with a `~`."""
    if path.is_relative_to(settings.root):
        return str(path.relative_to(settings.root))
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)

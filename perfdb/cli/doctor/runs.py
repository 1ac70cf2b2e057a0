"""Runs that did not come to their end."""

from __future__ import annotations

import os
from collections.abc import Iterator

from perfdb.cli.doctor.here import Here
from perfdb.cli.doctor.point import Point, place
from perfdb.units import counted


def look(here: Here) -> Iterator[Point]:
    """Killed ones, interrupted ones that wait, other hosts' ones, and Parsl's logs that were kept."""
    from perfdb.registry import abandoned_journals
    from perfdb.registry.journal import all_journals, waits

    settings = here.settings
    journals = settings.state_path / "journal"
    if journals.is_dir() and not os.access(journals, os.R_OK | os.X_OK):
        shown = place(journals, settings)
        yield Point("killed runs", "fix", f"{shown} cannot be read", "perfdb sync", f"chmod u+rwx {shown}")
        return
    abandoned = abandoned_journals(settings.state_path)
    waiting = sum(waits(journal, settings.state_path) for journal in abandoned)
    killed = len(abandoned) - waiting
    yield _line("killed runs", killed, "not filed yet", "perfdb list: each becomes a record", "perfdb sync")
    yield _line(
        "interrupted runs",
        waiting,
        "of a sweep, bisection or run that goes on where it stopped",
        "perfdb sweep, bisect, run schedulers",
        "the same command again, or perfdb sweep --drop",
    )
    elsewhere = sum((owner := j.owner) is not None and not owner.is_here for j in all_journals(settings.state_path))
    if elsewhere:
        told = f"{counted(elsewhere, 'run')} of other hosts that share the state folder, under way or killed"
        yield Point("runs elsewhere", "note", told, "perfdb list", "perfdb sync, on those hosts")
    kept = sum(path.is_dir() for path in settings.work_path.glob("*"))
    fix = f"look into {place(settings.work_path, settings)}/, not redacted; delete what you need no more"
    yield _line("kept logs", kept, "with Parsl's own logs: it did not end well, or goes on", "finding out why", fix)


def _line(name: str, count: int, found: str, needed_for: str, fix: str) -> Point:
    if not count:
        return Point(name, "ok", "none", needed_for)
    return Point(name, "note", f"{counted(count, 'run')} {found}", needed_for, fix)

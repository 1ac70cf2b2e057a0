"""`perfdb doctor` as a command: which checks, and their lines on paper or as JSON."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from perfdb.cli.doctor.point import Point

_MARKS = {"ok": "ok  ", "note": "note", "fix": "FIX "}


def _topics() -> list[str]:
    from perfdb.cli.doctor.checks import TOPICS

    return list(TOPICS)


def doctor(
    topics: Annotated[
        list[str] | None,
        typer.Argument(metavar="TOPIC", help="Only these, such as `slurm`; by default all.", autocompletion=_topics),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what is here, what is missing, what it is needed for, what to type.

    Takes 2 s for each check at most, 10 s in all. Topics: python, packages, parsl, settings, git, mlflow, slurm, pocket,
    mini-slurm, envoy, kubernetes, others, limits, disk, clock, runs.

    A line is `ok`; `note` where something optional is missing or should be known; `FIX` where something that is wanted
    does not work. Exit code 1 when there is a FIX.

    \b
    Examples:
      perfdb doctor
      perfdb doctor slurm pocket
      perfdb doctor --json > before.json
    """
    from perfdb.cli.doctor.checks import CHECKS, TOPICS
    from perfdb.cli.doctor.running import examine
    from perfdb.cli.meant import did_you_mean
    from perfdb.cli.terminal import print_json
    from perfdb.errors import EXIT_ERROR, UsageError
    from perfdb.redaction import Identity, Redactor
    from perfdb.settings import load_settings

    for topic in topics or ():
        if topic not in TOPICS:
            raise UsageError(
                f"perfdb doctor knows no topic {topic[:80]!r}; there are {', '.join(TOPICS)}.{did_you_mean(topic, TOPICS)}"
            )
    checks = [check for check in CHECKS if not topics or check.topic in topics]
    redactor = Redactor(identity=Identity.here())
    points = [point.masked(redactor) for point in examine(checks, load_settings())]
    if as_json:
        print_json([asdict(point) for point in points])
    else:
        _print(points)
    if any(point.status == "fix" for point in points):
        sys.exit(EXIT_ERROR)


def _print(points: list[Point]) -> None:
    from perfdb.cli.terminal import printable
    from perfdb.units import counted

    width = max((len(point.name) for point in points), default=0)
    for point in points:
        print(printable(f"{_MARKS[point.status]}  {point.name:<{width}}  {point.found}  [{point.needed_for}]"))
        if point.fix:
            print(printable(f"{'':6}{'':{width}}  -> {point.fix}"))
    fixes, notes = (sum(point.status == status for point in points) for status in ("fix", "note"))
    print(f"{counted(fixes, 'thing')} to fix, {counted(notes, 'note')}.")

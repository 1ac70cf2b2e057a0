"""What the commands of mini-slurm tell beside their answer."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def note(text: str) -> None:
    """One line on standard error: the answer stays alone on standard output."""
    from perfdb.cli.terminal import printable

    print(f"mini-slurm: note: {printable(text)}", file=sys.stderr)


def counts(found: Iterable[str]) -> str:
    """How many there are of each: `1,990 PENDING, 10 RUNNING`."""
    from collections import Counter

    return ", ".join(f"{count:,} {each}" for each, count in sorted(Counter(found).items()))


def one_line(text: str) -> str:
    """A stranger's words as a line of a table may hold them."""
    from perfdb.cli.terminal import printable

    return text if text.isprintable() else printable(text.replace("\n", " "))


def wall(at: float) -> str:
    """An instant by the wall clock, in local time, to the second."""
    return _wall(int(at))


@lru_cache(maxsize=1024)  # an array's jobs share theirs, and a queue may have 10,000 of them
def _wall(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))

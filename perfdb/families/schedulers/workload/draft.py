"""A job before it has its number, and the list that many of them make. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from perfdb.errors import UsageError
from perfdb.families.schedulers.workload.job import MOST_JOBS, WorkJob

# Of all times in a list: a microsecond. So a list reads the same wherever it was made.
DECIMALS = 6
_SHORTEST_LIMIT_S = 1e-6


@dataclass(frozen=True, slots=True)
class Draft:
    """What one job asks for and does; see `WorkJob`.

    `place`: of a file, its line or its block that says so, from 1; else 0.
    """

    arrival_s: float
    nodes: int
    run_s: float
    limit_s: float
    user: int
    experiment: str
    place: int = 0


def size_of(nodes: int) -> str:
    """What jobs of one size are called, such as `size-2`."""
    return f"size-{nodes}"


def generous_limit_s(run_s: float) -> float:
    """What a job that takes so long asks for, unless somebody says: a minute a second, whole ones, for so Slurm counts them."""
    return 60.0 * max(1, math.ceil(run_s))


def listed(drafts: Iterable[Draft], compress: float, of: str, part: str) -> tuple[WorkJob, ...]:
    """The jobs in order of arrival, those that arrive together in the order given; all times (seconds) divided by `compress`.

    Args:
        of: What to call the workload in an error.
        part: What `Draft.place` counts.

    Raises:
        UsageError: there are none, too many, or one is longer or later than a list can say.
    """
    ordered = sorted(drafts, key=lambda draft: draft.arrival_s)
    if not 1 <= len(ordered) <= MOST_JOBS:
        raise UsageError(
            f"{of} has {len(ordered):,} jobs, and one has from 1 to {MOST_JOBS:,}. Take more of it, or less with --jobs N."
        )
    return tuple(_job(number, draft, compress, of, part) for number, draft in enumerate(ordered, start=1))


def _job(number: int, draft: Draft, compress: float, of: str, part: str) -> WorkJob:
    try:
        return WorkJob(
            job=number,
            arrival_s=round(draft.arrival_s / compress, DECIMALS),
            nodes=draft.nodes,
            run_s=round(draft.run_s / compress, DECIMALS),
            limit_s=max(_SHORTEST_LIMIT_S, round(draft.limit_s / compress, DECIMALS)),
            user=draft.user,
            experiment=draft.experiment,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = f"{of}, {part} {draft.place}" if draft.place else of
        hint = (
            "Mend it there, or give another --compress"
            if draft.place
            else "Give a higher --load, or a higher --compress"
        )
        raise UsageError(
            f"{where}: {first['loc'][0]} {first['input']!r}, times being divided by {compress:g}: {first['msg']}. {hint}."
        ) from error

"""`python -m perfdb.platforms.cancel RUN_DIR PROVIDER_CLASS…`: what a supervisor runs when perfdb itself was killed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from perfdb.platforms import PLATFORMS, Platform, platforms_for
from perfdb.platforms.parsl_log import job_names
from perfdb.record.model import Frozen

_Word = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^-\s]\S*$")]


class Left(Frozen):
    """Cluster jobs that could not be ended. `names` are those of all jobs that their run submitted, where that is known."""

    platform: str
    job_ids: tuple[_Word, ...]
    names: tuple[_Word, ...] = ()


@dataclass(frozen=True)
class Submitted:
    """Jobs that Parsl submitted to one platform, and what they are called there."""

    platform: Platform
    job_ids: tuple[str, ...]
    names: tuple[str, ...]


def submitted_jobs(run_dir: Path, provider_classes: tuple[str, ...]) -> tuple[Submitted, ...]:
    """Those of the Parsl runs in `run_dir`, by platform."""
    names = job_names(run_dir)
    return tuple(Submitted(each, each.jobs_of(run_dir), names) for each in platforms_for(provider_classes))


def cancel_jobs(submitted: Sequence[Submitted], *, old: bool = False) -> tuple[Left, ...]:
    """End those that are not over; returns those that could not be ended.

    Args:
        submitted: The jobs.
        old: They are not of just now, so their ids may be others' jobs by now: only jobs of their names are ended.
    """
    left = []
    for each in submitted:
        if job_ids := each.platform.cancel(each.job_ids, each.names if old else ()):
            left.append(Left(platform=each.platform.name, job_ids=job_ids, names=each.names))
    return tuple(left)


def cancel_left(left: Left) -> tuple[str, ...]:
    """Try again; returns the ids that still could not be ended."""
    for platform in PLATFORMS:
        if platform.name == left.platform:
            return platform.cancel(left.job_ids, left.names)
    return ()


if __name__ == "__main__":
    cancel_jobs(submitted_jobs(Path(sys.argv[1]), tuple(sys.argv[2:])))

"""One job of a list, and the list's digest. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MOST_JOBS = 1_000_000
MOST_NODES = 1_000_000
LONGEST_S = 1e9
# Of arrivals at random.
LOWEST_LOAD, HIGHEST_LOAD = 0.001, 100.0
# Not every reader of JSON tells whole numbers above this from each other.
HIGHEST_SEED = 2**53 - 1


class WorkJob(BaseModel):
    """What one job asks for, and what it does.

    Attributes:
        job: Its number in the list, from 1, in order of arrival.
        arrival_s: When it is to be submitted, after the list's begin.
        nodes: How many it asks for, all at once.
        run_s: How long its program runs once it has them.
        limit_s: How long it says that it will run, at most; the scheduler ends it then, and plans with it.
        user: Whose it is, from 0. On a test cluster all are submitted by one user; fairness is told by this number.
        experiment: What the like of it are called, such as `size-2`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: Annotated[int, Field(ge=1, le=MOST_JOBS)]
    arrival_s: Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False)]
    nodes: Annotated[int, Field(ge=1, le=MOST_NODES)]
    run_s: Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False)]
    limit_s: Annotated[float, Field(gt=0, le=LONGEST_S, allow_inf_nan=False)]
    user: Annotated[int, Field(ge=0, le=MOST_JOBS)] = 0
    experiment: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,40}$")]


def digest(jobs: Sequence[WorkJob]) -> str:
    """SHA-256 of a list: one list, one digest, whoever makes it."""
    rows = [[j.job, j.arrival_s, j.nodes, j.run_s, j.limit_s, j.user, j.experiment] for j in jobs]
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()

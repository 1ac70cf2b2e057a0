"""A workload in a TOML file: a built-in one with its parameters, or blocks of jobs.

    builtin = "mixed"            |  [[jobs]]
    jobs = 24                    |  count = 3
    load = 1.1                   |  nodes = 2
    seed = 7                     |  run_s = 4.0
                                 |  every_s = 0.5

Pure: what stands in the file is hostile until it is read here.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from perfdb.errors import UsageError
from perfdb.families.schedulers.workload.arrivals import poisson
from perfdb.families.schedulers.workload.builtin import USERS, named
from perfdb.families.schedulers.workload.draft import Draft, generous_limit_s, size_of
from perfdb.families.schedulers.workload.job import (
    HIGHEST_LOAD,
    HIGHEST_SEED,
    LONGEST_S,
    LOWEST_LOAD,
    MOST_JOBS,
    MOST_NODES,
)

MOST_BLOCKS = 10_000
_EXAMPLE = "docs/how-to/schedulers.md has all fields and an example."

_Seconds = Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False)]
_Load = Annotated[float, Field(ge=LOWEST_LOAD, le=HIGHEST_LOAD, allow_inf_nan=False)]
_Seed = Annotated[int, Field(ge=0, le=HIGHEST_SEED)]
_Jobs = Annotated[int, Field(ge=1, le=MOST_JOBS)]


class _Told(BaseModel):
    # Strict: TOML has types of its own, and `nodes = "2"` or `run_s = true` is a slip.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Block(_Told):
    """Jobs of one kind.

    Attributes:
        count: How many.
        nodes, run_s, limit_s, user, experiment: Of each; see `WorkJob`. The limit, where none is said, is a minute for each
            second that it runs; the user is drawn by seed, and the experiment is `size-N`.
        arrival_s: When the first one arrives.
        every_s: The next one comes so much later. Without it, and without `load`, all come at once.
        load: They arrive as a Poisson process at this offered load, which is of these jobs alone.
    """

    count: _Jobs = 1
    nodes: Annotated[int, Field(ge=1, le=MOST_NODES)]
    run_s: _Seconds
    limit_s: Annotated[float, Field(gt=0, le=LONGEST_S, allow_inf_nan=False)] | None = None
    arrival_s: _Seconds = 0.0
    every_s: _Seconds | None = None
    load: _Load | None = None
    user: Annotated[int, Field(ge=0, le=MOST_JOBS)] | None = None
    experiment: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,40}$")] | None = None

    @model_validator(mode="after")
    def _one_kind_of_arrival(self) -> Block:
        if self.every_s is not None and self.load is not None:
            raise ValueError("every_s and load both say when jobs arrive: leave one of them out")
        return self


class BuiltinFile(_Told):
    """A built-in workload; what is left open here, the command line says."""

    builtin: Annotated[str, Field(max_length=100)]
    jobs: _Jobs | None = None
    load: _Load | None = None
    seed: _Seed | None = None


class BlocksFile(_Told):
    """Jobs of several kinds, in blocks."""

    jobs: Annotated[list[Block], Field(min_length=1, max_length=MOST_BLOCKS)]
    seed: _Seed | None = None

    @model_validator(mode="after")
    def _not_too_many(self) -> BlocksFile:
        if sum(block.count for block in self.jobs) > MOST_JOBS:
            raise ValueError(f"its blocks have more than {MOST_JOBS:,} jobs together")
        return self


def read_toml(text: str, name: str) -> BuiltinFile | BlocksFile:
    """A workload from a file's text.

    Args:
        name: What to call the file in an error.

    Raises:
        UsageError: it is no TOML, or no workload; says where.
    """
    try:
        told = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a plain ValueError
        raise UsageError(f"{name} is no TOML: {str(error)[:300]}. Mend it there.") from error
    kind = BuiltinFile if "builtin" in told else BlocksFile
    try:
        return kind.model_validate(told)
    except ValidationError as error:
        raise UsageError(f"{name} is no workload: {_fault(error, kind)}. {_EXAMPLE}") from error


def drafts_of(told: BuiltinFile | BlocksFile, nodes: int, seed: int, load: float, jobs: int) -> list[Draft]:
    """Its jobs. What the file does not say comes from the arguments; `jobs` 0 is as many as there are.

    Raises:
        UsageError: there is no such built-in workload, or a job needs more nodes than there are.
    """
    seed = seed if told.seed is None else told.seed
    if isinstance(told, BuiltinFile):
        return named(told.builtin, nodes, seed, load if told.load is None else told.load, told.jobs or jobs)
    for number, block in enumerate(told.jobs, start=1):
        if block.nodes > nodes:
            raise UsageError(
                f"block {number} of the workload has jobs of {block.nodes:,} nodes, and there are {nodes:,}. Add --nodes "
                f"{block.nodes}, or make them smaller."
            )
    chance = random.Random(f"{seed} toml")  # noqa: S311 (a load, no secret)
    drafts = [draft for number, block in enumerate(told.jobs, start=1) for draft in _of(block, number, nodes, chance)]
    return sorted(drafts, key=lambda draft: draft.arrival_s)[: jobs or None]


def _of(block: Block, number: int, nodes: int, chance: random.Random) -> Iterator[Draft]:
    for after_s in _arrivals(block, nodes, chance):
        yield Draft(
            arrival_s=block.arrival_s + after_s,
            nodes=block.nodes,
            run_s=block.run_s,
            limit_s=generous_limit_s(block.run_s) if block.limit_s is None else block.limit_s,
            user=int(chance.random() * USERS) if block.user is None else block.user,
            experiment=block.experiment or size_of(block.nodes),
            place=number,
        )


def _arrivals(block: Block, nodes: int, chance: random.Random) -> list[float]:
    if block.load is not None:
        return poisson(block.count, block.count * block.nodes * block.run_s, nodes, block.load, chance)
    return [number * (block.every_s or 0.0) for number in range(block.count)]


def _fault(error: ValidationError, kind: type[_Told]) -> str:
    """The first thing that is wrong, with its place."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = "".join(f" {part + 1}" if isinstance(part, int) else f".{part}" for part in first["loc"]).removeprefix(".")
    what = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        what = _no_field(str(first["loc"][-1]), kind if len(first["loc"]) == 1 else Block)
    return f"{place[:200]}: {what}" if place else what


def _no_field(name: str, kind: type[_Told]) -> str:
    near = get_close_matches(name, kind.model_fields, n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"there is no {name[:100]!r}; known are {', '.join(kind.model_fields)}{meant}"

"""The jobs of a run: from one seed always the same ones, with a hash to say so. Pure."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Class = Literal["elastic", "rigid", "urgent"]
CLASSES: tuple[Class, ...] = ("elastic", "rigid", "urgent")
# Whoever is urgent has the others shrunk; elastic and rigid jobs are each other's equals.
PRIORITIES: dict[Class, int] = {"elastic": 5, "rigid": 5, "urgent": 10}


class MixJob(BaseModel):
    """One job.

    Attributes:
        job: Its number, from 1, in order of arrival.
        of: Its class. Elastic ones may be resized between their bounds; the others' bounds are their `cpus`.
        arrival_s: Since the first one's arrival.
        cpus: What it starts with.
        units: Units of work; with n CPUs it does n at a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: Annotated[int, Field(ge=1)]
    of: Class
    arrival_s: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    cpus: Annotated[int, Field(ge=1)]
    min_cpus: Annotated[int, Field(ge=1)]
    max_cpus: Annotated[int, Field(ge=1)]
    units: Annotated[int, Field(ge=1)]
    priority: int


_MIX: TypeAdapter[tuple[MixJob, ...]] = TypeAdapter(tuple[MixJob, ...])


def mix_of(
    seed: int, cpus: int, counts: dict[Class, int], units: dict[Class, int], arrive_within_s: float
) -> tuple[MixJob, ...]:
    """The jobs, in order of arrival.

    The first elastic job is there at 0, the others arrive at random. A job's units are at random from half to one and a half
    times its class's. Elastic jobs start with one CPU and may have them all; rigid and urgent ones have up to half of them.

    Args:
        counts: How many jobs there are of each class.
        units: What a job of the class has to do on average.
    """
    chance = random.Random(f"{seed} elastic mix")  # noqa: S311 (a load, no secret)
    drawn = sorted(
        (job for of in CLASSES for job in _of_class(chance, of, cpus, counts[of], units[of], arrive_within_s)),
        key=lambda job: (job.arrival_s, job.job),
    )
    first_s = drawn[0].arrival_s if drawn else 0.0
    return tuple(
        job.model_copy(update={"job": number, "arrival_s": round(job.arrival_s - first_s, 6)})
        for number, job in enumerate(drawn, start=1)
    )


def _of_class(
    chance: random.Random, of: Class, cpus: int, count: int, units: int, arrive_within_s: float
) -> Iterator[MixJob]:
    for number in range(1, count + 1):
        at = chance.uniform(0, arrive_within_s)
        work = chance.randint((units + 1) // 2, units + units // 2)
        wide = chance.randint(1, max(1, cpus // 2))
        is_elastic = of == "elastic"
        yield MixJob(
            job=CLASSES.index(of) * 100_000 + number,
            of=of,
            arrival_s=0.0 if is_elastic and number == 1 else at,
            cpus=1 if is_elastic else wide,
            min_cpus=1 if is_elastic else wide,
            max_cpus=cpus if is_elastic else wide,
            units=work,
            priority=PRIORITIES[of],
        )


def digest(jobs: Sequence[MixJob]) -> str:
    """SHA-256 of the jobs, which says whether two runs had the same."""
    return hashlib.sha256(_MIX.dump_json(tuple(jobs))).hexdigest()

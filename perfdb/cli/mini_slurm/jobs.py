"""Jobs as people name them: 12; 12_3, the task with index 3 of array 12; and 12 of an array, which is all its tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.errors import MiniSlurmError, PerfdbError, UsageError

if TYPE_CHECKING:
    from perfdb.minislurm.store.job import Job
    from perfdb.minislurm.store.reading import Reader

_NAME = re.compile(r"(\d{1,18})(?:_(\d{1,18}))?", re.ASCII)
_OFFERED = 500  # more than anybody reads of a completion


def name_of(job: Job) -> str:
    """What people call it."""
    return job_name(job.id, job.array_id, job.array_index)


def job_name(id: int, array_id: int | None, array_index: int | None) -> str:
    """What people call it: `12`, or `12_3`."""
    return str(id) if array_id is None else f"{array_id}_{array_index}"


def jobs_of(reader: Reader, names: Iterable[str]) -> list[Job]:
    """The jobs of those names, each once, in that order.

    Raises:
        UsageError: it is no name of a job.
        MiniSlurmError: there is no such job.
    """
    return list({job.id: job for name in names for job in _jobs_of(reader, name)}.values())


def _jobs_of(reader: Reader, name: str) -> list[Job]:
    found = _NAME.fullmatch(name)
    if found is None:
        raise UsageError(f"{name!r} is no job's id. Type a number, such as 12, or 12_3 for one task of an array.")
    id, index = int(found[1]), found[2]
    jobs = reader.tasks(id) if index is None else []
    if not jobs:
        job = reader.job(id) if index is None else reader.task(id, int(index))
        jobs = [] if job is None else [job]
    if not jobs:
        raise MiniSlurmError(f"there is no job {name} here. mini-slurm queue --all lists those that there are.")
    return jobs


def _offered(*, all: bool) -> Iterator[tuple[str, str]]:
    from perfdb.minislurm.places import Places
    from perfdb.minislurm.store.reading import Reader

    try:
        with Reader(Places.here()) as reader:
            arrays: set[int] = set()
            for row in reader.queue(all=all, limit=_OFFERED):
                if row.array_id is not None and row.array_id not in arrays:
                    arrays.add(row.array_id)
                    yield str(row.array_id), f"array: {row.command}"
                yield job_name(row.id, row.array_id, row.array_index), f"{row.state} {row.command}"
    except PerfdbError:
        return  # a shell that completes is no place for an error


def _live(incomplete: str) -> list[tuple[str, str]]:
    return [offer for offer in _offered(all=False) if offer[0].startswith(incomplete)]


def _known(incomplete: str) -> list[tuple[str, str]]:
    return [offer for offer in _offered(all=True) if offer[0].startswith(incomplete)]


_HELP = "12; 12_3 for one task of array 12; the id of an array stands for all its tasks."
LiveJobs = Annotated[list[str], typer.Argument(metavar="ID", help=_HELP, autocompletion=_live, show_default=False)]
KnownJobs = Annotated[list[str], typer.Argument(metavar="ID", help=_HELP, autocompletion=_known, show_default=False)]

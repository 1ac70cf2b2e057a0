"""`mini-slurm events`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from perfdb.cli.mini_slurm.jobs import KnownJobs, jobs_of, name_of
from perfdb.cli.mini_slurm.told import AsJson, one_line

if TYPE_CHECKING:
    from perfdb.minislurm.store.job import Event


def events(ids: KnownJobs, as_json: AsJson = False) -> None:
    """Show what happened to a job, its resizes above all: decided, written, signalled, acknowledged, applied.

    \b
    Examples:
      mini-slurm events 12
      mini-slurm events 12 --json

    SINCE counts the seconds from the submission on the machine's steady clock, in steps of a microsecond. GEN numbers the
    resizes.
    """
    import dataclasses

    from perfdb.cli.terminal import print_json
    from perfdb.minislurm.places import Places
    from perfdb.minislurm.store.reading import Reader

    with Reader(Places.here()) as reader:
        found = [(job, reader.events(job.id)) for job in jobs_of(reader, ids)]
    if as_json:
        print_json(
            {"jobs": [{"id": job.id, "events": [dataclasses.asdict(event) for event in told]} for job, told in found]}
        )
        return
    for number, (job, told) in enumerate(found):
        if len(found) > 1:
            print("\n" * (number > 0) + f"job {name_of(job)}")
        print("\n".join(table(told)))


def table(told: Sequence[Event]) -> Iterator[str]:
    """One line for each event."""
    yield f"{'AT':>23} {'SINCE(s)':>14} {'GEN':>3} {'EVENT':<12} {'CPUS':<7} DETAIL"
    for event in told:
        first = told[0]
        # The steady clock starts anew with each boot; the wall clock is what is left then.
        since_s = (event.ns - first.ns) / 1e9 if event.boot == first.boot else event.at - first.at
        line = f"{_at(event.at):>23} {since_s:>14.6f} {event.generation:>3} {event.kind:<12} {_cpus(event):<7} "
        yield (line + _detail(event)).rstrip()


def _at(at: float) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(at).isoformat(" ", "milliseconds")  # local, as a person's watch


def _detail(event: Event) -> str:
    if event.kind == "signalled" and event.detail.isdecimal():
        return f"{event.detail} process{'' if event.detail == '1' else 'es'}"
    return one_line(event.detail)


def _cpus(event: Event) -> str:
    if event.cpus_to is None:
        return ""
    return str(event.cpus_to) if event.cpus_from is None else f"{event.cpus_from}->{event.cpus_to}"

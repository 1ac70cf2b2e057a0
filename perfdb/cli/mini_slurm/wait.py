"""`mini-slurm wait`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.mini_slurm.jobs import LiveJobs, jobs_of, name_of
from perfdb.cli.mini_slurm.told import AsJson, counts, note, one_line

if TYPE_CHECKING:
    from perfdb.minislurm.client import Ended
    from perfdb.minislurm.places import Places
    from perfdb.minislurm.store.job import Job

_NAMED = 20  # of those that did not complete


def wait(
    ids: LiveJobs,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="Wait no longer.  [default: none]")] = None,
    as_json: AsJson = False,
) -> None:
    """Wait until jobs have ended. Exit code 0 when each of them completed, 3 when one did not, or not in time.

    \b
    Examples:
      mini-slurm wait 12 && mini-slurm submit python3 next.py
      mini-slurm wait 12 13 --timeout 600
    """
    from perfdb.cli.terminal import print_json
    from perfdb.errors import EXIT_FAILED, UsageError
    from perfdb.minislurm.places import Places
    from perfdb.minislurm.states import State
    from perfdb.minislurm.store.reading import Reader

    if timeout is not None and not 0 <= timeout < 1e9:
        raise UsageError(f"--timeout {timeout:g} is no time to wait. Type seconds, such as --timeout 600.")
    places = Places.here()
    with Reader(places) as reader:
        jobs = jobs_of(reader, ids)
        if left := [job.id for job in jobs if not job.state.is_final]:
            _wait(places, left, timeout)
            jobs = jobs_of(reader, ids)
    if as_json:
        keys = ("id", "state", "exit_code", "signal", "reason")
        print_json({"jobs": [{key: getattr(job, key) for key in keys} for job in jobs]})
    else:
        _tell(jobs)
    if not all(job.state is State.COMPLETED for job in jobs):
        sys.exit(EXIT_FAILED)


def _wait(places: Places, left: list[int], timeout_s: float | None) -> None:
    from perfdb.cli.terminal import Voice
    from perfdb.minislurm import client

    voice = Voice()
    moves = sys.stderr.isatty()
    ended = 0

    def told(_: Ended) -> None:
        nonlocal ended
        ended += 1
        tell()

    def tell() -> None:
        if moves:
            voice.progress("wait", f"{ended:,} of {len(left):,} ended")

    tell()
    try:
        found = client.wait(places, left, timeout_s, told)
    finally:
        voice.done()
    if missing := len(left) - len(found):
        note(f"{missing:,} not ended after {timeout_s:g} s; mini-slurm queue shows what they do")


def _tell(jobs: list[Job]) -> None:
    from perfdb.minislurm.states import State

    if len(jobs) > 1:
        print(f"{len(jobs):,} jobs: {counts(job.state for job in jobs)}")
    odd = [job for job in jobs if job.state is not State.COMPLETED or len(jobs) == 1]
    for job in odd[:_NAMED]:
        print(f"job {name_of(job)}: {job.state}" + (f", {one_line(job.reason)}" if job.reason else ""))
    if len(odd) > _NAMED:
        print(f"and {len(odd) - _NAMED:,} more: mini-slurm queue --all")

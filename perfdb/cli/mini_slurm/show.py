"""`mini-slurm show`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from perfdb.cli.mini_slurm.jobs import KnownJobs, jobs_of, name_of
from perfdb.cli.mini_slurm.told import AsJson, counts, one_line, wall

if TYPE_CHECKING:
    from perfdb.minislurm.places import Places
    from perfdb.minislurm.store.job import Job
    from perfdb.minislurm.store.reading import Reader


def show(ids: KnownJobs, as_json: AsJson = False) -> None:
    """Show all that is known of jobs. Of an array, how its tasks stand.

    \b
    Examples:
      mini-slurm show 12
      mini-slurm show 12_3 --json
    """
    from perfdb.cli.terminal import print_json
    from perfdb.minislurm.places import Places
    from perfdb.minislurm.states import State
    from perfdb.minislurm.store.reading import Reader

    places = Places.here()
    with Reader(places) as reader:
        jobs = jobs_of(reader, ids)
        waits_for = ""
        if len(jobs) == 1 and jobs[0].state is State.PENDING and not as_json:
            waits_for = _waits_for(places, reader, jobs[0])
    if as_json:
        print_json({"jobs": [document(job) for job in jobs]})
    elif len(jobs) > 1 and len(ids) == 1:
        print(f"array {ids[0]}: {len(jobs):,} jobs: {counts(job.state for job in jobs)}")
        for job in jobs:
            print(f"  {name_of(job):<10} {job.state:<13} {one_line(job.reason)}".rstrip())
        print(f"next: mini-slurm show {name_of(jobs[0])}")
    else:
        print("\n\n".join("\n".join(lines(job)) for job in jobs))
        if waits_for:
            print(f"  {'waits for':<12} {waits_for}")


def _waits_for(places: Places, reader: Reader, job: Job) -> str:
    from perfdb.minislurm import client
    from perfdb.units import counted

    offer = reader.offer()
    if offer is None or client.is_running(places) is None:
        return "a scheduler, and none runs: mini-slurm scheduler"
    wants = f"{counted(job.cpus, 'CPU')} and {job.mem_mb:,} MB"
    if job.cpus > offer.cpus or job.mem_mb > offer.mem_mb:
        return f"{wants}: the scheduler that runs offers {counted(offer.cpus, 'CPU')} and {offer.mem_mb:,} MB"
    before = 0
    for row in reader.queue():
        if row.id == job.id:
            break
        before += row.state == job.state
    now = reader.stats()
    cpus, mem_mb = max(0, offer.cpus - now.cpus_promised), max(0, offer.mem_mb - now.mem_mb_promised)
    queue = f"; {counted(before, 'job')} before it in the queue" if before else "; it is the next one"
    return f"{wants}: {counted(cpus, 'CPU')} and {mem_mb:,} MB are free{queue}"


def document(job: Job) -> dict[str, Any]:
    """All of it, as JSON has it; names and units are those of the store's `Job`."""
    import dataclasses

    return dataclasses.asdict(job)


def lines(job: Job) -> Iterator[str]:
    """All of it, for people."""
    yield f"job {name_of(job)}: {job.state}" + (f", {one_line(job.reason)}" if job.reason else "")
    for what, said in _facts(job):
        if said:
            yield f"  {what:<12} {one_line(said)}"


def _facts(job: Job) -> Iterator[tuple[str, str]]:
    from perfdb.minislurm.times import slurm_time
    from perfdb.units import duration

    if job.array_id is not None:
        yield "id", f"{job.id}, task {job.array_index} of array {job.array_id}"
    yield "name", job.name
    yield "command", shlex.join(job.argv)
    yield "folder", job.cwd
    yield "priority", str(job.priority)
    yield "cpus", _cpus(job)
    if job.cpu_ids:
        yield "cpu ids", " ".join(map(str, job.cpu_ids))
    yield "memory", f"{job.mem_mb:,} MB" + (f", at most {job.peak_kb / 1024:,.0f} MB used" if job.peak_kb else "")
    yield "time limit", "none" if job.limit_s is None else slurm_time(job.limit_s)
    yield "kept by", job.enforcement
    yield "submitted", wall(job.submit_at)
    if job.started_at is not None and job.started_ns is not None:
        yield (
            "started",
            f"{wall(job.started_at)}, {duration((job.started_ns - job.submit_ns) / 1e9)} after it was submitted",
        )
    if job.ended_at is not None:
        ran = job.started_ns is not None and job.ended_ns is not None
        after = f", {duration((job.ended_ns - job.started_ns) / 1e9)} after its start" if ran else ""  # type: ignore[operator] # both are there
        yield "ended", wall(job.ended_at) + after
    if job.signal is not None:
        yield "ended by", f"signal {job.signal}"
    elif job.exit_code is not None:
        yield "exit code", str(job.exit_code)
    if job.cpu_s is not None:
        yield "cpu time", duration(job.cpu_s)
    yield "attempt", str(job.attempt) if job.attempt > 1 else ""
    yield "cancelled", "it was told to end" if job.is_cancelled and not job.state.is_final else ""
    yield "output", job.stdout
    yield "errors", job.stderr
    if job.is_elastic:
        yield "control file", job.control_file


def _cpus(job: Job) -> str:
    if not job.is_elastic:
        return str(job.cpus)
    moving = f", going to {job.target_cpus}" if job.target_cpus != job.current_cpus else ""
    resizes = f"{job.generation} resize{'' if job.generation == 1 else 's'}"
    return f"{job.current_cpus}{moving}; elastic, {job.min_cpus} to {job.max_cpus}, started with {job.cpus}, {resizes}"

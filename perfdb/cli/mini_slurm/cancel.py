"""`mini-slurm cancel`."""

from __future__ import annotations

from perfdb.cli.mini_slurm.jobs import LiveJobs, jobs_of, name_of
from perfdb.cli.mini_slurm.told import AsJson, counts

_MEANINGS = {
    "cancelled": "cancelled before the start",
    "ending": "told to end",
    "ended": "ended before",
    "unknown": "not there any more",
}
_NAMED = 20  # more are counted


def cancel(ids: LiveJobs, as_json: AsJson = False) -> None:
    """Cancel jobs. One that runs gets SIGTERM, all its processes, and SIGKILL after the scheduler's grace.

    \b
    Examples:
      mini-slurm cancel 12
      mini-slurm cancel 12_3 14
    """
    from perfdb.cli.terminal import print_json
    from perfdb.minislurm import client
    from perfdb.minislurm.places import Places
    from perfdb.minislurm.store.reading import Reader

    places = Places.here()
    with Reader(places) as reader:
        jobs = jobs_of(reader, ids)
    outcomes = client.cancel(places, [job.id for job in jobs])
    if as_json:
        print_json({"jobs": [{"id": id, "outcome": outcome} for id, outcome in outcomes.items()]})
    elif len(jobs) > _NAMED:
        print(f"{len(jobs):,} jobs: {counts(_MEANINGS[outcome] for outcome in outcomes.values())}")
    else:
        for job in jobs:
            print(f"job {name_of(job)}: {_MEANINGS[outcomes[job.id]]}")

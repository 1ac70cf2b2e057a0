"""The list of jobs as JSON lines: the first child of a run tells it, so that the journal holds what every arm was given.

    {"jobs": [[1, 0.0, 2, 10.0, 15.0, 0, "size-2"], …]}
    {"sha256": "8c1f…", "left_out": {"more nodes than there are": 3}}

A job's numbers are in the order of the fields of `workload.job.WorkJob`. The last line has the list's digest, and how many jobs
of a trace cannot be run, by the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from perfdb.families.schedulers.workload.job import WorkJob, digest
from perfdb.processes.log import Line

VARIABLE = "PERFDB_SCHEDULERS_WORKLOAD"
CHILD = "workload"
# A line of a log holds 64 KiB.
_A_LINE = 200
_FIELDS = tuple(WorkJob.model_fields)


@dataclass(frozen=True)
class Listed:
    """The list; without jobs where it did not come whole."""

    jobs: tuple[WorkJob, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)


def lines_of(listed: Listed) -> Iterator[str]:
    """The lines, without their ends."""
    for first in range(0, len(listed.jobs), _A_LINE):
        rows = [[getattr(job, name) for name in _FIELDS] for job in listed.jobs[first : first + _A_LINE]]
        yield json.dumps({"jobs": rows}, separators=(",", ":"))
    yield json.dumps({"sha256": digest(listed.jobs), "left_out": dict(listed.left_out)}, separators=(",", ":"))


def read_list(lines: Sequence[Line]) -> Listed:
    """What they tell."""
    jobs: list[WorkJob] = []
    try:
        for line in lines:
            said = json.loads(line.text)
            if "sha256" in said:
                left_out = {str(reason): int(count) for reason, count in said["left_out"].items()}
                return Listed(tuple(jobs), left_out) if said["sha256"] == digest(jobs) else Listed()
            jobs += [WorkJob.model_validate(dict(zip(_FIELDS, row, strict=True))) for row in said["jobs"]]
    except (ValueError, TypeError, KeyError, AttributeError, ValidationError):
        pass
    return Listed()

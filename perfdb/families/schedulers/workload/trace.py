"""Between a trace in the Standard Workload Format and a list of jobs, both ways. Pure.

A processor is a node here: the format counts processors, and says nothing of nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from perfdb.families.schedulers.workload.draft import Draft, size_of
from perfdb.families.schedulers.workload.job import MOST_JOBS, WorkJob
from perfdb.families.schedulers.workload.swf import Swf, SwfJob, swf_job

# Field 11: the parts of a job that was checkpointed, which has a line of its own for all of it.
_PARTS = range(2, 5)


def drafts_of_trace(trace: Swf, nodes: int, jobs: int) -> tuple[list[Draft], Counter[str]]:
    """The jobs that can be run again on so many nodes, and how many cannot, by the reason.

    A job asks for field 8, or had field 5 where nobody knows that; it runs for field 4 and arrives at field 2, the first one
    at 0. Its limit is field 9, and no less than it ran, so that no scheduler ends it before it ended then.

    Args:
        jobs: Only the first so many of them; 0 for all.
    """
    drafts: list[Draft] = []
    left_out: Counter[str] = Counter()
    for line in trace.jobs:
        if jobs and len(drafts) == jobs:
            break
        if reason := _why_not(line, nodes):
            left_out[reason] += 1
        else:
            drafts.append(_draft(line))
    first_s = min((draft.arrival_s for draft in drafts), default=0.0)
    return [replace(draft, arrival_s=draft.arrival_s - first_s) for draft in drafts], left_out


def _why_not(line: SwfJob, nodes: int) -> str:
    if int(line.number("status")) in _PARTS:
        return "part of a job that has a line for all of it"
    if line.known("submit_time") is None:
        return "no submit time"
    if line.known("run_time") is None:
        return "no run time: it never ran"
    if (wanted := _nodes(line)) == 0:
        return "no processors"
    return f"more than the {nodes:,} nodes there are" if wanted > nodes else ""


def _nodes(line: SwfJob) -> int:
    return int(max(line.number("requested_processors"), 0) or max(line.number("allocated_processors"), 0))


def _draft(line: SwfJob) -> Draft:
    run_s, nodes = line.number("run_time"), _nodes(line)
    return Draft(
        arrival_s=line.number("submit_time"),
        nodes=nodes,
        run_s=run_s,
        limit_s=max(line.number("requested_time"), run_s, 1.0),
        user=min(MOST_JOBS, max(0, int(line.number("user_id")) - 1)),
        experiment=_sizes(nodes),
        place=line.line,
    )


def _sizes(nodes: int) -> str:
    """Sizes up to each power of two together: a trace has hundreds of sizes, and a table as many rows."""
    most = 1 << (nodes - 1).bit_length()
    return size_of(nodes) if most <= 2 else f"size-{most // 2 + 1}-{most}"


def trace_of_jobs(jobs: Sequence[WorkJob], nodes: int) -> Swf:
    """A list of jobs as a trace, with all that happens to them still unknown."""
    return Swf(tuple(_comments(jobs, nodes)), tuple(swf_job(**_asked(job)) for job in jobs))


def _asked(job: WorkJob) -> dict[str, float]:
    return {
        "job_number": job.job,
        "submit_time": job.arrival_s,
        "run_time": job.run_s,
        "requested_processors": job.nodes,
        "requested_time": job.limit_s,
        "user_id": job.user + 1,
    }


def _comments(jobs: Sequence[WorkJob], nodes: int) -> Iterator[str]:
    yield "; Version: 2.2"
    yield f"; MaxJobs: {len(jobs)}"
    yield f"; MaxRecords: {len(jobs)}"
    yield f"; MaxNodes: {nodes}"
    yield f"; MaxProcs: {nodes}"
    yield "; Note: a processor is a node; times in seconds, with decimals where they have any"

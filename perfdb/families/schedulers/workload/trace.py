"""Between a trace in the Standard Workload Format and a list of jobs, both ways. Pure.

A processor is a node here: the format counts processors, and says nothing of nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from perfdb.families.schedulers.outcome import Outcome
from perfdb.families.schedulers.workload.draft import Draft, size_of
from perfdb.families.schedulers.workload.job import MOST_JOBS, WorkJob
from perfdb.families.schedulers.workload.swf import Swf, SwfJob, swf_job

# Field 11. Lines of 2 to 4 are the parts of a job that was checkpointed, which has a line of its own for all of it.
_FAILED, _COMPLETED, _CANCELLED = 0, 1, 5
_PARTS = range(2, 5)
_STATUS = {"COMPLETED": _COMPLETED, "CANCELLED": _CANCELLED}


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
    return [_later(draft, -first_s) for draft in drafts], left_out


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
    )


def _later(draft: Draft, by_s: float) -> Draft:
    return Draft(draft.arrival_s + by_s, draft.nodes, draft.run_s, draft.limit_s, draft.user, draft.experiment)


def _sizes(nodes: int) -> str:
    """Sizes up to each power of two together: a trace has hundreds of sizes, and a table as many rows."""
    most = 1 << (nodes - 1).bit_length()
    return size_of(nodes) if most <= 2 else f"size-{most // 2 + 1}-{most}"


def trace_of_jobs(jobs: Sequence[WorkJob], nodes: int) -> Swf:
    """A list of jobs as a trace, with all that happens to them still unknown."""
    return Swf(tuple(_comments(jobs, nodes)), tuple(swf_job(**_asked(job)) for job in jobs))


def trace_of_outcomes(outcomes: Sequence[Outcome], nodes: int) -> Swf:
    """What became of jobs as a trace: field 2 is when the scheduler had it, 3 how long it waited, 4 how long it ran."""
    ordered = sorted(outcomes, key=lambda outcome: (outcome.batch, outcome.work.job))
    asked = [{**_asked(one.work), "job_number": number} for number, one in enumerate(ordered, start=1)]
    lines = [swf_job(**{**told, **_became(one)}) for told, one in zip(asked, ordered, strict=True)]
    return Swf(tuple(_comments([one.work for one in ordered], nodes)), tuple(lines))


def _asked(job: WorkJob) -> dict[str, float]:
    return {
        "job_number": job.job,
        "submit_time": job.arrival_s,
        "run_time": job.run_s,
        "requested_processors": job.nodes,
        "requested_time": job.limit_s,
        "user_id": job.user + 1,
    }


def _became(one: Outcome) -> dict[str, float]:
    submitted_s, began_s, over_s = one.submitted_s, one.began_s, one.over_s
    found: dict[str, float] = {} if submitted_s is None else {"submit_time": submitted_s}
    if submitted_s is not None and began_s is not None:
        found["wait_time"] = max(0.0, began_s - submitted_s)
    if began_s is None or over_s is None:
        return {**found, "run_time": -1}
    found["run_time"] = max(0.0, over_s - began_s)
    return {**found, "allocated_processors": one.work.nodes, "status": _STATUS.get(one.state, _FAILED)}


def _comments(jobs: Sequence[WorkJob], nodes: int) -> Iterator[str]:
    yield "; Version: 2.2"
    yield f"; MaxJobs: {len(jobs)}"
    yield f"; MaxRecords: {len(jobs)}"
    yield f"; MaxNodes: {nodes}"
    yield f"; MaxProcs: {nodes}"
    yield "; Note: a processor is a node; times in seconds, with decimals where they have any"

"""Lists of jobs for tests, in few words; times are quarters of seconds, so that sums are exact."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from perfdb.families.schedulers.outcome import Outcome
from perfdb.families.schedulers.plan import Delays
from perfdb.families.schedulers.workload.job import WorkJob

NONE = Delays(schedule_s=0.0, release_s=0.0)
LONG_S = 1e6
Asked = tuple[float, int, float, float]


def listed(*asked: Asked) -> tuple[WorkJob, ...]:
    """Jobs as (arrival_s, nodes, run_s, limit_s), numbered in this order."""
    return tuple(
        WorkJob(job=number, arrival_s=arrival_s, nodes=nodes, run_s=run_s, limit_s=limit_s, experiment="of-a-test")
        for number, (arrival_s, nodes, run_s, limit_s) in enumerate(asked, start=1)
    )


def quarters(least: int, most: int) -> st.SearchStrategy[float]:
    """Seconds from `least` to `most` quarters."""
    return st.integers(least, most).map(lambda number: number / 4)


@st.composite
def lists(draw: st.DrawFn, widest: int = 6, narrowest: int = 1) -> tuple[WorkJob, ...]:
    """Up to 14 jobs, many of them there at the same time, whose limits are exact, too long or too short."""
    job = st.tuples(quarters(0, 24), st.integers(narrowest, widest), quarters(0, 20), quarters(1, 24))
    asked = sorted(draw(st.lists(job, min_size=1, max_size=14)), key=lambda one: one[0])
    return listed(*asked)


def exact(jobs: Sequence[WorkJob]) -> tuple[WorkJob, ...]:
    """The same jobs, each of which says how long it runs."""
    return tuple(job.model_copy(update={"limit_s": max(job.run_s, 0.25)}) for job in jobs)


def numbers(nodes: str) -> set[int]:
    """Those in `0-2,5`."""
    found: set[int] = set()
    for part in filter(None, nodes.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def allocated(outcomes: Sequence[Outcome]) -> dict[int, tuple[float, set[int]] | None]:
    """When each job got which nodes; None for never."""
    return {
        one.work.job: None if one.allocated_s is None else (one.allocated_s, numbers(one.nodes)) for one in outcomes
    }

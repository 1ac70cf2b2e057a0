"""When jobs arrive: a Poisson process at an offered load. Pure, and from one seed always the same."""

from __future__ import annotations

import random
from collections.abc import Sequence

from perfdb.families.schedulers.workload.job import WorkJob


def offered_load(jobs: Sequence[WorkJob], nodes: int) -> float | None:
    """Σ nodes·run / (N · span): what the jobs ask of N nodes, the span being from the first arrival to the last.

    Returns:
        Dimensionless; above 1 the queue grows as long as jobs arrive. None where all arrive at once.
    """
    span_s = jobs[-1].arrival_s - jobs[0].arrival_s
    return sum(job.nodes * job.run_s for job in jobs) / (nodes * span_s) if span_s > 0 else None


def poisson(count: int, work_node_s: float, nodes: int, load: float, chance: random.Random) -> list[float]:
    """Arrivals of a Poisson process in seconds, the first at 0, at exactly that load.

    The span is W / (N · load), W being the work of all jobs in node-seconds. Given how many arrivals there are between the
    first and the last one, a Poisson process has them independent and uniform in between, so they are drawn so: the load is
    what was asked for in a list of twelve jobs as in one of a million.

    Source: S. M. Ross, Stochastic Processes, 2nd edition, theorem 2.3.1.
    """
    span_s = work_node_s / (nodes * load)
    between = sorted(chance.random() for _ in range(count - 2))
    return [0.0, *(span_s * place for place in between), span_s][:count]

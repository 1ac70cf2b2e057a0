"""The three policies said once more, slowly: every node a number in a set, and every question asked of all jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from perfdb.families.schedulers.plan import Delays
from perfdb.families.schedulers.workload.job import WorkJob
from perfdb.minislurm.policy import cluster as seen
from perfdb.minislurm.policy.decide import decide


@dataclass
class Naive:
    """A cluster, and what happened on it until `now_s`."""

    nodes: int
    delays: Delays
    now_s: float = 0.0
    waiting: list[WorkJob] = field(default_factory=list)
    running: list[WorkJob] = field(default_factory=list)
    got: dict[int, tuple[float, set[int]]] = field(default_factory=dict)
    heads: dict[int, float] = field(default_factory=dict)

    @property
    def free(self) -> set[int]:
        """Numbers that nobody holds."""
        return set(range(self.nodes)) - {node for job in self.running for node in self.got[job.job][1]}

    def expected_s(self, job: WorkJob) -> float:
        """When a running job gives back its nodes by its limit; now, where that has passed."""
        return max(self.now_s, self.got[job.job][0] + job.limit_s)

    def released_s(self, job: WorkJob) -> float:
        """When it really does."""
        took_s = self.delays.schedule_s + min(job.run_s, job.limit_s) + self.delays.release_s
        return self.got[job.job][0] + took_s

    def start(self, job: WorkJob) -> None:
        """Give it the lowest numbers."""
        self.got[job.job] = (self.now_s, set(sorted(self.free)[: job.nodes]))
        assert len(self.got[job.job][1]) == job.nodes
        self.waiting.remove(job)
        self.running.append(job)

    def earliest_s(self, head: WorkJob) -> float:
        """When `head` fits if all that runs holds its nodes to its limit, and nobody else starts."""
        for at_s in sorted({self.now_s, *map(self.expected_s, self.running)}):
            held = sum(job.nodes for job in self.running if self.expected_s(job) > at_s)
            # A job that is past its limit still holds its nodes, though it is expected to be over now.
            if self.nodes - held >= head.nodes and (at_s > self.now_s or len(self.free) < head.nodes):
                return at_s
        raise AssertionError("a job that no empty cluster could hold waits")


def fifo(naive: Naive) -> None:
    while naive.waiting and naive.waiting[0].nodes <= len(naive.free):
        naive.start(naive.waiting[0])
    if naive.waiting:
        head = naive.waiting[0]
        naive.heads.setdefault(head.job, naive.earliest_s(head))


def easy(naive: Naive) -> None:
    """Whoever could start and leaves the head's earliest moment what it is, starts."""
    fifo(naive)
    for job in naive.waiting[1:]:
        if job.nodes > len(naive.free):
            continue
        head = naive.waiting[0]
        before_s = naive.earliest_s(head)
        naive.start(job)
        if naive.earliest_s(head) > before_s:
            naive.running.remove(job)
            naive.waiting.append(job)
            naive.waiting.sort(key=lambda each: each.job)
            del naive.got[job.job]


def mini_slurm(naive: Naive) -> None:
    """The real policy, told of everything."""
    waiting = [
        seen.Waiting(job.job, 0, job.nodes, job.nodes, job.nodes, 0, job.limit_s, is_elastic=False)
        for job in naive.waiting
    ]
    running = [
        seen.Running(
            id=job.job,
            priority=0,
            cpus=job.nodes,
            target_cpus=job.nodes,
            min_cpus=job.nodes,
            max_cpus=job.nodes,
            mem_mb=0,
            is_elastic=False,
            ends_by_s=naive.got[job.job][0] + job.limit_s,
        )
        for job in naive.running
    ]
    actions = decide(seen.Cluster(naive.nodes, 0, waiting, running, naive.now_s), seen.Rules(elastic=False))
    for action in actions:
        naive.start(next(job for job in naive.waiting if job.job == action.id))


POLICIES: dict[str, Callable[[Naive], None]] = {"fifo": fifo, "easy": easy, "mini-slurm": mini_slurm}


def play(jobs: Sequence[WorkJob], nodes: int, policy: str, delays: Delays) -> Naive:
    """To the end of the last job."""
    naive = Naive(nodes, delays)
    to_come = [job for job in jobs if job.nodes <= nodes]
    while to_come or naive.running:
        naive.now_s = min([job.arrival_s for job in to_come] + [naive.released_s(job) for job in naive.running])
        naive.running = [job for job in naive.running if naive.released_s(job) > naive.now_s]
        naive.waiting += [job for job in to_come if job.arrival_s <= naive.now_s]
        to_come = [job for job in to_come if job.arrival_s > naive.now_s]
        POLICIES[policy](naive)
    return naive

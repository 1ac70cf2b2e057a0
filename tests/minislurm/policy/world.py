"""A cluster under a fake clock: jobs come, end, are cancelled and answer to resizes; the policy decides, and the world does it.

All times are quarters of a second, so that sums of them are exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf

from perfdb.minislurm.policy.cluster import Cluster, Resize, Rules, Running, Start, Waiting
from perfdb.minislurm.policy.decide import decide
from perfdb.minislurm.policy.growth import growth_due_s

GRACE_S = 2.0


@dataclass(frozen=True)
class Arrival:
    """What is submitted, and how it will behave.

    Attributes:
        runs_s: How long it runs if it is let.
        answers_s: How long after a shrink it lets go; None for never.
    """

    job: Waiting
    runs_s: float
    answers_s: float | None


@dataclass(frozen=True)
class Pass:
    """One decision: the cluster before and after it."""

    before: Cluster
    actions: tuple[Start | Resize, ...]
    after: Cluster
    rules: Rules


@dataclass
class World:
    """All there is.

    Attributes:
        seen: Called with each pass.
        ends_s: When each running job will be over, whatever the policy knows of it. `answers_s` likewise, of each that has
            still to let go: when it will, infinite for never.
        resizes: When each job was resized, as it happened.
        counts: What happened how often.
    """

    cpus: int
    mem_mb: int
    rules: Rules
    seen: Callable[[World, Pass], None]
    now_s: float = 0.0
    waiting: dict[int, Waiting] = field(default_factory=dict)
    running: dict[int, Running] = field(default_factory=dict)
    arrivals: dict[int, Arrival] = field(default_factory=dict)
    ends_s: dict[int, float] = field(default_factory=dict)
    answers_s: dict[int, float] = field(default_factory=dict)
    resizes: dict[int, list[float]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def cluster(self) -> Cluster:
        """As the policy is shown it."""
        waiting = sorted(self.waiting.values(), key=lambda job: (-job.priority, job.id))
        return Cluster(self.cpus, self.mem_mb, waiting, list(self.running.values()), self.now_s)

    @property
    def next_s(self) -> float | None:
        """When something happens that the daemon wakes for."""
        due_s = growth_due_s(self.cluster, self.rules)
        times = [*self.ends_s.values(), *self.lets_go_s.values(), *([] if due_s is None else [due_s])]
        return min((time for time in times if time > self.now_s), default=None)

    @property
    def lets_go_s(self) -> dict[int, float]:
        """When those that were told to shrink have let go: once they answered, and by the deadline at the latest."""
        return {id: min(at_s, self.resizes[id][-1] + self.rules.release_s) for id, at_s in self.answers_s.items()}

    def submit(self, *arrivals: Arrival) -> None:
        """They come at one instant."""
        for arrival in arrivals:
            self.arrivals[arrival.job.id] = arrival
            self.waiting[arrival.job.id] = arrival.job
        self.decide()

    def cancel(self, id: int) -> None:
        """A waiting job goes, a running one is told to end and does within the grace."""
        if self.waiting.pop(id, None) is None:
            job = self.running[id]
            by_s = min(self.now_s + GRACE_S, self.ends_s[id])
            ends_by_s = self.now_s + GRACE_S if job.ends_by_s is None else min(job.ends_by_s, self.now_s + GRACE_S)
            self.running[id] = replace(job, is_ending=True, ends_by_s=ends_by_s)
            self.ends_s[id] = by_s
        self.decide()

    def advance(self, to_s: float) -> None:
        """Time passes; the daemon decides after each thing that happens."""
        while (next_s := self.next_s) is not None and next_s <= to_s:
            self.now_s = next_s
            self._end()
            self._let_go()
            self.decide()
        self.now_s = to_s

    def black_out(self, to_s: float) -> None:
        """The daemon is away until then: jobs end, but nobody decides and nobody sees a job let go."""
        self.now_s = to_s
        self._end()
        self.decide()
        self._let_go()
        self.decide()

    def decide(self) -> None:
        """One pass, and further ones while it brought something about at once."""
        while True:
            before = self.cluster
            actions = decide(before, self.rules)
            for action in actions:
                if isinstance(action, Start):
                    self._start(action)
                else:
                    self._resize(action)
            self.counts["passes"] += 1
            self.seen(self, Pass(before, actions, self.cluster, self.rules))
            if not self._let_go():
                return

    def _start(self, start: Start) -> None:
        job, behaviour = self.waiting.pop(start.id), self.arrivals[start.id]
        ends_by_s = None if job.limit_s is None else self.now_s + job.limit_s
        self.running[job.id] = Running(
            job.id,
            job.priority,
            start.cpus,
            start.cpus,
            job.min_cpus,
            job.max_cpus,
            job.mem_mb,
            job.is_elastic,
            ends_by_s,
        )
        ends_s = self.now_s + behaviour.runs_s
        self.ends_s[job.id] = ends_s if ends_by_s is None else min(ends_s, ends_by_s)

    def _resize(self, resize: Resize) -> None:
        job = self.running[resize.id]
        self.resizes.setdefault(job.id, []).append(self.now_s)
        if resize.cpus > job.cpus:
            job = replace(job, cpus=resize.cpus)
        else:
            answers_s = self.arrivals[job.id].answers_s
            self.answers_s[job.id] = inf if answers_s is None else self.now_s + answers_s
        self.running[job.id] = replace(job, target_cpus=resize.cpus, resized_s=self.now_s)

    def _end(self) -> None:
        for id in [id for id, at_s in self.ends_s.items() if at_s <= self.now_s]:
            del self.running[id], self.ends_s[id]
            self.answers_s.pop(id, None)
            self.counts["ended"] += 1

    def _let_go(self) -> bool:
        gone = [id for id, at_s in self.lets_go_s.items() if at_s <= self.now_s]
        for id in gone:
            del self.answers_s[id]
            self.running[id] = replace(self.running[id], cpus=self.running[id].target_cpus)
        return bool(gone)

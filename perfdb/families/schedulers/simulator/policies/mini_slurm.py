"""mini-slurm's own policy, `perfdb.minislurm.policy.decide`, under the simulator's clock: a CPU is a node, and no job is elastic.

The policy decides. What can't change what it decides is not given to it, so that a queue of thousands is not gone through at
every event:

- Of those that run, who is expected to be over after the moment at which the head, the first that does not fit, fits. They are
  given to it as one job without an end: it looks no further than until then.
- Of those behind the head, who asks for more than is free, and who neither is over by that moment nor asks for at most what
  is left over then. The policy passes over them, and nothing else is done with them.

Both are bounds on the safe side: jobs that start in the same pass may bring the head's moment forward, never put it off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

from perfdb.families.schedulers.simulator.cluster import Cluster
from perfdb.families.schedulers.simulator.policies.fifo import front
from perfdb.minislurm.policy.cluster import Cluster as Seen
from perfdb.minislurm.policy.cluster import Rules, Running, Start, Waiting
from perfdb.minislurm.policy.decide import decide

_RIGID = Rules(elastic=False)
# The policy counts in seconds as floats, which are off by less than this up to 2**30 of them.
_ROUNDING_NS = 1000


def mini_slurm(cluster: Cluster) -> None:
    """Start whom it says."""
    fits, head, free = front(cluster)
    looked_at = fits
    horizon = _Horizon([], 0, 0)
    if head is not None:
        looked_at = [*fits, head]
        if free:
            horizon = _look_ahead(cluster, cluster.asked[head] - free, fits)
            window_ns = horizon.at_ns - cluster.now_ns + _ROUNDING_NS
            looked_at += cluster.queue.allowed_behind(head, free, window_ns, horizon.spare)
    held = cluster.nodes - cluster.free - sum(job.cpus for job in horizon.ending)
    seen = Seen(
        cpus=cluster.nodes,
        mem_mb=0,
        waiting=_Made(looked_at, cluster),
        # The rest under an id that no job has.
        running=[*horizon.ending, _holds(-1, held, None)],
        now_s=cluster.now_ns / 1e9,
    )
    for action in decide(seen, _RIGID):
        assert isinstance(action, Start), "a job that is not elastic was to be resized"
        cluster.start(action.id)


class _Horizon(NamedTuple):
    """Until when to look: who runs and is over by then, when that is, and how many nodes more than are missing may be free."""

    ending: list[Running]
    at_ns: int
    spare: int


def _look_ahead(cluster: Cluster, missing: int, starting: list[int]) -> _Horizon:
    """As far as until `missing` nodes, at least 1, are given back; who is over at that very moment counts too.

    Args: starting: Who starts in this pass. They are counted where those that run don't suffice, and as spare in any case.
    """
    ending: list[Running] = []
    last_ns = cluster.now_ns
    for expected_ns, job in cluster.expected:
        at_ns = max(expected_ns, cluster.now_ns)
        if missing <= 0 and at_ns > last_ns:
            break
        last_ns = at_ns
        missing -= cluster.asked[job]
        ending.append(_holds(job, cluster.asked[job], expected_ns / 1e9))
    if missing > 0:
        last_ns = max(last_ns, cluster.now_ns + max(cluster.limits_ns[job] for job in starting))
    return _Horizon(ending, last_ns, sum(cluster.asked[job] for job in starting) - missing)


class _Made(Sequence[Waiting]):
    """Jobs as the policy knows them, made as it comes to them: it goes no further than there is anything free."""

    def __init__(self, jobs: list[int], cluster: Cluster) -> None:
        self._jobs, self._cluster = jobs, cluster

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Waiting]:
        return map(self._made, self._jobs)

    @overload
    def __getitem__(self, place: int) -> Waiting: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Waiting]: ...
    def __getitem__(self, place: int | slice) -> Waiting | Sequence[Waiting]:
        if isinstance(place, slice):
            return _Made(self._jobs[place], self._cluster)
        return self._made(self._jobs[place])

    def _made(self, job: int) -> Waiting:
        cpus = self._cluster.asked[job]
        limit_s = self._cluster.limits_ns[job] / 1e9
        return Waiting(job, 0, cpus, cpus, cpus, 0, limit_s, is_elastic=False)


def _holds(id: int, cpus: int, ends_by_s: float | None) -> Running:
    return Running(id, 0, cpus, cpus, cpus, cpus, 0, is_elastic=False, ends_by_s=ends_by_s)

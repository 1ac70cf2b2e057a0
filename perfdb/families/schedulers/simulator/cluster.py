"""What a policy sees, and what it may do: start jobs."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence

from perfdb.families.schedulers.simulator.queue import Queue


class Cluster:
    """Nodes and jobs at one moment; jobs are named by their places in the list.

    Attributes:
        nodes: How many there are. free: how many of them are.
        now_ns: The moment.
        asked: Nodes that each job of the list asks for. limits_ns: how long each says that it runs at most.
        queue: Who waits.
        expected: Who holds nodes, and when it has given them back by its limit, soonest first.
    """

    def __init__(self, nodes: int, asked: Sequence[int], limits_ns: Sequence[int]) -> None:
        self.nodes = self.free = nodes
        self.now_ns = 0
        self.asked = asked
        self.limits_ns = limits_ns
        self.queue = Queue(asked, limits_ns)
        self.expected: list[tuple[int, int]] = []
        self._expected_ns: dict[int, int] = {}
        self._started: list[int] = []

    def start(self, job: int) -> None:
        """Give a job that waits its nodes, which must be free."""
        self.queue.remove(job)
        self.free -= self.asked[job]
        expected_ns = self._expected_ns[job] = self.now_ns + self.limits_ns[job]
        insort(self.expected, (expected_ns, job))
        self._started.append(job)

    def give_back(self, job: int) -> None:
        """Its nodes are free again."""
        self.free += self.asked[job]
        del self.expected[bisect_left(self.expected, (self._expected_ns.pop(job), job))]

    def take_started(self) -> list[int]:
        """Those that were started since this was asked last."""
        started, self._started = self._started, []
        return started


# What a scheduler does in turn when it looks at its queue.
Policy = tuple[Callable[[Cluster], None], ...]

"""Who waits and who was promised what: the store's contents that decisions are made from, in memory."""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterable

from perfdb.minislurm.policy.cluster import Waiting
from perfdb.minislurm.store.promise import Promise


class Ledger:
    """Changed as a copy, which takes the original's place once the store has it too."""

    def __init__(self, cpu_ids: tuple[int, ...], waiting: list[Waiting], promises: dict[int, Promise]) -> None:
        """Args: cpu_ids: What is offered, by the scheduler's numbers. waiting: In the queue's order."""
        self.cpu_ids = cpu_ids
        self.waiting = waiting
        self.promises = promises

    def copy(self) -> Ledger:
        """One that can be changed."""
        return Ledger(self.cpu_ids, self.waiting.copy(), self.promises.copy())

    @property
    def promised_cpus(self) -> int:
        """Of all running jobs."""
        return sum(promise.cpus for promise in self.promises.values())

    def free_cpus(self) -> list[int]:
        """Those that nobody was promised, ascending."""
        taken = {cpu for promise in self.promises.values() for cpu in promise.cpu_ids}
        return [cpu for cpu in self.cpu_ids if cpu not in taken]

    def queue(self, jobs: Iterable[Waiting]) -> None:
        """Put them where they belong. Those of one submission stay together, so the first one's place is that of all."""
        batch = list(jobs)
        if batch:
            place = bisect.bisect(self.waiting, batch[0].order, key=_order)
            self.waiting[place:place] = batch

    def take_out(self, ids: Collection[int]) -> list[Waiting]:
        """Remove those of `ids` that wait; looks no further than the last of them."""
        found: list[tuple[int, Waiting]] = []
        wanted = set(ids)
        for place, job in enumerate(self.waiting):
            if len(found) == len(wanted):
                break
            if job.id in wanted:
                found.append((place, job))
        for place, _ in reversed(found):
            del self.waiting[place]
        return [job for _, job in found]


def _order(job: Waiting) -> tuple[int, int]:
    return job.order

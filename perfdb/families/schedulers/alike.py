"""Which jobs are alike, so that a reader can tell the groups apart. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from perfdb.families.schedulers.outcome import Outcome

# As many colours as are told apart.
MOST_GROUPS = 7


class Alike:
    """Jobs by their experiments; where those are too many, by their sizes, in classes that grow by powers of two.

    Attributes:
        names: Of the groups, in order of their sizes.
    """

    def __init__(self, jobs: Iterable[Outcome]) -> None:
        sizes: dict[str, int] = {}
        doublings = set()
        for job in jobs:
            sizes[job.work.experiment] = max(sizes.get(job.work.experiment, 0), job.work.nodes)
            doublings.add(_doublings(job))
        self._by_size = len(sizes) > MOST_GROUPS
        # So many doublings of the size are one class.
        self._step = max(doublings, default=0) // MOST_GROUPS + 1
        classes = sorted({number // self._step for number in doublings})
        experiments = sorted(sizes, key=lambda name: (sizes[name], name))
        self.names = tuple(map(self._class, classes) if self._by_size else experiments)

    def of(self, job: Outcome) -> str:
        """The name of its group."""
        return self._class(_doublings(job) // self._step) if self._by_size else job.work.experiment

    def _class(self, number: int) -> str:
        least = 2 ** (number * self._step - 1) + 1 if number else 1
        most = 2 ** ((number + 1) * self._step - 1)
        if least == most:
            return "1 node" if most == 1 else f"{most} nodes"
        return f"{least:,}–{most:,} nodes"


def _doublings(job: Outcome) -> int:
    """How often 1 must be doubled until it is no less than the job's size."""
    return (job.work.nodes - 1).bit_length()

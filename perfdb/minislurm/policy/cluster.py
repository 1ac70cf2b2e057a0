"""What the policy decides from, and what it decides.

Times are seconds on one monotonic clock; CPUs are whole; memory is in MB of 2**20 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job in the queue.

    Attributes:
        cpus: What it starts with; between its bounds.
        limit_s: It is ended this long after its start; None for never.
        is_elastic: Whether it may be resized; where not, its bounds are its `cpus`.
    """

    id: int
    priority: int
    cpus: int
    min_cpus: int
    max_cpus: int
    mem_mb: int
    limit_s: float | None
    is_elastic: bool

    @property
    def order(self) -> tuple[int, int]:
        """Sorts the queue: higher priority first, then who came first."""
        return (-self.priority, self.id)


@dataclass(frozen=True, slots=True)
class Running:
    """A job that holds CPUs.

    Attributes:
        cpus: What it holds, promised to nobody else.
        target_cpus: What it is being shrunk to, or `cpus`: the rest is free once it has let go.
        ends_by_s: When it is over at the latest; None where nobody knows.
        resized_s: When it was resized last, None for never.
        is_ending: It was told to end; it is not resized any more.
    """

    id: int
    priority: int
    cpus: int
    target_cpus: int
    min_cpus: int
    max_cpus: int
    mem_mb: int
    is_elastic: bool
    ends_by_s: float | None = None
    resized_s: float | None = None
    is_ending: bool = False


@dataclass(frozen=True, slots=True)
class Cluster:
    """All there is. `waiting` is sorted by `Waiting.order`."""

    cpus: int
    mem_mb: int
    waiting: Sequence[Waiting]
    running: Sequence[Running]
    now_s: float


@dataclass(frozen=True, slots=True)
class Rules:
    """How to decide.

    Attributes:
        elastic: Whether jobs are resized at all.
        threshold_percent: Jobs grow only while less than this share of the CPUs is promised.
        cooldown_s: So long after a resize a job does not grow.
        release_s: A job that was told to shrink has let go after this long, whatever it does.
    """

    elastic: bool = True
    threshold_percent: float = 50.0
    cooldown_s: float = 10.0
    release_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Start:
    """Give it its CPUs and run it."""

    id: int
    cpus: int


@dataclass(frozen=True, slots=True)
class Resize:
    """Make it hold this many, more or fewer than now."""

    id: int
    cpus: int

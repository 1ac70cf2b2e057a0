"""What a running job was promised."""

from __future__ import annotations

from dataclasses import dataclass

from perfdb.minislurm.policy.cluster import Running


@dataclass(frozen=True, slots=True)
class Promise:
    """A job that holds CPUs; nobody else is promised them.

    Attributes:
        attempt: Which of its attempts runs; the only one that may.
        cpu_ids: What it holds, by the scheduler's numbers.
        target_cpus: What it is being shrunk to, or what it holds.
        allocated_ns: When it got them; CLOCK_MONOTONIC, as `resized_ns`, when it was resized last.
        boot: Of those.
        enforcement: What keeps it to its CPUs.
        is_cancelled: Somebody wants it to end.
    """

    id: int
    priority: int
    min_cpus: int
    max_cpus: int
    mem_mb: int
    limit_s: float | None
    is_elastic: bool
    attempt: int
    cpu_ids: tuple[int, ...]
    target_cpus: int
    generation: int
    allocated_ns: int
    boot: str
    enforcement: str
    resized_ns: int | None = None
    is_cancelled: bool = False

    @property
    def cpus(self) -> int:
        """How many it holds."""
        return len(self.cpu_ids)

    @property
    def is_letting_go(self) -> bool:
        """Whether it is being shrunk."""
        return self.target_cpus < self.cpus

    def running(self, *, is_resizable: bool) -> Running:
        """As the policy sees it; a job that can't be resized yet as one that is not elastic."""
        elastic = self.is_elastic and (is_resizable or self.is_letting_go)
        return Running(
            id=self.id,
            priority=self.priority,
            cpus=self.cpus,
            target_cpus=self.target_cpus,
            min_cpus=self.min_cpus if elastic else self.target_cpus,
            max_cpus=self.max_cpus if elastic else self.target_cpus,
            mem_mb=self.mem_mb,
            is_elastic=elastic,
            ends_by_s=None if self.limit_s is None else self.allocated_ns / 1e9 + self.limit_s,
            resized_s=None if self.resized_ns is None else self.resized_ns / 1e9,
            is_ending=self.is_cancelled,
        )

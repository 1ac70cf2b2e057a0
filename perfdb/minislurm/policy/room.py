"""What a pass still has to give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from perfdb.minislurm.policy.cluster import Cluster, Waiting


@dataclass(slots=True)
class Room:
    """CPUs and memory that nobody in front has a claim on.

    Attributes:
        free: CPUs that could be used now. Negative where the cluster offers fewer than its jobs hold.
        coming: CPUs that jobs were told to let go of and still hold.
        mem_mb: Memory that could be used now.
    """

    free: int
    coming: int
    mem_mb: int

    @classmethod
    def of(cls, cluster: Cluster) -> Self:
        """What the running jobs leave."""
        return cls(
            free=cluster.cpus - sum(job.cpus for job in cluster.running),
            coming=sum(job.cpus - job.target_cpus for job in cluster.running),
            mem_mb=cluster.mem_mb - sum(job.mem_mb for job in cluster.running),
        )

    def fits(self, job: Waiting) -> bool:
        """Whether `job` could start now."""
        return job.cpus <= self.free and job.mem_mb <= self.mem_mb

    def take(self, job: Waiting) -> None:
        """`job` starts."""
        self.free -= job.cpus
        self.mem_mb -= job.mem_mb

    def claim(self, job: Waiting) -> None:
        """`job` starts as soon as CPUs that are coming are there: nobody behind it gets what it needs."""
        now = min(self.free, job.cpus)
        self.free -= now
        self.coming -= job.cpus - now
        self.mem_mb -= job.mem_mb

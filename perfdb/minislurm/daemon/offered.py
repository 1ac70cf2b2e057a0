"""What the daemon offers jobs, of what the machine has."""

from __future__ import annotations

from dataclasses import dataclass

from perfdb.errors import UsageError
from perfdb.minislurm.machine import Machine


@dataclass(frozen=True)
class Offered:
    """What is promised to jobs at most.

    Attributes:
        real_cpus: The machine's CPUs, which the `cpus` stand for, one after another and, with overcommit, round again.
        enforcement: What keeps jobs to theirs.
    """

    cpus: int
    mem_mb: int
    real_cpus: tuple[int, ...]
    enforcement: str

    @classmethod
    def of(
        cls, machine: Machine, enforcement: str, *, cpus: int | None, mem_mb: int | None, overcommit: bool
    ) -> Offered:
        """As much as was asked for, or all that there is.

        Raises:
            UsageError: it is more than there is, or less than one.
        """
        count = len(machine.cpu_ids)
        cpus = count if cpus is None else cpus
        mem_mb = machine.mem_mb if mem_mb is None else mem_mb
        if cpus < 1 or mem_mb < 1:
            raise UsageError(
                f"a scheduler offers at least one CPU and 1 MB, not {cpus} and {mem_mb}. Type --cpus 1 --mem 1GB, or more."
            )
        if cpus > count and not overcommit:
            raise UsageError(
                f"--cpus {cpus} is more than this machine lets us use: {count}. Type --cpus {count}, or add --overcommit to "
                "promise more than there are."
            )
        if mem_mb > machine.mem_mb and not overcommit:
            raise UsageError(
                f"--mem {mem_mb} MB is more than this machine lets us use: {machine.mem_mb} MB. Type less, or add "
                "--overcommit to promise more than there is."
            )
        return cls(cpus, mem_mb, machine.cpu_ids, enforcement)

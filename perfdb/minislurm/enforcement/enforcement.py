"""What keeps a job to its share: one means for its CPUs, one for its memory; the same one where a cgroup holds both."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, Protocol


class Watch(Protocol):
    """Tells a supervisor that its job wanted more memory than it may have.

    Attributes:
        fd: Polls ready, for the events in `mask`, when that may be so; None where somebody has to look every `look_s`.
    """

    fd: int | None
    mask: int
    look_s: float | None

    def is_over(self) -> bool:
        """Whether it is so."""
        ...

    def peak_kb(self) -> int:
        """The most memory the job had, in units of 1024 bytes; 0 where that is not known."""
        ...


class Share(NamedTuple):
    """What a job may have.

    Attributes:
        group: One attempt of one job; names its cgroups.
        cpu_ids: CPUs by the machine's numbers; where a scheduler promises more than there are, it maps its own before.
        memory_mb: In MB of 2**20 bytes.
        supervisor_pid: The job's processes are those below this one.
    """

    group: str
    cpu_ids: tuple[int, ...]
    memory_mb: int
    supervisor_pid: int


class Means:
    """One way to keep a job to its CPUs, its memory or both."""

    def make(self, share: Share) -> None:
        """Prepare for a job. Raises OSError where that cannot be."""

    def join(self, share: Share) -> None:
        """Put this process, and all that it begins, under it. Raises OSError."""

    def leave(self) -> None:
        """Put this process back to where it was. Raises OSError."""

    def set_cpus(self, group: str, cpu_ids: Collection[int], supervisor_pid: int) -> bool:
        """As of `Enforcement`; for a means that holds CPUs."""
        raise NotImplementedError

    def watch(self, share: Share) -> Watch:
        """As of `Enforcement`; for a means that holds memory."""
        raise NotImplementedError

    def remove(self, group: str) -> None:
        """Leave nothing of it, once all of the job's processes are gone."""


class Enforcement:
    """Both. `name` says by what, and goes into every record."""

    def __init__(self, name: str, cpus: Means, memory: Means) -> None:
        self.name = name
        self._cpus = cpus
        self._memory = memory
        self._all = (cpus,) if cpus is memory else (cpus, memory)

    def make(self, share: Share) -> None:
        """Prepare for a job (the supervisor calls this).

        Raises:
            OSError: it can't be kept to that here.
        """
        for means in self._all:
            means.make(share)

    def join(self, share: Share) -> None:
        """Put this process, and all that it begins, under it: the supervisor while it begins the job's first process.

        Raises:
            OSError: that can't be.
        """
        for means in self._all:
            means.join(share)

    def leave(self) -> None:
        """Put this process back to where it was.

        Raises:
            OSError: that can't be.
        """
        for means in self._all:
            means.leave()

    def set_cpus(self, group: str, cpu_ids: Collection[int], supervisor_pid: int) -> bool:
        """Let all of a running job's processes, those below its supervisor, use just these CPUs (the daemon calls this).

        Returns:
            False where the job has ended.

        Raises:
            OSError: these CPUs can't be had.
        """
        return self._cpus.set_cpus(group, cpu_ids, supervisor_pid)

    def watch(self, share: Share) -> Watch:
        """Tells when the job is over its memory (the supervisor calls this once it has called `make`)."""
        return self._memory.watch(share)

    def remove(self, group: str) -> None:
        """Leave nothing of it, once all of the job's processes are gone."""
        for means in self._all:
            means.remove(group)

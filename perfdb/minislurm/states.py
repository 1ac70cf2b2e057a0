"""What a job can be, in Slurm's words."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """A job's state."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMEOUT = "TIMEOUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    # Its supervisor, or the machine, went away while it may have run. It is not run again.
    NODE_FAIL = "NODE_FAIL"

    @property
    def is_final(self) -> bool:
        """Whether nothing more becomes of it."""
        return self not in (State.PENDING, State.RUNNING)

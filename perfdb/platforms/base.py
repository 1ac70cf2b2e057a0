"""What perfdb asks of a batch system."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

COMMAND_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Job:
    """One cluster job of a run, in the batch system's own times."""

    job_id: str
    submitted_at: datetime | None = None
    started_at: datetime | None = None

    @property
    def queue_wait_s(self) -> float | None:
        """From submission to start, or None while either is unknown."""
        if self.submitted_at is None or self.started_at is None:
            return None
        return max(0.0, (self.started_at - self.submitted_at).total_seconds())


class Platform(Protocol):
    """A batch system. No method raises for a missing command: what cannot be asked stays unknown."""

    @property
    def name(self) -> str:
        """As people call it."""

    @property
    def provider_classes(self) -> frozenset[str]:
        """Names of the Parsl providers that submit to it."""

    def jobs_of(self, run_dir: Path) -> tuple[str, ...]:
        """Ids of the jobs that a Parsl run in `run_dir` submitted."""

    def times_of(self, job_ids: tuple[str, ...]) -> tuple[Job, ...]:
        """When they were submitted and started."""

    def cancel(self, job_ids: tuple[str, ...]) -> tuple[str, ...]:
        """End those that are not over; returns the ids that could not be ended."""

    def version(self) -> str | None:
        """The batch system's version."""


def ask(argv: list[str]) -> tuple[int, str]:
    """Run a batch system's command; (127, '') where there is none or it hangs."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 127, ""
    return done.returncode, done.stdout

"""Slurm by its own commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from perfdb.platforms.base import Job, ask
from perfdb.platforms.parsl_log import job_names, launched_jobs

_OVER = {
    "COMPLETED",
    "CANCELLED",
    "FAILED",
    "TIMEOUT",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "BOOT_FAIL",
    "DEADLINE",
    "PREEMPTED",
}


@dataclass(frozen=True)
class Slurm:
    """squeue, scontrol and scancel. Times have Slurm's resolution of one second."""

    name: str = "slurm"
    provider_classes: frozenset[str] = frozenset({"SlurmProvider"})

    def jobs_of(self, run_dir: Path) -> tuple[str, ...]:
        """From parsl.log, and by job name for one that was submitted but not yet logged when we were killed."""
        found = dict.fromkeys(j for j in launched_jobs(run_dir) if j.isdigit())
        if names := job_names(run_dir):
            code, text = ask(["squeue", "--noheader", "--format=%A", "--name=" + ",".join(names)])
            if code == 0:
                found.update(dict.fromkeys(word for word in text.split() if word.isdigit()))
        return tuple(found)

    def times_of(self, job_ids: tuple[str, ...]) -> tuple[Job, ...]:
        """From `scontrol show job`, which knows a job for some minutes after its end."""
        return tuple(self._times(job_id) for job_id in job_ids)

    def cancel(self, job_ids: tuple[str, ...]) -> tuple[str, ...]:
        """scancel, for those that squeue still lists; what it can't cancel is returned."""
        return tuple(j for j in job_ids if self._active(j) and ask(["scancel", j])[0] != 0)

    def version(self) -> str | None:
        """As `sinfo --version` says it."""
        code, text = ask(["sinfo", "--version"])
        return text.removeprefix("slurm").strip() or None if code == 0 else None

    def _active(self, job_id: str) -> bool:
        code, text = ask(["squeue", "--noheader", "--format=%T", "--jobs=" + job_id])
        # An unknown job id is an error; a Slurm that does not answer is one too, so try rather than trust.
        return code != 0 or any(state not in _OVER for state in text.split())

    def _times(self, job_id: str) -> Job:
        code, text = ask(["scontrol", "show", "job", job_id])
        fields = dict(re.findall(r"(\w+Time)=(\S+)", text)) if code == 0 else {}
        return Job(job_id, _instant(fields.get("SubmitTime")), _instant(fields.get("StartTime")))


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError):  # Unknown, None assigned
        return None


SLURM = Slurm()

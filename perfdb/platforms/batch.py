"""The other batch systems that Parsl submits to, as far as ending their jobs goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfdb.platforms.base import Job, ask
from perfdb.platforms.parsl_log import launched_jobs


@dataclass(frozen=True)
class BatchSystem:
    """One command that cancels a job by its id. The wait in the queue stays unknown."""

    name: str
    provider_classes: frozenset[str]
    cancel_command: str

    def jobs_of(self, run_dir: Path) -> tuple[str, ...]:
        """As parsl.log names them."""
        return launched_jobs(run_dir)

    def times_of(self, job_ids: tuple[str, ...], names: tuple[str, ...] = ()) -> tuple[Job, ...]:  # noqa: ARG002 (a platform's method)
        """Ids alone."""
        return tuple(Job(job_id=job_id) for job_id in job_ids)

    def cancel(self, job_ids: tuple[str, ...], names: tuple[str, ...] = ()) -> tuple[str, ...]:  # noqa: ARG002 (a platform's method)
        """Ask for each: these commands refuse jobs that are over, which can't be told from other refusals."""
        return tuple(job_id for job_id in job_ids if ask([self.cancel_command, job_id])[0] == 127)

    def over(self, job_ids: tuple[str, ...]) -> bool:  # noqa: ARG002 (a platform's method)
        """Not asked."""
        return True

    def nodes_up(self) -> tuple[str, ...] | None:
        """Not asked."""
        return None

    def version(self) -> str | None:
        """Not asked."""
        return None

    def settings(self, partitions: Sequence[str | None]) -> Mapping[str, str]:  # noqa: ARG002 (a platform's method)
        """Not asked."""
        return {}


BATCH_SYSTEMS = (
    BatchSystem("pbs", frozenset({"PBSProProvider", "TorqueProvider"}), "qdel"),
    BatchSystem("grid-engine", frozenset({"GridEngineProvider"}), "qdel"),
    BatchSystem("lsf", frozenset({"LSFProvider"}), "bkill"),
    BatchSystem("condor", frozenset({"CondorProvider"}), "condor_rm"),
)

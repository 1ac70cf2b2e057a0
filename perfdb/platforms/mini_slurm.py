"""mini-slurm: its database tells all, to the microsecond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from perfdb.errors import PerfdbError
from perfdb.minislurm import client
from perfdb.minislurm.places import Places
from perfdb.minislurm.store.job import Job as MiniSlurmJob
from perfdb.minislurm.store.reading import Reader
from perfdb.platforms.base import UNTOLD, Job, Stamp
from perfdb.platforms.parsl_log import launched_jobs

_RESOLUTION_S = 1e-6


@dataclass(frozen=True)
class MiniSlurm:
    """The one below $MINI_SLURM_HOME, or the home folder. Jobs are known by their numbers in its database."""

    name: str = "mini-slurm"
    provider_classes: frozenset[str] = frozenset({"perfdb.minislurm.provider.MiniSlurmProvider"})

    def jobs_of(self, run_dir: Path) -> tuple[str, ...]:
        """As parsl.log names them."""
        return launched_jobs(run_dir)

    def times_of(self, job_ids: tuple[str, ...], names: tuple[str, ...] = ()) -> tuple[Job, ...]:
        """Out of its database."""
        return tuple(_job(job_id, _known(job_id, names)) for job_id in job_ids)

    def cancel(self, job_ids: tuple[str, ...], names: tuple[str, ...] = ()) -> tuple[str, ...]:
        """One request for those that are not over; all of them are returned if it was refused."""
        found = {job_id: _known(job_id, names) for job_id in job_ids}
        left = tuple(job_id for job_id, job in found.items() if job is not None and not job.state.is_final)
        try:
            if left:
                client.cancel(Places.here(), [int(job_id) for job_id in left])
        except PerfdbError:
            return left
        return ()

    def over(self, job_ids: tuple[str, ...]) -> bool:
        """Whether each has ended, its supervisor's word included."""
        found = [_known(job_id, ()) for job_id in job_ids]
        return all(job is None or job.state.is_final for job in found)

    def nodes_up(self) -> tuple[str, ...] | None:
        """None is powered on demand: there is this machine."""
        return None

    def version(self) -> str | None:
        """perfdb's, whose part it is."""
        return version("perfdb")

    def settings(self, partitions: Sequence[str | None]) -> Mapping[str, str]:  # noqa: ARG002 (a platform's method)
        """What its scheduler offers, and by which rules; empty where none ever ran."""
        try:
            with Reader(Places.here()) as reader:
                offer = reader.offer()
        except PerfdbError:
            return {}
        return {} if offer is None else {key: str(value) for key, value in asdict(offer).items()}


def _known(job_id: str, names: tuple[str, ...]) -> MiniSlurmJob | None:
    try:
        with Reader(Places.here()) as reader:
            job = reader.job(int(job_id))
    except (PerfdbError, ValueError):
        return None
    return job if job is None or not names or job.name in names else None


def _job(job_id: str, job: MiniSlurmJob | None) -> Job:
    if job is None:
        return Job(job_id=job_id, why=UNTOLD)
    return Job(
        job_id=job_id,
        pending=_stamp(job.submit_at, "submitted"),
        allocated=_stamp(job.allocated_at, "allocated"),
        started=_stamp(job.started_at, "started"),
        ended=_stamp(job.ended_at, "ended"),
        state=job.state.value,
        why=job.reason or None,
    )


def _stamp(at: float | None, what: str) -> Stamp | None:
    if at is None:
        return None
    return Stamp(
        at=datetime.fromtimestamp(at, UTC), resolution_s=_RESOLUTION_S, source=f"mini-slurm's database: {what}"
    )


MINI_SLURM = MiniSlurm()

"""What perfdb asks of a batch system."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field

from perfdb.record.model import Frozen, Instant, Seconds

COMMAND_TIMEOUT_S = 20.0


# Providers all of whose blocks are on the submit host.
ON_SUBMIT_HOST = frozenset({"LocalProvider", "perfdb.minislurm.provider.MiniSlurmProvider"})
# Why a job's state is not known: the batch system does not answer, or has forgotten it.
UNTOLD = "the batch system told nothing"


class Stamp(Frozen):
    """An instant by a batch system's clock. It was `at` or up to `resolution_s` later; `source` says who wrote it down."""

    at: Instant
    resolution_s: Seconds
    source: Annotated[str, Field(max_length=200)]


class NodeBoot(Frozen):
    """A node that was powered up for a job: when that was asked for, and when the node's daemon registered."""

    node: str
    asked: Stamp | None = None
    registered: Stamp | None = None


class Job(Frozen):
    """One cluster job of a run, in the batch system's own times and words.

    Attributes:
        job_id: The batch system's.
        pending: It took the job.
        allocated: It gave the job its nodes.
        started: It started the job; on a node that boots, after the boot.
        ended: The job was over and its nodes were given back.
        state: As the batch system calls it, e.g. PENDING or TIMEOUT.
        why: Its reason for that state, e.g. PartitionDown.
        restarts: How often it was requeued; the times are of its last way.
        nodes: Real names, which go into no record.
        boots: Those of them that were powered up for it.
    """

    job_id: str
    pending: Stamp | None = None
    allocated: Stamp | None = None
    started: Stamp | None = None
    ended: Stamp | None = None
    state: str | None = None
    why: str | None = None
    restarts: Annotated[int, Field(ge=0)] = 0
    nodes: tuple[str, ...] = ()
    boots: tuple[NodeBoot, ...] = ()

    @property
    def queue_wait_s(self) -> float | None:
        """From submission to start, or None while either is unknown."""
        if self.pending is None or self.started is None:
            return None
        return max(0.0, (self.started.at - self.pending.at).total_seconds())


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

    def times_of(self, job_ids: tuple[str, ...], names: tuple[str, ...] = ()) -> tuple[Job, ...]:
        """All that it knows about them, in that order.

        Args:
            job_ids: As `jobs_of` told them.
            names: Where the ids are old: of jobs of other names, which have come to those ids since, nothing is told.
        """

    def over(self, job_ids: tuple[str, ...]) -> bool:
        """Whether all of them are over, their nodes given back; True where that cannot be asked."""

    def cancel(self, job_ids: tuple[str, ...], names: tuple[str, ...] = ()) -> tuple[str, ...]:
        """End those that are not over; returns the ids that could not be ended.

        Args:
            job_ids: As `jobs_of` told them.
            names: Where the ids are old: jobs of other names have come to those ids since, and are left alone.
        """

    def nodes_up(self) -> tuple[str, ...] | None:
        """Nodes that are powered on demand and now up, or on their way, with nothing to do; None where none are so powered."""

    def version(self) -> str | None:
        """The batch system's version."""

    def settings(self, partitions: Sequence[str | None]) -> Mapping[str, str]:
        """How it is set, as far as that may move a number, by its own names; empty where that is not told.

        Args:
            partitions: Those that the config's blocks go to, several with commas between; None for the default one.

        Returns:
            Text of any length, without hosts, users, paths and addresses.
        """


def ask(
    argv: list[str], *, timeout_s: float = COMMAND_TIMEOUT_S, env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a batch system's command; (127, '') where there is none or it hangs."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
            env=env,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 127, ""
    return done.returncode, done.stdout

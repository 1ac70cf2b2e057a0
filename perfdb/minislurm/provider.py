"""Blocks of Parsl's as jobs of mini-slurm's. Imported by configs, so in child processes only."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parsl.jobs.states import JobState, JobStatus
from parsl.launchers import SingleNodeLauncher
from parsl.launchers.base import Launcher
from parsl.providers.base import ExecutionProvider
from parsl.providers.errors import SubmitException
from parsl.utils import RepresentationMixin

from perfdb.errors import PerfdbError
from perfdb.minislurm import client
from perfdb.minislurm.places import Places
from perfdb.minislurm.request import Request
from perfdb.minislurm.states import State
from perfdb.minislurm.store.reading import Reader

_STATES = {
    State.PENDING: JobState.PENDING,
    State.RUNNING: JobState.RUNNING,
    State.COMPLETED: JobState.COMPLETED,
    State.CANCELLED: JobState.CANCELLED,
    # Parsl takes the end of a block's time for a matter of course, and any other failure for a broken batch system.
    State.TIMEOUT: JobState.TIMEOUT,
    State.FAILED: JobState.FAILED,
    State.OUT_OF_MEMORY: JobState.FAILED,
    State.NODE_FAIL: JobState.FAILED,
}


class MiniSlurmProvider(ExecutionProvider, RepresentationMixin):  # type: ignore[misc] # Parsl carries no types
    """Each block is one job of the mini-slurm whose scheduler runs on this machine, below $MINI_SLURM_HOME if that is set.

    Args:
        cores_per_node: CPUs of each block.
        mem_per_node: Memory of each block in GB of 2**30 bytes.
        priority: Of its jobs; higher is sooner, and may shrink elastic jobs of lower priority.
        nodes_per_block: 1: there is one machine.
        init_blocks: Blocks to ask for at first.
        min_blocks: Blocks to keep.
        max_blocks: Blocks to have at most.
        parallelism: Blocks per task that waits, from 0 to 1.
        walltime: HH:MM:SS after which a block is ended.
        worker_init: Shell lines before the workers start.
        launcher: What wraps the workers' command.

    Raises:
        ValueError: nodes_per_block is not 1.
    """

    def __init__(
        self,
        cores_per_node: int = 1,
        mem_per_node: float = 1,
        priority: int = 0,
        nodes_per_block: int = 1,
        init_blocks: int = 1,
        min_blocks: int = 0,
        max_blocks: int = 1,
        parallelism: float = 1,
        walltime: str = "00:10:00",
        worker_init: str = "",
        launcher: Launcher | None = None,
    ) -> None:
        if nodes_per_block != 1:
            raise ValueError(f"mini-slurm has one machine: nodes_per_block={nodes_per_block} cannot be, set it to 1")
        self.cores_per_node = cores_per_node
        self.mem_per_node = mem_per_node
        self.priority = priority
        self.nodes_per_block = nodes_per_block
        self.init_blocks = init_blocks
        self.min_blocks = min_blocks
        self.max_blocks = max_blocks
        self.parallelism = parallelism
        self.walltime = walltime
        self.worker_init = worker_init
        self.launcher = launcher or SingleNodeLauncher()
        self.script_dir: str | None = None
        self.resources: dict[object, Any] = {}

    @property
    def label(self) -> str:
        """What Parsl's logs call it."""
        return "mini-slurm"

    @property
    def status_polling_interval(self) -> int:
        """Seconds between two looks: a look is one query of a local database."""
        return 1

    def submit(self, command: str, tasks_per_node: int, job_name: str = "parsl.mini-slurm") -> str:
        """Submit one block; returns its job's id.

        Raises:
            SubmitException: mini-slurm refused it.
        """
        name = f"{job_name}.{time.time()}"
        script = Path(self.script_dir or ".").absolute() / name
        lines = (
            f"export PARSL_CORES={self.cores_per_node // tasks_per_node}",
            f"export PARSL_MEMORY_GB={self.mem_per_node}",
            self.worker_init,
            self.launcher(command, tasks_per_node, self.nodes_per_block, self.script_dir or "."),
        )
        script.write_text("\n".join(lines) + "\n")
        request = Request(
            argv=("/bin/bash", str(script)),
            env=dict(os.environ),
            cwd=str(Path.cwd()),
            name=name,
            cpus=self.cores_per_node,
            min_cpus=self.cores_per_node,
            max_cpus=self.cores_per_node,
            mem_mb=round(self.mem_per_node * 1024),
            priority=self.priority,
            is_elastic=False,
            limit_s=_seconds(self.walltime),
            stdout=f"{script}.stdout",
            stderr=f"{script}.stderr",
        )
        try:
            (job_id,) = client.submit(Places.here(), request).ids
        except PerfdbError as error:
            raise SubmitException(name, str(error)) from error
        self.resources[str(job_id)] = {
            "job_id": str(job_id),
            "status": JobStatus(JobState.PENDING),
            "script": str(script),
        }
        return str(job_id)

    def status(self, job_ids: Sequence[object]) -> list[JobStatus]:
        """How each of them stands, in that order; UNKNOWN where the database cannot be read now."""
        return [self._status_of(str(job_id)) for job_id in job_ids]

    def _status_of(self, job_id: str) -> JobStatus:
        known = self.resources[job_id]
        try:
            with Reader(Places.here()) as reader:
                job = reader.job(int(job_id))
        except PerfdbError as error:
            return JobStatus(JobState.UNKNOWN, message=str(error))
        if job is None:
            return JobStatus(JobState.MISSING, message="mini-slurm's database has no such job any more")
        known["status"] = JobStatus(
            _STATES[job.state],
            message=job.reason or None,
            exit_code=job.exit_code,
            stdout_path=f"{known['script']}.stdout",
            stderr_path=f"{known['script']}.stderr",
        )
        return known["status"]

    def cancel(self, job_ids: Sequence[object]) -> list[bool]:
        """End them; says of each whether that was taken."""
        try:
            outcomes = client.cancel(Places.here(), [int(str(job_id)) for job_id in job_ids])
        except PerfdbError:
            return [False for _ in job_ids]
        return [outcomes[int(str(job_id))] != "unknown" for job_id in job_ids]


def _seconds(walltime: str) -> float:
    hours, minutes, seconds = (int(part) for part in walltime.split(":"))
    return float(hours * 3600 + minutes * 60 + seconds)

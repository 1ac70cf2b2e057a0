"""What a supervisor is told to run: the order of one attempt."""

from __future__ import annotations

import sqlite3
from functools import lru_cache

from perfdb.minislurm.places import Places
from perfdb.minislurm.store import loading
from perfdb.minislurm.store.promise import Promise
from perfdb.minislurm.supervisor.order import Order


class Orders:
    """Makes them, from the store."""

    def __init__(
        self, connection: sqlite3.Connection, places: Places, *, real_cpus: tuple[int, ...], grace_s: float
    ) -> None:
        """Args: real_cpus: Those of the machine, which the scheduler's numbers stand for, one after another and round again."""
        self._connection = connection
        self._places = places
        self._real_cpus = real_cpus
        self._grace_s = grace_s
        self._instance = loading.instance(connection)
        # An array's tasks share theirs, and an environment is long.
        self._submission = lru_cache(maxsize=64)(lambda id: loading.submission(connection, id))

    def group(self, promise: Promise) -> str:
        """Names the attempt's cgroups."""
        return f"mini-slurm-{self._instance}-{promise.id}-{promise.attempt}"

    def cpus(self, cpu_ids: tuple[int, ...]) -> tuple[int, ...]:
        """The machine's CPUs that these stand for."""
        return tuple(sorted({self._real_cpus[cpu % len(self._real_cpus)] for cpu in cpu_ids}))

    def order(self, promise: Promise) -> Order:
        """That attempt's."""
        work = loading.work(self._connection, promise.id)
        submission: loading.Submission = self._submission(work.submission)
        return Order(
            job=promise.id,
            attempt=promise.attempt,
            argv=submission.argv,
            env=self._environment(promise, work, submission),
            cwd=submission.cwd,
            stdout=submission.stdout or str(self._places.stdout(promise.id)),
            stderr=submission.stderr or str(self._places.stderr(promise.id)),
            journal=str(self._places.journal(promise.id, promise.attempt)),
            cpu_ids=self.cpus(promise.cpu_ids),
            memory_mb=promise.mem_mb,
            limit_s=promise.limit_s,
            grace_s=self._grace_s,
            enforcement=promise.enforcement,
            group=self.group(promise),
        )

    def _environment(self, promise: Promise, work: loading.Work, submission: loading.Submission) -> dict[str, str]:
        # A job that submits another one has these of its own, which would mislead that one.
        env = {name: value for name, value in submission.env.items() if not name.startswith("MINI_SLURM_")}
        env |= {
            "MINI_SLURM_HOME": str(self._places.home),
            "MINI_SLURM_JOB_ID": str(promise.id),
            "MINI_SLURM_CPUS": str(promise.cpus),
            "MINI_SLURM_MEM_MB": str(promise.mem_mb),
            "MINI_SLURM_GROUP": self.group(promise),
        }
        if work.array_id is not None:
            env |= {"MINI_SLURM_ARRAY_JOB_ID": str(work.array_id), "MINI_SLURM_ARRAY_TASK_ID": str(work.array_index)}
        if promise.is_elastic:
            env |= {
                "MINI_SLURM_ELASTIC": "1",
                "MINI_SLURM_CONTROL_FILE": str(self._places.control(promise.id)),
                "MINI_SLURM_CURRENT_CPUS": str(promise.cpus),
                "MINI_SLURM_MIN_CPUS": str(promise.min_cpus),
                "MINI_SLURM_MAX_CPUS": str(promise.max_cpus),
                "MINI_SLURM_ANSWER_FILE": str(self._places.answer(promise.id)),
                "MINI_SLURM_HINTS": str(self._places.hints),
            }
        return env

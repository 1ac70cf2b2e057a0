"""A job, and what happened to it, as the store tells them."""

from __future__ import annotations

from dataclasses import dataclass

from perfdb.minislurm.states import State


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        id: Its number. Of an array, the first task's is the array's.
        array_id: The array it is a task of, or None; `array_index` is its index there.
        current_cpus: What it holds; before the start what it will start with, after the end what it held last.
        target_cpus: What it is being resized to; `current_cpus` where nothing is under way.
        generation: Counts its resizes.
        reason: Why it waits, or how it ended, in words.
        attempt: Counts from 1 the times that it was handed to a supervisor; of those at most one ran it.
        submit_ns: On CLOCK_MONOTONIC of the boot `boot`; so are allocated_ns (it got its CPUs), started_ns (its process was
            begun) and ended_ns. The `_at` are the wall clock's, in seconds since 1970.
        cpu_ids: The CPUs that it holds, by the scheduler's numbers: CPU n stands for the n-th that the machine lets us use,
            and with overcommit for the n-th counted round and round.
        enforcement: What kept it to them.
    """

    id: int
    array_id: int | None
    array_index: int | None
    name: str
    argv: tuple[str, ...]
    cwd: str
    cpus: int
    min_cpus: int
    max_cpus: int
    current_cpus: int
    target_cpus: int
    generation: int
    is_elastic: bool
    mem_mb: int
    priority: int
    limit_s: float | None
    state: State
    reason: str
    attempt: int
    submit_at: float
    allocated_at: float | None
    started_at: float | None
    ended_at: float | None
    boot: str
    submit_ns: int
    allocated_ns: int | None
    started_ns: int | None
    ended_ns: int | None
    exit_code: int | None
    signal: int | None
    cpu_ids: tuple[int, ...]
    enforcement: str
    cpu_s: float | None
    peak_kb: int | None
    control_file: str
    stdout: str
    stderr: str
    is_cancelled: bool
    resized_ns: int | None


@dataclass(frozen=True)
class Event:
    """One line of a job's history.

    Attributes:
        kind: submitted, allocated, started, ended; of a resize, by its generation: decided, written, signalled (when the
            signal was about to be sent; to how many processes, in `detail`), acknowledged, applied (by the job, or `by enforcement` in `detail`; in the first case `detail` has what it says that it has cost),
            overdue (it did not let go in time), withdrawn (it ended before).
        ns: CLOCK_MONOTONIC of the boot `boot`; `at` is the wall clock's.
        cpus_from: Of a resize; None elsewhere.
    """

    job: int
    kind: str
    generation: int
    ns: int
    at: float
    boot: str
    cpus_from: int | None
    cpus_to: int | None
    detail: str

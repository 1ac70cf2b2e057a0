"""parsl-perf's output as it is printed, and logs and descriptions around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perfdb.families import ChildRun, Setup
from perfdb.parsl_config import ConfigDescription, ExecutorDescription
from perfdb.platforms import Job
from perfdb.processes.log import ChildLog, Exit, Line
from perfdb.record import Host

CLOSING = ("Tests complete - leaving DFK block", "The end")
OLD_CLOSING = ("Cleaning up DFK", "The end")


def iteration(number: int, tasks: int, submission_s: float, run_s: float, target: str = "5.0") -> list[str]:
    """One iteration, line for line as parsl-perf 2026.10.26 prints it."""
    return [
        f"==== Iteration {number} ====",
        f"Will run {tasks} tasks",
        "Submitting tasks / invoking apps",
        f"All {tasks} tasks submitted ... waiting for completion",
        f"Submission took {submission_s:.3f} seconds = {tasks / submission_s:.3f} tasks/second",
        f"Runtime: actual {run_s:.3f}s vs target {target}s",
        f"Tasks per second: {tasks / run_s:.3f}",
    ]


def lines(texts: Sequence[str], cpu: Sequence[dict[str, float] | None] = ()) -> tuple[Line, ...]:
    """Those texts as lines of standard output, a tenth of a second apart."""
    sampled = [*cpu, *[None] * len(texts)]
    return tuple(Line(n / 10, "stdout", text, sampled[n]) for n, text in enumerate(texts))


# 10 tasks in 2 s cold; then 1000 tasks in 4 s and 2000 tasks in 6 s: 300 tasks/s warm, 20 % and 10 % of it submitting.
WHOLE = [*iteration(1, 10, 0.5, 2.0), *iteration(2, 1000, 0.8, 4.0), *iteration(3, 2000, 0.6, 6.0), *CLOSING]

ENDED = Exit(13.5, 0, "ended", 9.5)


def rep(
    number: int = 1,
    texts: Sequence[str] = WHOLE,
    exit_: Exit = ENDED,
    jobs: tuple[Job, ...] = (),
) -> ChildRun:
    """One repetition's run."""
    return ChildRun(ChildLog(f"{number:02}-rep-{number}", None, lines(texts), exit_), jobs)


def setup(*, provider: str | None = "LocalProvider", monitoring: bool = False, **params: Any) -> Setup:
    """A described config on a host with four CPUs."""
    return Setup(
        config=ConfigDescription(
            name="local_fake",
            params=params,
            fingerprint="a" * 64,
            source="config = ...\n",
            source_sha256="b" * 64,
            executors=(
                ExecutorDescription(
                    label="htex", class_name="HighThroughputExecutor", provider_class=provider, launcher_class=None
                ),
            ),
            parsl_version="2026.10.26",
            python_version="3.11.7",
            python_implementation="CPython",
            packages={},
            parsl_perf=Path("/nowhere/parsl-perf"),
            parsl_perf_flags=("--time", "--iterate", "--argsize", "--resources"),
            monitoring=monitoring,
            usage_tracking=False,
        ),
        host=Host(cpu_count=8, cpu_usable=4),
    )

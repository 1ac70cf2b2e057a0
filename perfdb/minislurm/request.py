"""What somebody asks to be run, checked before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """One submission: a job, or an array of them.

    Attributes:
        argv: What to run; of `--shell`, ("/bin/sh", "-c", the line).
        env: The submitter's, which each job gets, mini-slurm's own variables added.
        name: For people; the command's first word where none was given.
        cpus: CPUs at the start; between the bounds.
        min_cpus: Its `cpus` where the job is not elastic, and so is max_cpus.
        mem_mb: Memory in MB of 2**20 bytes; it is ended above this.
        limit_s: Seconds from start to its end at the latest; None for none.
        array: Indices of an array's tasks, ascending; () for a plain job.
        stdout: Where it prints to; '' for the place that mini-slurm has for it. So is stderr.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    name: str
    cpus: int
    min_cpus: int
    max_cpus: int
    mem_mb: int
    priority: int
    is_elastic: bool
    limit_s: float | None = None
    array: tuple[int, ...] = ()
    stdout: str = ""
    stderr: str = ""

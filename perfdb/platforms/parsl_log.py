"""Which jobs a Parsl run submitted, as its own files tell: parsl.log and the submit scripts."""

from __future__ import annotations

import re
from pathlib import Path

_LAUNCHED = re.compile(r"Launched block \S+ (?:on executor \S+ )?with job ID (\S+)")


def launched_jobs(run_dir: Path) -> tuple[str, ...]:
    """Job ids that parsl.log names, in order, each once."""
    return jobs_named(run_dir, _LAUNCHED)


def jobs_named(run_dir: Path, pattern: re.Pattern[str]) -> tuple[str, ...]:
    """What `pattern` captures in the run's parsl.log, in order, each once."""
    found: dict[str, None] = {}
    for log in sorted(run_dir.glob("*/parsl.log")):
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if match := pattern.search(line):
                    found[match[1]] = None
    return tuple(found)


def job_names(run_dir: Path) -> tuple[str, ...]:
    """Names of the jobs whose submit scripts were written: they are there before a scheduler is asked for anything."""
    scripts = run_dir.glob("*/submit_scripts/parsl.*")
    return tuple(sorted(s.name for s in scripts if s.suffix not in {".stdout", ".stderr", ".out", ".err", ".ec"}))

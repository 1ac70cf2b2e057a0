"""`python -m perfdb.platforms.cancel RUN_DIR PROVIDER_CLASS…`: what a supervisor runs when perfdb itself was killed."""

from __future__ import annotations

import sys
from pathlib import Path

from perfdb.platforms import platforms_for


def cancel_jobs(run_dir: Path, provider_classes: tuple[str, ...]) -> tuple[str, ...]:
    """End every cluster job that the Parsl runs in `run_dir` left; returns those that could not be ended."""
    left: list[str] = []
    for platform in platforms_for(provider_classes):
        left.extend(platform.cancel(platform.jobs_of(run_dir)))
    return tuple(left)


if __name__ == "__main__":
    cancel_jobs(Path(sys.argv[1]), tuple(sys.argv[2:]))

"""A real Slurm for a test: a pocket cluster of its own, taken down at the end whatever happened."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from perfdb.platforms.pocket.cluster import down, up
from perfdb.platforms.pocket.options import Options
from perfdb.platforms.pocket.places import Places


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs."""

    places: Places

    @property
    def env(self) -> dict[str, str]:
        """What Slurm's commands need to find it."""
        return dict(self.places.exports())

    def ask(self, *argv: str) -> str:
        """Run one of Slurm's commands."""
        environment = {**os.environ, **self.env}
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout

    def submit(self, script: str, *options: str) -> str:
        """A batch job, given as shell; returns its id."""
        wrapped = f"--wrap={script}"
        return self.ask("sbatch", "--parsable", "--output=/dev/null", *options, wrapped).strip()

    def active(self) -> list[str]:
        """Ids of the jobs that are not over."""
        return self.ask("squeue", "--noheader", "--format=%A").split()


@contextlib.contextmanager
def pocket(name: str, **options: Any) -> Iterator[Cluster]:
    """Start a cluster, end it."""
    places = Places.of(f"{name}_{os.getpid()}")
    up(places, Options(**options), lambda _: None)
    try:
        yield Cluster(places)
    finally:
        down(places, lambda _: None)


def within(seconds: float, reached: Callable[[], Any]) -> Any:
    """What `reached` returns once that is true; fails after so many seconds."""
    until = time.monotonic() + seconds
    while not (found := reached()):
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.1)
    return found

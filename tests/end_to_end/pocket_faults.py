"""A pocket cluster whose parts can be made to fail while a run is under way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet

from perfdb.platforms.pocket import Options, Places, down, up
from perfdb.platforms.pocket.commands import ask
from perfdb.platforms.pocket.status import status
from tests.end_to_end.conftest import CHECKOUT, Home, wait_for_line

POCKET = CHECKOUT / "parsl-configs" / "slurm_pocket.py"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Cluster:
    """One that runs."""

    places: Places

    def slurm(self, *argv: str) -> str:
        """What one of Slurm's commands says."""
        said = ask(self.places, *argv, timeout_s=20.0)
        assert said is not None, f"{argv} failed"
        return said.strip()

    def queue(self) -> str:
        """All jobs that are not over, with their states; also while they complete."""
        return self.slurm("squeue", "--noheader", "--format=%A %T %r")

    def daemon(self, name: str) -> psutil.Process:
        """`slurmctld`, `munged`, `slurmd-n0`."""
        pid = status(self.places).daemons[name]
        assert pid is not None
        return psutil.Process(pid)

    def break_node(self, node: str) -> None:
        """From now on it does not boot."""
        (self.places.nodes / f"{node}.broken").touch()

    def crash_node(self, node: str) -> None:
        """Its daemon and all that runs there end at once."""
        victims = [self.daemon(f"slurmd-{node}")]
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                environment = process.environ()
                if environment.get("SLURMD_NODENAME") == node and self.places.cluster_name in environment.values():
                    victims.append(process)
        steps = [s for v in victims for s in v.parents() if s.name() == "slurmstepd"]
        for process in {*victims, *steps}:
            with contextlib.suppress(psutil.Error):
                process.kill()


@contextlib.contextmanager
def pocket(label: str, options: Options) -> Iterator[Cluster]:
    """A cluster of our own, gone afterwards whatever was done to it."""
    places = Places.of(f"{label}{os.getpid()}")
    try:
        up(places, options, lambda _: None)
        yield Cluster(places)
    finally:
        down(places, lambda _: None)


@contextlib.contextmanager
def killed(cluster: Cluster, name: str, how: signal.Signals = signal.SIGKILL) -> Iterator[None]:
    """Without that daemon until the end of the block; then it is started as it was before."""
    process = cluster.daemon(name)
    argv, environment, cwd = process.cmdline(), process.environ(), process.cwd()
    process.send_signal(how)
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, f"{name} lives")
    try:
        yield
    finally:
        again = subprocess.Popen(
            argv,
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(lambda: ask(cluster.places, "squeue") is not None, f"{name} is started again and does not answer")
        assert again.poll() is None


@contextlib.contextmanager
def hung(cluster: Cluster, name: str) -> Iterator[None]:
    """With that daemon alive and silent until the end of the block."""
    process = cluster.daemon(name)
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)
        until(lambda: ask(cluster.places, "squeue") is not None, f"{name} goes on and does not answer")


def until(holds: Callable[[], bool], otherwise: str, patience_s: float = PATIENCE_S) -> None:
    """Return once it holds."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)  # nobody tells when a daemon has changed its mind


def config(home: Home, cluster: Cluster, **provider: str) -> str:
    """The config for pocket clusters, in the user's own copy: `walltime='00:01:00'` sets that of its provider."""
    home.env.update(cluster.places.exports())
    lines = [line for line in POCKET.read_text().splitlines() if line.strip().partition("=")[0] not in provider]
    first = next(number for number, line in enumerate(lines) if "provider=SlurmProvider(" in line) + 1
    lines[first:first] = [f"{name}={value!r}," for name, value in provider.items()]
    own = home.root / "own_pocket.py"
    own.write_text("\n".join(lines) + "\n")
    return str(own)


@dataclass(frozen=True)
class Run:
    """`perfdb run autoscale`, under way."""

    home: Home
    process: subprocess.Popen[bytes]
    begun: float

    @property
    def log(self) -> Path:
        """What it says."""
        return self.home.root / "started.log"

    def wait_for(self, text: str) -> None:
        """Until it says so."""
        wait_for_line(self.process, self.log, text)

    def end(self, within_s: float) -> tuple[int, str]:
        """Its exit code and all that it said."""
        code = self.process.wait(within_s)
        said = self.log.read_text(errors="replace")
        assert "Traceback" not in said, said
        return code, said


def autoscale(home: Home, target: str, *also: str, **spec: float) -> Run:
    """Start one, as a user types it: one round of two blocks unless told otherwise."""
    wanted = {
        "rounds": 1,
        "blocks": 2,
        "tasks": 4,
        "task_s": 1,
        "acquire_timeout_s": 20,
        "release_timeout_s": 20,
    } | spec
    settings = [word for name, value in wanted.items() for word in ("--set", f"{name}={value:g}")]
    process = home.start("perfdb", "run", "autoscale", target, "--no-server", *settings, *also)
    return Run(home, process, time.monotonic())


def samples(home: Home) -> list[dict[str, object]]:
    """All rows of the only record's samples."""
    (folder,) = home.folders
    rows: list[dict[str, object]] = pyarrow.parquet.read_table(folder / "samples.parquet").to_pylist()
    return rows


def censored(home: Home) -> set[str]:
    """The quantities known of blocks that ran no task."""
    return {str(row["quantity"]) for row in samples(home) if row["ordinal"] == 0}


def kept_jobs(home: Home) -> list[dict[str, Any]]:
    """The cluster jobs of the only record, as it keeps them."""
    (folder,) = home.folders
    jobs: list[dict[str, Any]] = json.loads((folder / "artifacts" / "jobs.json").read_text())["jobs"]
    return jobs

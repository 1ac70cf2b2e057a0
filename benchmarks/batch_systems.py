"""A mini-slurm and a Slurm of a benchmark's own, begun fresh and taken down whole.

Their files stay in the caller's folder until it removes that at its very end: ext4 creates files more slowly for minutes after
many were deleted, which would be held against whatever is measured next.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from perfdb.errors import MiniSlurmError
from perfdb.minislurm import client, process
from perfdb.minislurm.places import Places
from perfdb.minislurm.request import Request
from perfdb.minislurm.states import State
from perfdb.minislurm.store.reading import Reader

BIN = Path(sys.executable).parent
PATIENCE_S = 60.0


class MiniSlurm:
    """A daemon below a home of its own.

    Attributes:
        pid: The daemon's.
    """

    def __init__(self, home: Path, pid: int) -> None:
        self.places = Places(home)
        self.pid = pid
        self._env = environment(home)

    def run(self, *words: str) -> str:
        """What `mini-slurm` prints; it must succeed."""
        command = [str(BIN / "mini-slurm"), *words]
        done = subprocess.run(command, env=self._env, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"mini-slurm {' '.join(words)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return done.stdout

    def submit(
        self, *argv: str, cpus: int = 1, least: int = 0, priority: int = 0, limit_s: float | None = None, array: int = 0
    ) -> range:
        """The ids of a job, or of an array of so many, submitted in this process; elastic from `least` CPUs to `cpus`."""
        request = Request(
            argv=argv,
            env=self._env,
            cwd=str(self.places.home),
            name=argv[0],
            cpus=cpus,
            min_cpus=least or cpus,
            max_cpus=cpus,
            mem_mb=256,
            priority=priority,
            is_elastic=least > 0,
            limit_s=limit_s,
            array=tuple(range(array)),
        )
        return client.submit(self.places, request).ids

    def wait(self, ids: range) -> None:
        """Until all those jobs have completed."""
        ended = client.wait(self.places, ids, None, lambda _: None)
        bad = [one for one in ended.values() if one.state != State.COMPLETED]
        if bad:
            sys.exit(f"{len(bad)} of {len(ids)} jobs did not complete, the first: {bad[0]}")

    def reader(self) -> Reader:
        """A look at its store."""
        return Reader(self.places)

    @property
    def fork_server_pids(self) -> list[int]:
        """Of its fork server; the daemon has no other children."""
        return process.children(self.pid)


def environment(home: Path) -> dict[str, str]:
    """Ours, for the mini-slurm below `home`."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("MINI_SLURM_")}
    return {**ours, "MINI_SLURM_HOME": str(home)}


@contextlib.contextmanager
def mini_slurm(folder: Path, *options: str) -> Iterator[MiniSlurm]:
    """A fresh one in a new folder below `folder`; at the end no job of it is left, and no daemon."""
    home = folder / f"home{time.monotonic_ns()}"
    home.mkdir(parents=True)
    said = home / "scheduler.err"
    with said.open("wb") as errors:
        command = [str(BIN / "mini-slurm"), "scheduler", *options]
        daemon = subprocess.Popen(command, env=environment(home), stdout=errors, stderr=errors)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while client.is_running(Places(home)) is None:
            if daemon.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"mini-slurm scheduler does not answer:\n{said.read_text()[-2000:]}")
            time.sleep(0.02)
        slurm = MiniSlurm(home, daemon.pid)
        yield slurm
        end_jobs(slurm)
    except BaseException:
        with contextlib.suppress(MiniSlurmError):
            end_jobs(MiniSlurm(home, daemon.pid))
        raise
    finally:
        daemon.terminate()
        daemon.wait()


def end_jobs(slurm: MiniSlurm) -> None:
    """Cancel all that waits or runs, and wait for its end."""
    with slurm.reader() as reader:
        ids = [row.id for row in reader.queue()]
    if ids:
        client.cancel(slurm.places, ids)
        client.wait(slurm.places, ids, PATIENCE_S, lambda _: None)


def has_slurm() -> bool:
    """Whether a Slurm cluster can be had here."""
    return shutil.which("slurmctld") is not None


class Slurm:
    """A pocket cluster's."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self._env = env
        self._folder = folder

    def submit(self, command: str, *options: str) -> str:
        """The id of a batch job with one task that runs `command`."""
        output = f"--output={self._folder}/%j.out"
        return self._run("sbatch", "--parsable", "--ntasks=1", output, *options, "--wrap", command)

    def stdout(self, job: str) -> Path:
        """Where that job prints to."""
        return self._folder / f"{job}.out"

    def wait(self, job: str) -> None:
        """Until nothing of the job waits or runs."""
        while self._run("squeue", "--noheader", f"--jobs={job}", "--states=PENDING,RUNNING"):
            time.sleep(0.05)

    def _run(self, *words: str) -> str:
        done = subprocess.run(words, env=self._env, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return done.stdout.strip()


@contextlib.contextmanager
def slurm(folder: Path, nodes: int, cpus: int) -> Iterator[Slurm]:
    """A fresh pocket cluster of so many nodes with so many CPUs each."""
    name = f"bench{os.getpid()}"
    outputs = folder / f"slurm{time.monotonic_ns()}"
    outputs.mkdir(parents=True)
    perfdb("cluster", "up", "--name", name, "--nodes", str(nodes), "--cpus", str(cpus))
    try:
        found = json.loads(perfdb("cluster", "env", "--name", name, "--json"))
        env = {key: value for key, value in found.items() if isinstance(value, str)}
        yield Slurm({**os.environ, **env}, outputs)
    finally:
        perfdb("cluster", "down", "--name", name)


def perfdb(*words: str) -> str:
    """What the command prints; it must succeed."""
    done = subprocess.run([str(BIN / "perfdb"), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"perfdb {' '.join(words)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout

"""A remote, its clones, and records that a validator lets in: real git everywhere."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from perfdb.capture.machine import machine_document, machine_fingerprint
from perfdb.contribute import Request
from perfdb.contribute import contribute as put_on_a_branch
from perfdb.families.throughput.derive import derive
from perfdb.families.throughput.metrics import METRICS
from perfdb.parsl_config.params import fingerprint
from perfdb.record import Artifact, Check, Code, ConfigRef, Environment, Host, Metric, Record, sha256_hex
from perfdb.registry import Registry

STARTED = datetime(2025, 11, 21, 2, 28, tzinfo=UTC)
SOURCE = b"from parsl.config import Config\n\nconfig = Config()\n"
PERFDB = Path(sys.executable).parent / "perfdb"
HEADLINES = {"throughput": ("warm_tasks_per_s",)}
NOBODYS = {
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "A Contributor",
    "GIT_AUTHOR_EMAIL": "contributor@example.org",
    "GIT_COMMITTER_NAME": "A Contributor",
    "GIT_COMMITTER_EMAIL": "contributor@example.org",
}


def a_record(number: int, machine: str = "laptop", **changes: Any) -> tuple[Record, dict[str, bytes]]:
    """The record of that number and its files: whole, plausible, private; the same each time."""
    files = {"artifacts/01-rep-1.log": f"run {number}\n".encode(), "artifacts/config.py": SOURCE}
    host = Host(cpu_model="A CPU", cpu_count=8, memory_bytes=16 << 30, os="Linux", kernel="6.1", architecture="x86_64")
    params = {"executor.class": "HighThroughputExecutor", "provider.max_blocks": 4}
    started = STARTED + timedelta(minutes=number)
    iterations = tuple(_iterations((700, 710, 900 + number)))
    fields: dict[str, Any] = {
        "family": "throughput",
        "experiment": "throughput",
        "run_name": f"run {number}",
        "status": "ok",
        "started_at": started,
        "ended_at": started + timedelta(seconds=33.5),
        "duration_s": 33.5,
        "spec": {"time_s": 5, "reps": 3},
        "params": params,
        "config": ConfigRef(name="local_htex", source_sha256=sha256_hex(SOURCE), fingerprint=fingerprint(params)),
        "environment": Environment(machine=machine, machine_fingerprint=machine_fingerprint(host), submit_host=host),
        "code": Code(perfdb_version="0.1.0", measured={"parsl": "2025.10.20"}),
        "metrics": iterations,
        "checks": (Check(name="client_had_room", passed=True, detail="41 % of one core"),),
        "artifacts": tuple(Artifact(file=n, sha256=sha256_hex(d), bytes=len(d)) for n, d in files.items()),
    }
    of_run = (metric for metric in derive(Record.seal(**fields)) if metric.step is None)
    fields["metrics"] = (*of_run, *iterations)
    return Record.seal(**{**fields, **changes}), files


def _iterations(rates: Sequence[int]) -> Iterator[Metric]:
    """For each repetition a cold iteration, and a warm one of a second with so many tasks."""
    for repetition, rate in enumerate(rates, 1):
        for step, (tasks, run_s) in enumerate(((10, 6.0), (rate, 1.0)), 1):
            for name, value in (
                ("iteration_tasks_per_s", tasks / run_s),
                ("iteration_submission_tasks_per_s", 2.0 * tasks),
                ("iteration_run_time_s", run_s),
                ("iteration_task_count", tasks),
            ):
                unit, direction = METRICS[name].unit, METRICS[name].direction
                yield Metric(name=name, unit=unit, direction=direction, value=value, step=step, repetition=repetition)


def git(folder: Path, *arguments: str, check: bool = True, **env: str) -> str:
    """What git prints, as nobody in particular."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**NOBODYS, **os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout.strip()


class Silence:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.said.append(text)


@dataclass
class Clone:
    """Somebody's checkout, with a registry in it."""

    path: Path
    state: Path
    env: dict[str, str] = field(default_factory=dict)
    observer: Silence = field(default_factory=Silence)

    @property
    def registry(self) -> Path:
        return self.path / "mlruns"

    def measure(self, *numbers: int, **changes: Any) -> list[Record]:
        """Records of these numbers, saved as a run saves them."""
        registry, records = Registry(self.registry), []
        for number in numbers:
            record, files = a_record(number, **changes)
            registry.save(record, files)
            host = record.environment.submit_host
            if host and record.environment.machine_fingerprint:
                machine = record.environment.machine
                registry.save_machine(machine, record.environment.machine_fingerprint, machine_document(host))
            records.append(record)
        return records

    def git(self, *arguments: str, check: bool = True) -> str:
        return git(self.path, *arguments, check=check)

    def perfdb(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """A command, run to its end."""
        return subprocess.run(
            [str(PERFDB), *arguments],
            cwd=self.path,
            env=self.environment(**env),
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[bytes]:
        """A command, begun."""
        nowhere = subprocess.DEVNULL
        return subprocess.Popen(
            [str(PERFDB), *arguments], cwd=self.path, env=self.environment(**env), stdout=nowhere, stderr=nowhere
        )

    def environment(self, **env: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PERFDB_", "MLFLOW_", "GIT_"))}
        ours = {"PERFDB_ROOT": str(self.path), "PERFDB_STATE_DIR": str(self.state)}
        return {**kept, **NOBODYS, **ours, **self.env, **env}

    def contribute(self, *ids: str, check: Any = lambda *_: (), **changes: Any) -> Any:
        """In this process, with a validator that lets everything in unless another is given."""
        asked: dict[str, Any] = {
            "registry": self.registry,
            "root": self.path,
            "state_path": self.state,
            "ids": ids,
            "remote": None,
            "branch": None,
            "base": None,
            "with_config": False,
            "headlines": HEADLINES,
        }
        return put_on_a_branch(Request(**{**asked, **changes}), check, self.observer)

    def files_on(self, rev: str) -> set[str]:
        return set(self.git("ls-tree", "-r", "--name-only", rev).splitlines())

    def state_of_everything(self) -> dict[str, str]:
        """A digest of each file in the checkout and in .git, less objects and what belongs to branches of results."""
        found = {}
        for path in sorted(self.path.rglob("*")):
            name = str(path.relative_to(self.path))
            if name.startswith((".git/objects/", ".git/refs/heads/results", ".git/logs/refs/heads/results")):
                continue
            if path.is_symlink():
                found[name] = f"-> {path.readlink()}"
            elif path.is_file():
                status = path.stat()
                found[name] = f"{hashlib.sha256(path.read_bytes()).hexdigest()} {status.st_mode} {status.st_mtime_ns}"
        return found


@dataclass
class World:
    """A bare remote and clones of it."""

    root: Path

    @property
    def remote(self) -> Path:
        return self.root / "remote.git"

    def build(self, *init: str) -> None:
        git(self.root, "init", "--quiet", "--bare", "--initial-branch=main", *init, "remote.git")
        git(self.root, "init", "--quiet", "--initial-branch=main", *init, "seed")
        seed = self.root / "seed"
        (seed / "README.md").write_text("results\n")
        (seed / ".gitattributes").write_text("mlruns/** -text\n")
        git(seed, "add", ".")
        git(seed, "commit", "--quiet", "--message=a start")
        git(seed, "push", "--quiet", str(self.remote), "main")

    def clone(self, name: str, *options: str) -> Clone:
        git(self.root, "clone", "--quiet", *options, self.remote.as_uri(), name)
        return Clone(self.root / name, self.root / f"{name}-state")

    def merge(self, branch: str) -> None:
        """As a maintainer does it: on main of the remote, with git's own merge."""
        work = self.root / "maintainer"
        if not work.exists():
            git(self.root, "clone", "--quiet", self.remote.as_uri(), "maintainer")
        git(work, "fetch", "--quiet", "origin")
        git(work, "merge", "--quiet", "--no-edit", f"origin/{branch}")
        git(work, "push", "--quiet", "origin", "main")


def document(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON document that a command printed."""
    with contextlib.suppress(ValueError):
        return json.loads(done.stdout)
    raise AssertionError(done.stdout + done.stderr)

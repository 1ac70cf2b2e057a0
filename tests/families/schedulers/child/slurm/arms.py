"""Arms on a real Slurm: the child program on a plan."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from perfdb.families import schedulers
from perfdb.families.schedulers.events import Answer, End, JobTold, read_answer
from perfdb.families.schedulers.plan import VARIABLE, Delays, Plan, Workload
from perfdb.families.schedulers.workload.job import digest
from perfdb.families.schedulers.workload.load import jobs_of

CHILD = Path(schedulers.__file__).parent / "child"
WAIT_S = 60.0


def child_module(name: str) -> ModuleType:
    """A module of the child, which is no package; one that imports no other of it."""
    spec = importlib.util.spec_from_file_location(f"schedulers_slurm_{name}", CHILD / "slurm" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listed(folder: Path, *jobs: dict[str, float]) -> Path:
    """A workload of these jobs, in a file."""
    path = folder / "jobs.toml"
    path.write_text("".join("[[jobs]]\ncount = 1\n" + "".join(f"{k} = {v}\n" for k, v in job.items()) for job in jobs))
    return path


def plan(arm: str, source: Path, **fields: Any) -> Plan:
    """Four nodes, jobs that sleep."""
    nodes = fields.pop("nodes", 4)
    workload = Workload(source=str(source), nodes=nodes, seed=1, load=0.7, jobs=0, compress=1.0, sha256="")
    workload = workload.model_copy(update={"sha256": digest(jobs_of(workload))})
    given = {"iteration": 1, "batches": 1, "job": "sleep", "patience_s": 60.0} | fields
    return Plan(arm=arm, nodes=nodes, workload=workload, delays=Delays(schedule_s=0.0, release_s=0.0), **given)


@dataclass
class Child:
    """A child that runs, and what it said so far."""

    process: subprocess.Popen[str]
    run_dir: Path
    lines: list[str] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def read(self) -> None:
        """Until it says no more."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line)
                self.news.notify_all()

    @property
    def answers(self) -> list[Answer]:
        """Each line, which must be one of `events.py`."""
        found = [read_answer(line) for line in list(self.lines)]
        assert None not in found, [line for line, answer in zip(self.lines, found, strict=True) if answer is None]
        return [answer for answer in found if answer is not None]

    def until(self, reached: Callable[[Answer], bool]) -> Answer:
        """The first answer of that kind; waits for it."""
        with self.news:
            assert self.news.wait_for(lambda: any(map(reached, self.answers)), timeout=WAIT_S), self.lines[-5:]
        return next(filter(reached, self.answers))

    def wait(self) -> End:
        """Its end, in good order."""
        self.process.wait(WAIT_S * 2)
        end = self.until(lambda answer: isinstance(answer, End))
        assert isinstance(end, End)
        kinds = [answer.kind for answer in self.answers]
        assert {kind: kinds.count(kind) for kind in set(kinds) - {"progress", "end"}} == end.given
        return end

    @property
    def told(self) -> list[JobTold]:
        """Of the jobs, in order."""
        return [answer for answer in self.answers if isinstance(answer, JobTold)]

    def jobs(self) -> dict[int, JobTold]:
        """What was told of each of the last batch, by its number; of each once."""
        told = self.told
        assert len({(job.batch, job.job) for job in told}) == len(told)
        return {job.job: job for job in told}


@contextmanager
def arm(folder: Path, plan: Plan, **env: str) -> Iterator[Child]:
    """The child on this plan, in a folder of its own; killed at the end where it did not end."""
    folder.mkdir()
    environment = {**os.environ, "PERFDB_RUN_DIR": str(folder), "PERFDB_HOST_KEY": "secret", **env}
    environment[VARIABLE] = plan.model_dump_json()
    argv = [sys.executable, str(CHILD / "slurm" / "program.py")]
    with (folder / "stderr").open("w") as errors:
        process = subprocess.Popen(
            argv, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder, start_new_session=True
        )
        running = Child(process, folder)
        reader = threading.Thread(target=running.read)
        reader.start()
        try:
            yield running
        finally:
            process.kill()
            process.wait()
            reader.join()
            print("".join(running.lines), (folder / "stderr").read_text())


def in_order(job: JobTold, names: Sequence[str]) -> bool:
    """Whether all of these instants are known, and none is before the one that is named before it."""
    instants = [getattr(job, name) for name in names]
    return None not in instants and instants == sorted(instants)

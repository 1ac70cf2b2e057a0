"""Arms on a real Slurm: the child program on a plan, and single resizes by hand."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from perfdb.families import elastic
from perfdb.families.elastic.events import CHAIN, Answer, End, ResizeEvent, read_answer
from perfdb.families.elastic.mix import MixJob, digest
from perfdb.families.elastic.plan import VARIABLE, Plan
from tests.platforms.clusters import Cluster

CHILD = Path(elastic.__file__).parent / "child" / "slurm"
WAIT_S = 60.0


def child_module(name: str) -> ModuleType:
    """A module of the child, which is no package."""
    spec = importlib.util.spec_from_file_location(f"elastic_slurm_{name}", CHILD / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def job(number: int, of: str, arrival_s: float, cpus: int, most: int, units: int) -> MixJob:
    """One of a mix."""
    priority = 10 if of == "urgent" else 5
    return MixJob(
        job=number,
        of=of,  # type: ignore[arg-type]
        arrival_s=arrival_s,
        cpus=cpus,
        min_cpus=cpus,
        max_cpus=most,
        units=units,
        priority=priority,
    )


def plan(*mix: MixJob, **fields: Any) -> Plan:
    """Four nodes, elasticity on, work that sleeps 50 ms a unit."""
    rules = {"elastic": True, "threshold_percent": 100.0, "cooldown_s": 0.2, "release_s": 20.0, "patience_s": 90.0}
    work = {"unit_s": 0.05, "work": "sleep", "on_shrink": "finish"}
    given = {"target": "slurm", "arm": "on", "cpus": 4, "overcommit": False} | rules | work | fields
    return Plan(mix=mix, mix_sha256=digest(mix), **given)


@dataclass
class Child:
    """A child that runs, and what it said so far."""

    process: subprocess.Popen[str]
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

    def until_resize(self, what: str, **fields: Any) -> ResizeEvent:
        """The first such event of a resize; waits for it."""

        def is_it(answer: Answer) -> bool:
            return (
                isinstance(answer, ResizeEvent)
                and answer.what == what
                and all(getattr(answer, name) == value for name, value in fields.items())
            )

        found = self.until(is_it)
        assert isinstance(found, ResizeEvent)
        return found

    def wait(self) -> End:
        """Its end, in good order."""
        self.process.wait(WAIT_S * 2)
        end = self.until(lambda answer: isinstance(answer, End))
        assert isinstance(end, End)
        kinds = [answer.kind for answer in self.answers]
        assert {kind: kinds.count(kind) for kind in set(kinds) - {"progress", "end"}} == end.given
        return end

    def resizes(self) -> list[dict[str, ResizeEvent]]:
        """The events of each resize, by what they say, in order of generation."""
        found: dict[tuple[int, int], dict[str, ResizeEvent]] = {}
        for answer in self.answers:
            if isinstance(answer, ResizeEvent):
                found.setdefault((answer.job, answer.generation), {})[answer.what] = answer
        return [found[key] for key in sorted(found)]


@contextmanager
def child(cluster: Cluster, argv: list[str], folder: Path, env: dict[str, str]) -> Iterator[Child]:
    """Run a program, in a folder of its own; killed at the end where it did not end."""
    folder.mkdir()
    environment = {**os.environ, **cluster.env, "PERFDB_RUN_DIR": str(folder), "PERFDB_HOST_KEY": "secret", **env}
    with (folder / "stderr").open("w") as errors:
        process = subprocess.Popen(
            argv, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder, start_new_session=True
        )
        running = Child(process)
        reader = threading.Thread(target=running.read)
        reader.start()
        try:
            yield running
        finally:
            process.kill()
            process.wait()
            reader.join()
            print("".join(running.lines), (folder / "stderr").read_text())


@contextmanager
def arm(cluster: Cluster, folder: Path, plan: Plan, **env: str) -> Iterator[Child]:
    """The child on this plan."""
    with child(
        cluster, [sys.executable, str(CHILD / "program.py")], folder, {VARIABLE: plan.model_dump_json(), **env}
    ) as it:
        yield it


@contextmanager
def by_hand(cluster: Cluster, folder: Path, what: dict[str, Any], **env: str) -> Iterator[Child]:
    """A job of Slurm's and resizes of it, one after another; see `one_job.py`."""
    program = Path(__file__).with_name("one_job.py")
    with child(cluster, [sys.executable, str(program), str(CHILD), json.dumps(what)], folder, env) as it:
        yield it


def in_order(resize: dict[str, ResizeEvent]) -> list[str]:
    """The stages of the chain that were reached, by their times, without `signalled`."""
    return sorted((stage for stage in resize if stage in CHAIN and stage != "signalled"), key=lambda s: resize[s].ns)

"""The child of an arm of Kubernetes, against a stand-in for a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfdb.families import schedulers
from perfdb.families.schedulers.child.kubernetes.arms_file import describe
from perfdb.families.schedulers.events import Answer, Begin, End, JobTold, Nodes, Note, read_answer
from perfdb.families.schedulers.plan import VARIABLE, Delays, Plan, Workload
from perfdb.families.schedulers.workload.job import digest
from perfdb.families.schedulers.workload.load import jobs_of
from perfdb.processes.tree import MARKER
from tests.families.schedulers.child.kubernetes.api import NODES, PODS, Api, Cluster

PROGRAM = Path(schedulers.__path__[0]) / "child" / "kubernetes" / "program.py"
# Jobs of a few tenths of a second, and such as nobody waits for.
SHORT, LONG = 10.0, 0.01


def plan(
    arm: str = "default",
    *,
    jobs: int = 3,
    compress: float = SHORT,
    patience_s: float = 30.0,
    nodes: int = 4,
    file: Path | None = None,
    source: str = "size-2",
) -> Plan:
    """For that arm, and so many jobs of two nodes each."""
    workload = Workload(source=source, nodes=4, seed=1, load=0.7, jobs=jobs, compress=compress, sha256="")
    return Plan(
        arm=f"kubernetes:{arm}",
        iteration=1,
        batches=1,
        nodes=nodes,
        workload=workload.model_copy(update={"sha256": digest(jobs_of(workload))}),
        job="sleep",
        patience_s=patience_s,
        delays=Delays(schedule_s=0, release_s=0),
        kubernetes=describe([arm], file)[arm],
    )


@dataclass(frozen=True)
class Told:
    """What a child said, and left in its folder."""

    code: int
    answers: tuple[Answer, ...]
    artifacts: Mapping[str, str]

    @property
    def begin(self) -> Begin:
        return next(one for one in self.answers if isinstance(one, Begin))

    @property
    def end(self) -> End:
        last = self.answers[-1]
        assert isinstance(last, End)
        return last

    @property
    def jobs(self) -> dict[int, JobTold]:
        return {one.job: one for one in self.answers if isinstance(one, JobTold)}

    @property
    def nodes(self) -> list[Nodes]:
        return [one for one in self.answers if isinstance(one, Nodes)]

    @property
    def notes(self) -> str:
        return "\n".join(one.text for one in self.answers if isinstance(one, Note))


class Child:
    """A real process."""

    def __init__(self, config: Path, folder: Path, what: Plan) -> None:
        self.mark = uuid.uuid4().hex
        self._folder = folder / f"run-{self.mark}"
        self._folder.mkdir()
        env = {
            **os.environ,
            "KUBECONFIG": str(config),
            VARIABLE: what.model_dump_json(),
            "PERFDB_RUN_DIR": str(self._folder),
            MARKER: self.mark,
        }
        self.process = subprocess.Popen([sys.executable, str(PROGRAM)], env=env, stdout=subprocess.PIPE, text=True)

    def told(self) -> Told:
        """Wait for its end."""
        said, _ = self.process.communicate(timeout=300)
        answers = [read_answer(line) for line in said.splitlines()]
        assert None not in answers, said
        kept = self._folder / "artifacts"
        artifacts = {one.name: one.read_text() for one in kept.iterdir()} if kept.is_dir() else {}
        return Told(self.process.returncode, tuple(one for one in answers if one is not None), artifacts)


def run(cluster: Cluster, folder: Path, what: Plan) -> Told:
    """All of it."""
    return Child(cluster.config, folder, what).told()


def left(cluster: Cluster) -> list[Any]:
    """All objects but the nodes, by kind, namespace and name."""

    def found(api: Api) -> list[Any]:
        return sorted(key for key in api.objects if key[0] != NODES)

    return cluster.call(lambda: found(cluster.api))  # type: ignore[no-any-return]


def phases(api: Api) -> set[str]:
    """Those that pods are in."""
    return {one.get("status", {}).get("phase", "") for one in api.of(PODS).values()}


def loaded(text: str) -> Any:
    """An artifact."""
    return json.loads(text)

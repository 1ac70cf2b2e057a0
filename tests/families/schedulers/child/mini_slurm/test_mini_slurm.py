"""An arm on a mini-slurm of its own: the real program, with jobs of a moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from perfdb.families.schedulers.events import Begin, End, JobTold, Nodes, read_answers
from perfdb.families.schedulers.measure import _PROGRAMS
from perfdb.families.schedulers.plan import VARIABLE, Delays, Plan, Workload
from perfdb.families.schedulers.workload.load import loaded
from perfdb.processes.log import Line
from perfdb.processes.tree import MARKER, end_run, marked

# Two of three nodes for long, one that wants them all, and short ones behind, of which one asks for less time than it takes: it is ended.
SPEC = """
[[jobs]]
count = 1
nodes = 2
run_s = {long}
limit_s = 60
experiment = "long"
[[jobs]]
count = 1
nodes = 3
run_s = 0.1
limit_s = 60
experiment = "wide"
[[jobs]]
count = 1
nodes = 1
run_s = 0.1
limit_s = 30
experiment = "short"
[[jobs]]
count = 1
nodes = 1
run_s = 20
limit_s = 0.4
experiment = "late"
"""


@dataclass(frozen=True)
class Ran:
    """What a child did: its exit code, and what it told."""

    code: int
    answers: Sequence[Any]

    def of(self, kind: type[Any]) -> list[Any]:
        """Its answers of that kind."""
        return [answer for answer in self.answers if isinstance(answer, kind)]

    @property
    def end(self) -> End:
        """The last one."""
        (end,) = self.of(End)
        assert isinstance(end, End)
        return end

    def job(self, number: int, batch: int = 1) -> JobTold:
        """What it told of a job."""
        (found,) = [job for job in self.of(JobTold) if (job.job, job.batch) == (number, batch)]
        assert isinstance(found, JobTold)
        return found


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    """Names everything that the test's children start, and nothing is left of it afterwards."""
    name = f"test{os.getpid()}{time.monotonic_ns()}"
    yield name
    left = marked(name)
    end_run(name, grace_s=0.5, patience_s=10.0)
    assert left == []


def begin(tmp_path: Path, mark: str, long_s: float = 1.0, **plan: Any) -> subprocess.Popen[str]:
    """Start the child of such a plan."""
    (tmp_path / "list.toml").write_text(SPEC.format(long=long_s))
    (tmp_path / "run").mkdir()
    parameters: dict[str, Any] = {"nodes": 3, "seed": 1, "load": 0.7, "jobs": 0, "compress": 1.0}
    found = loaded(str(tmp_path / "list.toml"), **parameters)
    asked = Plan(
        arm="mini-slurm",
        iteration=1,
        workload=Workload(source=found.source.whole, sha256=found.sha256, **parameters),
        delays=Delays(schedule_s=0, release_s=0),
        **{"batches": 1, "nodes": 3, "job": "sleep", "patience_s": 60.0, **plan},
    )
    return subprocess.Popen(
        [sys.executable, str(_PROGRAMS["mini-slurm"])],
        env={**os.environ, VARIABLE: asked.model_dump_json(), "PERFDB_RUN_DIR": str(tmp_path / "run"), MARKER: mark},
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(child: subprocess.Popen[str], before: Sequence[str] = ()) -> Ran:
    """Let it come to its end."""
    said, _ = child.communicate(timeout=120)
    lines = [*before, *said.splitlines()]
    return Ran(child.returncode, read_answers(tuple(Line(0.0, "stdout", line) for line in lines)))


def test_jobs_get_their_nodes_as_easy_backfill_has_it(tmp_path: Path, mark: str) -> None:
    ran = finish(begin(tmp_path, mark, batches=2))
    assert (ran.code, ran.end.outcome, ran.end.left) == (0, "all", "")
    (first,) = ran.of(Begin)
    assert (first.arm, first.nodes, first.jobs, first.fresh) == ("mini-slurm", 3, 4, True)
    assert [(nodes.when, nodes.states) for nodes in ran.of(Nodes)] == [("before", {"idle": 3}), ("after", {"idle": 3})]
    for batch in (1, 2):
        long, wide, short, late = (ran.job(number, batch) for number in (1, 2, 3, 4))
        assert [job.state for job in (long, wide, short, late)] == ["COMPLETED", "COMPLETED", "COMPLETED", "TIMEOUT"]
        assert [job.node_list for job in (long, wide, short)] == ["0-1", "0-2", "2"]
        for job in (long, wide, short):
            stamps = [
                job.submitted,
                job.eligible,
                job.allocated,
                job.started,
                job.inside_began,
                job.inside_ended,
                job.ended,
                job.released,
            ]
            assert stamps == sorted(stamps)  # type: ignore[type-var] # none of them is None
        # Those behind the wide one are let by, for they are over before it could begin.
        assert (short.allocated or 0) < (long.ended or 0) <= (wide.allocated or 0)
    assert (ran.job(1, 1).ended or 0) < (ran.job(1, 2).submitted or 0)
    assert {kind: ran.end.given[kind] for kind in ("begin", "batch", "job", "nodes")} == {
        "begin": 1,
        "batch": 1,
        "job": 8,
        "nodes": 2,
    }
    assert "ready: 3 CPUs" in (tmp_path / "run" / "artifacts" / "mini-slurm.log").read_text()


def test_what_is_not_over_when_patience_is_is_told_as_it_was_and_ended(tmp_path: Path, mark: str) -> None:
    ran = finish(begin(tmp_path, mark, long_s=50.0, patience_s=1.5))
    assert (ran.code, ran.end.outcome, ran.end.left) == (1, "timeout", "")
    long, wide, short = (ran.job(number) for number in (1, 2, 3))
    assert (long.state, long.ended, long.inside_ended) == ("RUNNING", None, None)
    assert long.inside_began is not None
    assert (wide.state, wide.allocated, wide.node_list) == ("PENDING", None, "")
    assert short.state == "COMPLETED"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_child_that_is_told_to_stop_tells_what_it_saw_and_leaves_nothing(
    tmp_path: Path, mark: str, number: int
) -> None:
    child = begin(tmp_path, mark, long_s=50.0)
    assert child.stdout is not None
    said = []
    for line in child.stdout:
        said.append(line)
        if '"progress"' in line:
            break
    child.send_signal(number)
    ran = finish(child, said)
    assert ran.end.outcome == "stopped"
    assert ran.job(1).state == "RUNNING"


def is_burning(process: psutil.Process) -> bool:
    """Whether it is one of the long job's."""
    try:
        argv = process.cmdline()
    except psutil.Error:
        return False
    return argv[:1] == [sys.executable] and argv[-2:] == ["burn", "50.0"]


def test_jobs_that_burn_keep_as_many_cpus_busy_as_they_have(tmp_path: Path, mark: str) -> None:
    child = begin(tmp_path, mark, long_s=50.0, job="burn", patience_s=60.0)
    burning: list[int] = []
    deadline = time.monotonic() + 60
    while len(burning) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
        burning = [process.pid for process in marked(mark) if is_burning(process)]
    child.send_signal(signal.SIGTERM)
    assert finish(child).job(1).state == "RUNNING"
    assert len(burning) == 2


def test_a_list_that_was_changed_meanwhile_is_refused(tmp_path: Path, mark: str) -> None:
    child = begin(tmp_path, mark)
    (tmp_path / "list.toml").write_text(SPEC.format(long=2.0))
    ran = finish(child)
    assert ran.of(Begin) == []
    assert (ran.end.outcome, "gives another list of jobs" in (ran.end.trouble or "")) == ("failed", True)

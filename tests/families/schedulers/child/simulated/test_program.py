"""The child of a simulated arm, as perfdb starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from perfdb.families import schedulers
from perfdb.families.schedulers.events import Answer, Batch, Begin, End, JobTold, Nodes, read_answers
from perfdb.families.schedulers.plan import VARIABLE, Delays, Plan, Workload
from perfdb.families.schedulers.workload.load import loaded
from perfdb.processes.log import Line

PROGRAM = Path(schedulers.__file__).parent / "child" / "simulated" / "program.py"
# On 4 nodes: 3 of them for 10 s, then all, then two short ones, which backfill puts beside the first.
SPEC = """
[[jobs]]
nodes = 3
run_s = 10
limit_s = 10
[[jobs]]
nodes = 4
run_s = 2
limit_s = 2
arrival_s = 1
[[jobs]]
count = 2
nodes = 1
run_s = 3
limit_s = 3
arrival_s = 2
"""


def told(folder: Path, *, batches: int = 1, patience_s: float = 100.0, sha256: str = "") -> tuple[int, list[Answer]]:
    """The exit code of a child under EASY, and what it says."""
    path = folder / "jobs.toml"
    path.write_text(SPEC, encoding="utf-8")
    known = loaded(str(path), nodes=4, seed=1, load=0.7, jobs=0, compress=1.0)
    plan = Plan(
        arm="simulated:easy",
        iteration=1,
        batches=batches,
        nodes=4,
        workload=Workload(
            source=str(path), nodes=4, seed=1, load=0.7, jobs=0, compress=1.0, sha256=sha256 or known.sha256
        ),
        job="sleep",
        patience_s=patience_s,
        delays=Delays(schedule_s=0.5, release_s=0.25),
    )
    child = subprocess.run(
        [sys.executable, PROGRAM],
        env={**os.environ, VARIABLE: plan.model_dump_json()},
        capture_output=True,
        text=True,
        check=False,
    )
    return child.returncode, list(read_answers(tuple(Line(0.0, "stdout", line) for line in child.stdout.splitlines())))


def jobs(answers: list[Answer], batch: int) -> dict[int, JobTold]:
    return {one.job: one for one in answers if isinstance(one, JobTold) and one.batch == batch}


def test_a_child_tells_of_every_job_of_every_batch(tmp_path: Path) -> None:
    code, answers = told(tmp_path, batches=2)
    assert code == 0
    begin, *_, end = answers
    assert isinstance(begin, Begin) and isinstance(end, End)
    assert (begin.clock.name, begin.fresh, begin.jobs, begin.nodes, begin.ns) == ("simulated", True, 4, 4, 0)
    assert (end.outcome, end.given) == ("all", {"begin": 1, "nodes": 2, "job": 8, "batch": 1})
    assert [one.states for one in answers if isinstance(one, Nodes)] == [{"idle": 4}, {"idle": 4}]
    first, (batch,), second = jobs(answers, 1), [a for a in answers if isinstance(a, Batch)], jobs(answers, 2)
    # 0.5 s to the start, 10 s, 0.25 s to free nodes: the wide one is given its nodes at 10.75, which are free at 13.5.
    assert [first[number].allocated for number in (1, 2, 3)] == [0, 10_750_000_000, 2_000_000_000]
    wide = first[2]
    assert (wide.submitted, wide.eligible, wide.node_list) == (1_000_000_000, 1_000_000_000, "0-3")
    assert (wide.started, wide.ended, wide.released) == (11_250_000_000, 13_250_000_000, 13_500_000_000)
    assert (batch.batch, batch.ns) == (2, 13_500_000_000)
    assert second[1].allocated == batch.ns


def test_a_batch_that_is_not_over_in_time_is_the_last(tmp_path: Path) -> None:
    code, answers = told(tmp_path, batches=2, patience_s=5.0)
    assert code == 1
    end = answers[-1]
    assert isinstance(end, End) and (end.outcome, end.ns) == ("timeout", 7_000_000_000)
    assert {number: one.state for number, one in jobs(answers, 1).items()} == {
        1: "RUNNING",
        2: "PENDING",
        3: "COMPLETED",
        4: "RUNNING",
    }
    assert not jobs(answers, 2)


def test_another_list_than_the_other_arms_get_is_not_simulated(tmp_path: Path) -> None:
    code, answers = told(tmp_path, sha256="0" * 64)
    (end,) = answers
    assert code == 1
    assert isinstance(end, End) and end.outcome == "failed"
    assert end.trouble is not None and "another list" in end.trouble

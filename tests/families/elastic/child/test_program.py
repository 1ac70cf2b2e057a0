"""One arm for real: a scheduler of its own, jobs that arrive, resizes, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from perfdb.families import elastic
from perfdb.families.elastic import FAMILY
from perfdb.families.elastic.events import (
    Answer,
    Arm,
    Begin,
    End,
    JobEvent,
    ResizeEvent,
    read_answer,
)
from perfdb.families.elastic.measure import plan_of
from perfdb.families.elastic.plan import VARIABLE
from perfdb.families.elastic.spec import ElasticSpec
from perfdb.processes.tree import MARKER, marked
from tests.families.elastic.arms import child

_PROGRAM = Path(elastic.__path__[0]) / "child" / "mini_slurm" / "program.py"
# The urgent job arrives while the elastic one, alone until then, has both CPUs.
SPEC = ElasticSpec(
    reps=1,
    elastic_jobs=1,
    rigid_jobs=0,
    urgent_jobs=1,
    elastic_units=120,
    urgent_units=6,
    work="sleep",
    overcommit=True,
    patience_s=300,
)
# What a machine that others use as well cannot promise.
_OF_THE_MACHINE = {"machine_idle_but_for_this", "arrivals_on_time"}


def begin(arm: Arm, folder: Path, spec: ElasticSpec = SPEC) -> tuple[subprocess.Popen[str], str]:
    """The child, and what marks all that it starts."""
    mark = uuid.uuid4().hex
    env = {
        **os.environ,
        VARIABLE: plan_of("mini-slurm", arm, spec).model_dump_json(),
        "PERFDB_RUN_DIR": str(folder),
        MARKER: mark,
    }
    return subprocess.Popen([sys.executable, str(_PROGRAM)], env=env, stdout=subprocess.PIPE, text=True), mark


def run(arm: Arm, folder: Path, spec: ElasticSpec = SPEC) -> list[str]:
    process, mark = begin(arm, folder, spec)
    said, _ = process.communicate(timeout=300)
    assert marked(mark) == []
    return said.splitlines()


def answers(said: Sequence[str]) -> list[Answer]:
    found = [read_answer(line) for line in said]
    assert None not in found
    return [one for one in found if one is not None]


def end_of(said: Sequence[str]) -> End:
    last = answers(said)[-1]
    assert isinstance(last, End)
    return last


def test_with_elasticity_on_a_job_grows_into_what_is_free_and_is_shrunk_for_an_urgent_one(tmp_path: Path) -> None:
    said = run("on", tmp_path)
    assert end_of(said).outcome == "all"
    found = answers(said)
    begun = found[0]
    assert isinstance(begun, Begin)
    assert (begun.cpus, begun.unit, begun.enforcement != "") == (2, "cpu", True)
    resizes = [one for one in found if isinstance(one, ResizeEvent)]
    assert [(one.cpus_from, one.cpus_to) for one in resizes if one.what == "decided"][:2] == [(1, 2), (2, 1)]
    shrink = {one.what: one.ns for one in resizes if one.generation == 2}
    assert shrink["decided"] <= shrink["written"] <= shrink["signalled"]
    # A job may read the file before it gets the signal.
    assert shrink["decided"] <= shrink["acknowledged"] <= shrink["applied"]
    measured = FAMILY.assemble(SPEC, None, [child("rep-1-on", said)])
    failed = {check.name: check.detail for check in measured.checks if not check.passed}
    assert failed.keys() <= _OF_THE_MACHINE | {"arms_interleaved"}


def test_with_elasticity_off_nothing_is_resized_and_the_same_work_is_done(tmp_path: Path) -> None:
    said = run("off", tmp_path)
    found = answers(said)
    assert [one for one in found if isinstance(one, ResizeEvent)] == []
    assert {one.state for one in found if isinstance(one, JobEvent) and one.what == "ended"} == {"COMPLETED"}
    measured = FAMILY.assemble(SPEC, None, [child("rep-1-off", said)])
    failed = {check.name: check.detail for check in measured.checks if not check.passed}
    assert failed.keys() <= _OF_THE_MACHINE


def test_told_to_stop_it_ends_its_jobs_and_tells_what_there_was(tmp_path: Path) -> None:
    process, mark = begin("on", tmp_path, SPEC.model_copy(update={"elastic_units": 100_000}))
    assert process.stdout is not None
    said = [next(line for line in process.stdout if '"progress"' in line)]
    process.send_signal(signal.SIGTERM)
    said += process.communicate(timeout=300)[0].splitlines()
    assert marked(mark) == []
    assert (process.returncode, end_of(said).outcome) == (1, "stopped")
    states = {one.state for one in answers(said) if isinstance(one, JobEvent) and one.what == "ended"}
    assert "CANCELLED" in states


def test_jobs_that_are_not_over_in_time_are_ended(tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"elastic_units": 100_000, "arrive_within_s": 0.1, "patience_s": 1.0})
    assert end_of(run("off", tmp_path, spec)).outcome == "timeout"


def test_a_scheduler_that_does_not_come_up_is_told_in_its_words(tmp_path: Path) -> None:
    end = end_of(run("off", tmp_path, SPEC.model_copy(update={"cpus": 4096, "overcommit": False})))
    assert end.outcome == "failed"
    assert "the scheduler ended with code" in (end.trouble or "")
    assert "4096" in (end.trouble or "")

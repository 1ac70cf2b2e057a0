"""The lab runs small Python programs here, in place of parsl-perf: one after another, each to a certain end."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from perfdb.families import FAMILIES, Program
from perfdb.platforms import Job
from perfdb.processes.tree import MARKER, marked
from perfdb.runner.assemble import record_of
from perfdb.runner.child_files import files_of
from perfdb.runner.lab import MeasurementStopped, SupervisedLab
from tests.families.throughput.outputs import setup
from tests.runner.journals import journal_of, request


class Observer:
    """Notes what it hears; `on_progress` may do something about it."""

    tick_s = None

    def __init__(self):
        self.said, self.progressed, self.on_progress = [], [], lambda text: None

    def say(self, text):
        self.said.append(text)

    def progress(self, child, text):
        self.progressed.append((child, text))
        self.on_progress(text)

    def tick(self):
        pass


class Batch:
    """A batch system that says what a test wants: real ones take their time. `stuck` are jobs it cannot be made to end."""

    name = "slurm"
    provider_classes = frozenset({"SlurmProvider"})

    def __init__(self):
        self.up, self.busy, self.stuck, self.cancelled = [], [], (), []
        self.asked = lambda: None

    def jobs_of(self, run_dir):
        return ("4711",)

    def times_of(self, job_ids):
        return tuple(Job(job_id=job_id, state="COMPLETED", nodes=("n0",)) for job_id in job_ids)

    def over(self, job_ids):
        self.asked()
        return not (self.busy and self.busy.pop())

    def cancel(self, job_ids, names=()):
        self.cancelled.append((job_ids, names))
        return self.stuck

    def nodes_up(self):
        self.asked()
        return ("n0",) if self.up and self.up.pop() else ()


@pytest.fixture
def batch(monkeypatch):
    made = Batch()
    monkeypatch.setattr("perfdb.platforms.PLATFORMS", (made,))
    monkeypatch.setattr("perfdb.platforms.cancel.PLATFORMS", (made,))
    monkeypatch.setattr("perfdb.runner.waiting.FIRST_PAUSE_S", 0.01)
    return made


def lab_of(settings, provider):
    begun = []
    made = SupervisedLab(
        request(settings, python=Path(sys.executable)),
        journal_of(settings, closed=False),
        FAMILIES["throughput"],
        setup(provider=provider),
        Observer(),
        deadline=None,
        before_first=lambda: begun.append(time.monotonic()),
    )
    made.begun = begun
    return made


@pytest.fixture
def lab(settings):
    made = lab_of(settings, "LocalProvider")
    yield made
    assert marked(made.journal.run) == []


@pytest.fixture
def on_batch(settings, batch):
    made = lab_of(settings, "SlurmProvider")
    yield made
    assert marked(made.journal.run) == []


def program(source, name="rep-1", **more):
    return Program(name, (sys.executable, "-c", source), env={"EXTRA": "extra"}, **more)


def test_a_childs_words_come_back_and_are_in_the_journal(lab):
    done = lab.run(program("print('==== Iteration 1 ====')"))
    assert done.log.name == "01-rep-1"
    assert done.log.stdout[0].text == "==== Iteration 1 ===="
    assert done.log.exit.code == 0
    assert done.jobs == ()
    assert lab.observer.progressed == [("rep-1", "iteration 1")]
    assert [path.name for path in lab.journal.log_paths()] == ["01-rep-1.jsonl"]


def test_a_child_is_told_of_by_the_name_that_people_know_it_by(lab):
    lab.run(program("print('==== Iteration 1 ====')", label="rep 1/3"))
    assert lab.observer.progressed == [("rep 1/3", "iteration 1")]


def test_a_failing_child_is_a_result_and_no_exception(lab):
    assert lab.run(program("raise SystemExit(3)")).log.exit.code == 3


def test_mlflow_is_opened_once_before_the_first_child(lab):
    lab.run(program(""))
    lab.run(program("", "rep-2"))
    assert len(lab.begun) == 1
    assert [path.name for path in lab.journal.log_paths()] == ["01-rep-1.jsonl", "02-rep-2.jsonl"]


def test_a_child_finds_its_parsl_its_config_and_a_run_folder_of_its_own(lab):
    names = ("PATH", "PERFDB_CONFIG", "PERFDB_RUN_DIR", "EXTRA", MARKER)
    done = lab.run(
        program(f"import os; [print(os.environ[name]) for name in {names}]; os.stat(os.environ['PERFDB_RUN_DIR'])")
    )
    path, config, run_dir, extra, marker = (line.text for line in done.log.stdout)
    assert path.split(os.pathsep)[0].endswith("/bin")
    assert config == "/nowhere/local_fake.py"
    assert run_dir.endswith(f"{lab.journal.run}/rep-1")
    assert (extra, marker) == ("extra", lab.journal.run)
    assert done.log.exit.code == 0


def test_what_a_child_leaves_for_the_record_is_in_the_journal_without_the_folders_name(lab):
    source = """
import os, pathlib
folder = pathlib.Path(os.environ["PERFDB_RUN_DIR"], "artifacts")
folder.mkdir()
(folder / "said.txt").write_text(f"in {folder}\\n")
"""
    lab.run(program(source))
    (kept,) = files_of(lab.journal, "01-rep-1").values()
    assert kept.startswith("in ")
    assert str(lab.request.work_path) not in kept


def test_ctrl_c_lets_the_child_clean_up_and_ends_the_measurement(lab):
    lab.observer.on_progress = lambda text: os.kill(os.getpid(), signal.SIGINT)
    source = """
import time
try:
    print("==== Iteration 1 ====", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print("cleaned up", flush=True)
"""
    with pytest.raises(MeasurementStopped):
        lab.run(program(source))
    assert "stopping: the child cleans up" in lab.observer.said[0]
    (log,) = lab.journal.log_paths()
    assert "cleaned up" in log.read_text()
    with pytest.raises(MeasurementStopped):
        lab.run(program("", "rep-2"))
    assert lab.journal.log_paths() == [log]


def test_time_that_is_up_ends_the_child_and_the_measurement(lab):
    lab.deadline = time.monotonic() + 0.5
    with pytest.raises(MeasurementStopped):
        lab.run(program("import time; time.sleep(600)"))
    with pytest.raises(MeasurementStopped):
        lab.run(program("", "rep-2"))
    (log,) = lab.journal.log_paths()
    assert '"reason": "timeout"' in log.read_text()


# What a batch system does by itself is waited for.
def interrupt(_=None):
    os.kill(os.getpid(), signal.SIGINT)


def test_a_child_that_wants_the_nodes_released_begins_when_none_is_up_for_nothing(on_batch, batch):
    batch.up = [True, True, True]
    asked = []
    batch.asked = lambda: asked.append(on_batch.journal.log_paths())
    assert on_batch.run(program("", begin_when="released", patience_s=60.0)).log.exit.code == 0
    assert asked == [[]] * 4
    assert on_batch.observer.said == [
        "rep-1 begins once 1 node with nothing to do are powered down (they idle for SuspendTime first)"
    ]


def test_a_child_that_does_not_ask_for_it_waits_for_no_release(on_batch, batch):
    batch.up = [True]
    on_batch.run(program(""))
    assert batch.up == [True]


def test_nodes_that_stay_up_are_waited_for_until_patience_ends_and_the_child_runs(on_batch, batch):
    batch.up = [True] * 1000
    assert on_batch.run(program("", begin_when="released", patience_s=0.1)).log.exit.code == 0
    assert on_batch.observer.said[-1] == "rep-1 begins although 1 node with nothing to do did not power down in 0.1 s"


def test_the_time_limit_ends_the_wait_for_a_release_and_the_record_says_so(on_batch, batch):
    batch.up = [True] * 1000
    on_batch.deadline = time.monotonic() + 0.1
    with pytest.raises(MeasurementStopped):
        on_batch.run(program("", begin_when="released", patience_s=60.0))
    assert on_batch.journal.log_paths() == []
    record, _, _ = record_of(on_batch.journal)
    assert (record.status, record.reason) == ("timeout", "the time limit was reached before rep-1 could begin")


def test_ctrl_c_ends_the_wait_for_a_release(on_batch, batch):
    batch.up, batch.asked = [True] * 1000, interrupt
    with pytest.raises(MeasurementStopped):
        on_batch.run(program("", begin_when="released", patience_s=60.0))
    assert on_batch.journal.log_paths() == []
    assert record_of(on_batch.journal)[0].status == "interrupted"


def test_a_childs_jobs_are_ended_then_waited_for_then_asked_for_their_times(on_batch, batch):
    batch.busy = [True, True]
    batch.asked = lambda: batch.cancelled[0]  # they were told to end before they are waited for
    done = on_batch.run(program("", settle_s=60))
    assert batch.busy == []
    assert done.jobs == (Job(job_id="4711", state="COMPLETED", nodes=("n0",)),)
    assert on_batch.journal.read("logs/01-rep-1.jobs") == [done.jobs[0].model_dump(mode="json")]


@pytest.mark.parametrize("ended_by", ["settle_s", "deadline", "ctrl-c"])
def test_jobs_that_do_not_end_are_not_waited_for_beyond_what_was_said(on_batch, batch, ended_by):
    batch.busy = [True] * 1000
    if ended_by == "deadline":
        on_batch.deadline = time.monotonic() + 3.0
    if ended_by == "ctrl-c":
        batch.asked = interrupt
        with pytest.raises(MeasurementStopped):
            on_batch.run(program("", settle_s=60))
    else:
        on_batch.run(program("", settle_s=0.1 if ended_by == "settle_s" else 60))
    assert len(on_batch.journal.read("logs/01-rep-1.jobs")) == 1


def test_ctrl_c_while_jobs_are_ended_does_not_leave_them(on_batch, batch):
    def cancel(job_ids, names=()):
        batch.cancelled.append(job_ids)
        if len(batch.cancelled) == 1:
            raise KeyboardInterrupt
        return ()

    batch.cancel = cancel
    with pytest.raises(MeasurementStopped):
        on_batch.run(program(""))
    assert batch.cancelled == [("4711",)] * 2


# What could not be cancelled is not forgotten.
def test_jobs_that_cannot_be_cancelled_are_tried_again_by_the_next_run(on_batch, batch, settings):
    batch.stuck = ("4711",)
    on_batch.run(program(""))
    assert on_batch.observer.said == ["these cluster jobs could not be cancelled now, `perfdb sync` tries again: 4711"]
    (noted,) = (settings.state_path / "left").iterdir()
    assert noted.name == f"{on_batch.journal.run}.json"
    later = lab_of(settings, "SlurmProvider")
    later.run(program("", "later"))
    assert "could not be cancelled: 4711. Is the scheduler there?" in later.observer.said[0]
    batch.stuck = ()
    lab_of(settings, "SlurmProvider").run(program("", "last"))
    assert list((settings.state_path / "left").iterdir()) == []

"""The lab runs small Python programs here, in place of parsl-perf: one after another, each to a certain end."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from perfdb.families import FAMILIES, Program
from perfdb.processes.tree import MARKER, marked
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


@pytest.fixture
def lab(settings):
    begun = []
    made = SupervisedLab(
        request(settings, python=Path(sys.executable)),
        journal_of(settings, closed=False),
        FAMILIES["throughput"],
        setup(),
        Observer(),
        deadline=None,
        before_first=lambda: begun.append(time.monotonic()),
    )
    made.begun = begun
    yield made
    assert marked(made.journal.run) == []


def program(source, name="rep-1"):
    return Program(name, (sys.executable, "-c", source), env={"EXTRA": "extra"})


def test_a_childs_words_come_back_and_are_in_the_journal(lab):
    done = lab.run(program("print('==== Iteration 1 ====')"))
    assert done.log.name == "01-rep-1"
    assert done.log.stdout[0].text == "==== Iteration 1 ===="
    assert done.log.exit.code == 0
    assert done.jobs == ()
    assert lab.observer.progressed == [("rep-1", "iteration 1")]
    assert [path.name for path in lab.journal.log_paths()] == ["01-rep-1.jsonl"]


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

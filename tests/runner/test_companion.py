"""A child that runs beside others: one for all that want it, and none left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from perfdb.families import Program
from perfdb.processes.tree import marked
from perfdb.runner.lab import MeasurementStopped, SupervisedLab
from perfdb.settings import Settings
from tests.runner.test_lab import Batch, lab_of

# Writes who it is where the others look, and says so when it was told to end.
HOLDER = """
import os, time
from pathlib import Path
folder = Path(os.environ["PERFDB_RUN_DIR"])
(folder / "draft").write_text(str(os.getpid()))
(folder / "draft").rename(folder / "pid")
try:
    time.sleep(600)
except KeyboardInterrupt:
    (folder / "ended").touch()
"""
ASK = """
import os, time
from pathlib import Path
path = Path(os.environ["PERFDB_BESIDE_DIR"], "pid")
while not path.exists():
    time.sleep(0.02)
print(path.read_text())
"""


@pytest.fixture
def lab(settings: Settings) -> SupervisedLab:
    made = lab_of(settings, "LocalProvider")
    made.deadline = time.monotonic() + 60
    return made


def holder(name: str = "nodes", source: str = HOLDER) -> Program:
    return Program(name, (sys.executable, "-c", source))


def child(name: str, beside: Program | None, source: str = ASK) -> Program:
    return Program(name, (sys.executable, "-c", source), beside=beside)


def run_dir(lab: SupervisedLab, name: str = "nodes") -> Path:
    return lab.request.work_path / lab.journal.run / name


def test_children_that_name_the_same_share_it_and_it_ends_in_good_order_after_them(lab: SupervisedLab) -> None:
    said = [lab.run(child(name, holder())).log.stdout[0].text for name in ("rep-1", "rep-2")]
    assert said[0] == said[1]
    assert not (run_dir(lab) / "ended").exists()
    lab.close()
    assert (run_dir(lab) / "ended").exists()
    assert marked(lab.journal.run) == []
    lab.close()


def test_it_is_no_child_of_the_run_so_one_that_is_gone_on_with_finds_its_children_in_order(lab: SupervisedLab) -> None:
    lab.run(child("rep-1", holder()))
    lab.run(child("rep-2", holder()))
    lab.close()
    assert [path.name for path in lab.journal.log_paths()] == ["01-rep-1.jsonl", "02-rep-2.jsonl"]


def test_it_ends_before_a_child_that_does_not_want_it(lab: SupervisedLab) -> None:
    lab.run(child("rep-1", holder()))
    looks = f"from pathlib import Path; print(Path({str(run_dir(lab) / 'ended')!r}).exists())"
    assert lab.run(child("rep-2", None, looks)).log.stdout[0].text == "True"


def test_one_that_ended_by_itself_is_not_waited_for(lab: SupervisedLab) -> None:
    beside = holder(source="")
    assert lab.run(child("rep-1", beside, "print('alone')")).log.stdout[0].text == "alone"
    lab.run(child("rep-2", beside, "print('alone')"))
    lab.close()


def test_however_much_it_says_it_goes_on(lab: SupervisedLab) -> None:
    # More than the pipes between it and us take; so it only gets to its end where somebody reads.
    talkative = holder(source="for _ in range(500): print('x' * 1000, flush=True)\n" + HOLDER)
    said = [lab.run(child(name, talkative)).log.stdout[0].text for name in ("rep-1", "rep-2")]
    assert said[0] == said[1]
    lab.close()
    assert (run_dir(lab) / "ended").exists()


def test_ctrl_c_ends_the_child_and_whoever_closes_ends_it_too(lab: SupervisedLab) -> None:
    lab.observer.on_progress = lambda _: os.kill(os.getpid(), signal.SIGINT)  # type: ignore[attr-defined]
    waits = ASK + "print('==== Iteration 1 ====', flush=True); time.sleep(600)"
    with pytest.raises(MeasurementStopped):
        lab.run(child("rep-1", holder(), waits))
    lab.close()
    assert (run_dir(lab) / "ended").exists()
    assert marked(lab.journal.run) == []


def test_its_cluster_jobs_are_cancelled_at_its_end(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Batch()
    monkeypatch.setattr("perfdb.platforms.PLATFORMS", (batch,))
    monkeypatch.setattr("perfdb.platforms.cancel.PLATFORMS", (batch,))
    lab = lab_of(settings, "SlurmProvider")
    lab.run(child("rep-1", holder()))
    before = len(batch.cancelled)
    lab.close()
    assert len(batch.cancelled) == before + 1

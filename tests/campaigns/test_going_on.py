"""A run that waits where it was interrupted. Its children are tiny programs; real kills are in tests/end_to_end."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pyarrow.parquet
import pytest
from pydantic import BaseModel

from perfdb.campaigns import going_on
from perfdb.campaigns.going_on import is_of_one, plan_of_one, run_or_go_on
from perfdb.campaigns.plan import Arm, plan_for, put_by, waiting
from perfdb.cli.going_on import begun_or_new
from perfdb.errors import Interrupted, RegistryError, UsageError
from perfdb.families import FAMILIES, Family, Measurements, Outputs, Program, Subject
from perfdb.processes.identity import ProcessIdentity
from perfdb.processes.tree import marked
from perfdb.registry import Journal, Registry
from perfdb.registry.journal import all_journals
from perfdb.runner import Asked, NotWritten
from perfdb.runner.syncing import sync_all
from perfdb.settings import Settings
from tests.families.throughput.outputs import setup

TO_GO_ON = "Type it again."
# Says its number, and where it is told to, waits until it is stopped.
CHILD = """
import os, sys, time
from pathlib import Path
print("turn", sys.argv[1], flush=True)
if Path(sys.argv[2]).exists() and sys.argv[1] == Path(sys.argv[2]).read_text():
    print("halfway", flush=True)
    time.sleep(600)
"""


class Turns(BaseModel):
    turns: int = 3


class Observer:
    """Notes what it hears; `on_progress` may do something about it."""

    tick_s = None

    def __init__(self):
        self.said, self.heard, self.on_progress = [], [], lambda text: None

    def say(self, text):
        self.said.append(text)

    def progress(self, child, text):
        self.heard.append(text)
        self.on_progress(text)

    def tick(self):
        pass


class Mirror:
    """Stands in for MLflow, which has tests of its own: notes what it is told. `interrupts` is a call at which Ctrl-C comes."""

    def __init__(self, interrupts=""):
        self.calls, self.interrupts = [], interrupts

    def _note(self, call):
        self.calls.append(call)
        if call == self.interrupts:
            raise KeyboardInterrupt

    def prepare(self, request, journal):
        self._note("prepare")

    def open(self):
        self._note("open")

    def show(self, folder, journal):
        self._note("show")
        journal.remove()

    def close(self):
        self._note("close")


def family_of(tmp_path: Path) -> Family:
    """One that counts: its children say their numbers, and its record has those that were heard."""

    def measure(lab, spec):
        for turn in range(1, spec.turns + 1):
            yield Program(f"turn-{turn}", (sys.executable, "-c", CHILD, str(turn), str(tmp_path / "stop-at")))

    def assemble(spec, setup, runs):
        said = [line.text.split()[1] for run in runs for line in run.log.stdout if line.text.startswith("turn ")]
        ended = all(run.log.exit.reason == "ended" for run in runs) and len(runs) == spec.turns
        reason = None if ended else "it was cut off"
        reasons = {run.log.exit.reason for run in runs} - {"ended"}
        status = "ok" if ended else "timeout" if "timeout" in reasons else "interrupted"
        return Measurements(status, reason, samples={"turn": [int(number) for number in said]})

    def describe(target, key):
        if target == "nothing":
            raise UsageError("there is no such thing. Name another.")
        return setup().config

    return Family(
        name="counting",
        purpose="Count.",
        spec=Turns,
        subject=Subject(metavar="WHAT", option="--what", help="Anything.", describe=describe),
        examples=(),
        overrides=lambda _: {},
        fits=lambda _, __: None,
        measure=measure,
        child_count=lambda spec: spec.turns,
        assemble=assemble,
        metrics={},
        headline=(),
        charts=(),
        progress=lambda _: lambda text: text,
        summarise=lambda _: (),
        derive=lambda _: (),
        implied=frozenset(),
        outputs=Outputs(("turns.txt",), lambda spec, target, record, runs, around: {"turns.txt": b"counted\n"}),
        goes_on=True,
    )


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(FAMILIES, "counting", family_of(tmp_path))
    made = Settings(root=tmp_path)
    yield made
    assert [run for journal in all_journals(made.state_path) for run in marked(journal.run)] == []


def asked(**changes: object) -> Asked:
    found = Asked(
        family=FAMILIES["counting"],
        target="anything",
        spec={"turns": 3},
        run_name=None,
        experiment=None,
        machine="laptop-7f3a",
        timeout_s=None,
        python=Path(sys.executable),
        parsl=None,
    )
    return replace(found, **changes)


def again(settings: Settings, what: Asked):
    """The plan that the same command finds."""
    plan = plan_of_one(what, settings)
    return next((other for other in waiting(settings.state_path) if other.key == plan.key), plan)


def run(settings, what, observer=None, mirror=None):
    plan = again(settings, what)
    return run_or_go_on(plan, settings, observer or Observer(), mirror or Mirror(), to_go_on=TO_GO_ON)


def interrupted(settings, what, turn):
    """Run until that turn, and have Ctrl-C come while its child is at work."""
    (settings.root / "stop-at").write_text(str(turn))
    observer = Observer()
    observer.on_progress = lambda text: os.kill(os.getpid(), signal.SIGINT) if text == "halfway" else None
    mirror = Mirror()
    with pytest.raises(Interrupted) as stopped:
        run(settings, what, observer, mirror)
    (settings.root / "stop-at").unlink()
    abandon(settings)
    return observer, mirror, str(stopped.value)


def abandon(settings):
    """As if the process that ran them had ended since."""
    for journal in all_journals(settings.state_path):
        journal.write("owner", {**asdict(ProcessIdentity.mine()), "started": 0.0})


def turns_of(outcome) -> list[int]:
    return pyarrow.parquet.read_table(outcome.folder / "samples.parquet")["turn"].to_pylist()


def records(settings) -> list[Path]:
    return list(Registry(settings.registry_path).folders())


def nothing_waits(settings) -> bool:
    return not waiting(settings.state_path) and not all_journals(settings.state_path)


def test_a_run_that_nobody_interrupts_is_as_any_other(settings):
    observer, mirror = Observer(), Mirror()
    outcome = run(settings, asked(), observer, mirror)
    assert outcome.record.status == "ok" and turns_of(outcome) == [1, 2, 3]
    assert outcome.record.sitting is None
    assert mirror.calls == ["prepare", "open", "show"]
    assert observer.heard == ["turn 1", "turn 2", "turn 3"] and observer.said == []
    assert nothing_waits(settings)


def test_ctrl_c_leaves_no_record_and_the_same_command_goes_on_with_the_turn_that_was_cut_off(settings):
    _, mirror, told = interrupted(settings, asked(), turn=2)
    assert "safe in the journal" in told and told.endswith(TO_GO_ON)
    assert mirror.calls == ["prepare", "open", "close"]
    assert records(settings) == [] and len(waiting(settings.state_path)) == 1
    observer, mirror = Observer(), Mirror()
    outcome = run(settings, asked(), observer, mirror)
    assert observer.heard == ["turn 2", "turn 3"]
    assert mirror.calls == ["prepare", "open", "show"]
    assert outcome.record.status == "ok" and turns_of(outcome) == [1, 2, 3]
    assert nothing_waits(settings) and len(records(settings)) == 1


def test_a_run_that_is_interrupted_again_and_again_counts_no_turn_twice(settings):
    for turn in (1, 1, 3):
        interrupted(settings, asked(), turn)
    outcome = run(settings, asked())
    assert turns_of(outcome) == [1, 2, 3] and len(records(settings)) == 1


def test_what_waits_is_left_alone_by_sync_and_becomes_a_record_once_it_is_given_up(settings):
    interrupted(settings, asked(), turn=2)
    told = sync_all(settings, Observer(), with_mlflow=False)
    assert (told.waiting, told.recovered) == (1, []) and "run wait" in told.sentence()
    (plan,) = waiting(settings.state_path)
    going_on.forget(plan, settings.state_path)
    sync_all(settings, Observer(), with_mlflow=False)
    (folder,) = records(settings)
    assert '"status":"interrupted"' in (folder / "record.json").read_text().replace(" ", "")


def test_an_interruption_before_the_first_turn_leaves_nothing(settings):
    mirror = Mirror(interrupts="prepare")
    with pytest.raises(Interrupted, match="before anything was measured"):
        run(settings, asked(), mirror=mirror)
    assert mirror.calls == ["prepare", "close"]
    assert nothing_waits(settings) and records(settings) == []


def test_what_cannot_be_measured_at_all_does_not_wait(settings):
    mirror = Mirror()
    with pytest.raises(UsageError, match="no such thing"):
        run(settings, asked(target="nothing"), mirror=mirror)
    assert mirror.calls == ["prepare", "close"]
    assert nothing_waits(settings)


def test_a_disk_that_is_full_at_the_start_leaves_nothing_that_waits(settings, monkeypatch):
    def full(*_, **__):
        raise RegistryError("it could not be written: the disk is full: free some space.")

    for owner, name in ((Journal, "create"), (Mirror, "prepare")):
        with monkeypatch.context() as patch, pytest.raises(RegistryError, match="disk is full"):
            patch.setattr(owner, name, full)
            run(settings, asked())
        assert nothing_waits(settings)


def test_what_another_process_just_begins_is_left_to_it(settings):
    plan = plan_of_one(asked(), settings)
    put_by(plan, settings.state_path)
    (seat,) = plan.seats
    Journal.create(settings.state_path, seat.request.model_dump(mode="json"), run=seat.run)  # by us, who live
    with pytest.raises(RegistryError, match="measuring the same"):
        run(settings, asked())
    assert len(waiting(settings.state_path)) == 1 and len(all_journals(settings.state_path)) == 1


def test_a_supervisor_that_is_killed_costs_its_turn_alone(settings):
    (settings.root / "stop-at").write_text("2")
    observer = Observer()
    observer.on_progress = lambda text: _kill_the_supervisor() if text == "halfway" else None
    with pytest.raises(Interrupted, match="safe in the journal"):
        run(settings, asked(), observer)
    assert records(settings) == [] and len(waiting(settings.state_path)) == 1
    (settings.root / "stop-at").unlink()
    abandon(settings)
    observer = Observer()
    outcome = run(settings, asked(), observer)
    assert observer.heard == ["turn 2", "turn 3"] and turns_of(outcome) == [1, 2, 3]
    assert outcome.record.status == "ok" and nothing_waits(settings)


def _kill_the_supervisor():
    # A worker of these tests may have other children still.
    (supervisor,) = [child for child in psutil.Process().children() if "perfdb.processes.supervisor" in child.cmdline()]
    supervisor.kill()


def test_what_was_measured_in_part_is_kept_when_it_can_no_longer_be_measured(settings, monkeypatch):
    interrupted(settings, asked(), turn=2)
    gone = replace(FAMILIES["counting"].subject, describe=_refuse)
    monkeypatch.setitem(FAMILIES, "counting", replace(FAMILIES["counting"], subject=gone))
    with pytest.raises(RegistryError, match="measured in part"):
        run(settings, asked())
    assert len(waiting(settings.state_path)) == 1 and len(all_journals(settings.state_path)) == 1


def _refuse(target, key):
    raise UsageError("it is gone. Put it back.")


def test_time_that_is_up_makes_a_record_and_nothing_waits(settings):
    (settings.root / "stop-at").write_text("1")
    outcome = run(settings, asked(timeout_s=1.0))
    assert outcome.record.status == "timeout"
    assert nothing_waits(settings)


def test_ctrl_c_after_the_last_turn_costs_nothing(settings):
    with pytest.raises(Interrupted, match="after the measurement"):
        run(settings, asked(), mirror=Mirror(interrupts="show"))
    assert waiting(settings.state_path) == [] and len(records(settings)) == 1


def test_a_process_that_dies_once_the_record_is_made_leaves_one_record(settings, monkeypatch):
    what = asked(output_dir=settings.root / "out")
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(going_on, "forget", _die)
        run(settings, what)
    assert len(waiting(settings.state_path)) == 1
    (settings.root / "out" / "turns.txt").unlink()
    abandon(settings)
    outcome = run(settings, what)
    assert [folder.name for folder in records(settings)] == [outcome.record.record_id]
    assert outcome.outputs == settings.root / "out" and (settings.root / "out" / "turns.txt").exists()
    assert nothing_waits(settings)


def _die(plan, state_path):
    raise SystemExit(9)


def test_files_that_cannot_be_written_cost_neither_the_record_nor_a_second_run(settings, monkeypatch):
    folder = settings.root / "out"

    def taken_meanwhile(*_):
        folder.rmdir()
        folder.write_text("somebody's")
        return {"turns.txt": b"counted\n"}

    outputs = Outputs(("turns.txt",), taken_meanwhile)
    monkeypatch.setitem(FAMILIES, "counting", replace(FAMILIES["counting"], outputs=outputs))
    with pytest.raises(NotWritten) as error:
        run(settings, asked(output_dir=folder))
    assert error.value.outcome.record.status == "ok"
    assert waiting(settings.state_path) == [] and len(records(settings)) == 1


def test_another_process_that_measures_the_same_is_not_disturbed(settings):
    interrupted(settings, asked(), turn=2)
    (journal,) = all_journals(settings.state_path)
    journal.adopt()  # by us, who live
    with pytest.raises(RegistryError, match="measuring the same"):
        run(settings, asked())


def test_what_waits_is_gone_on_with_and_said_to_be_with_how_far_it_is(settings):
    interrupted(settings, asked(), turn=3)
    voice = Observer()
    begun_or_new(plan_of_one(asked(), settings), settings, voice, fresh=False)
    (said,) = voice.said
    assert said.startswith("going on with the run that was begun at ") and ": 2 of 3 steps are done already" in said


def test_nobody_is_told_of_going_on_with_what_another_process_measures(settings):
    interrupted(settings, asked(), turn=2)
    (journal,) = all_journals(settings.state_path)
    journal.adopt()  # by us, who live
    voice = Observer()
    plan = begun_or_new(plan_of_one(asked(), settings), settings, voice, fresh=False)
    assert voice.said == [] and plan.uuid == waiting(settings.state_path)[0].uuid


def test_another_name_or_another_folder_is_another_run(settings):
    keys = [
        plan_of_one(what, settings).key
        for what in (
            asked(),
            asked(run_name="night"),
            asked(output_dir=settings.root / "a"),
            asked(output_dir=settings.root / "b"),
        )
    ]
    assert len(set(keys)) == 4 and plan_of_one(asked(), settings).key == keys[0]


def test_a_file_that_an_option_names_is_part_of_the_question(settings):
    arms = settings.root / "arms.toml"
    keys = set()
    for text in ("a = 1", "a = 2"):
        arms.write_text(text)
        keys.add(plan_of_one(asked(spec={"turns": 3, "arms": str(arms)}), settings).key)
    assert len(keys) == 2


def test_so_is_one_without_a_suffix_where_the_option_names_files(settings, monkeypatch):
    monkeypatch.setitem(FAMILIES, "counting", replace(FAMILIES["counting"], unkept={"arms": "a file"}))
    arms, pipe = settings.root / "arms", settings.root / "pipe"
    os.mkfifo(pipe)
    keys = set()
    for text in ("a = 1", "a = 2"):
        arms.write_text(text)
        keys.add(plan_of_one(asked(spec={"turns": 3, "arms": str(arms)}), settings).key)
    for said in (str(pipe), "x" * 5000, "no\0name"):  # nothing of it is read
        keys.add(plan_of_one(asked(spec={"turns": 3, "arms": said}), settings).key)
    assert len(keys) == 5


def test_a_sweep_is_told_from_a_run(settings):
    assert is_of_one(plan_of_one(asked(), settings))
    assert not is_of_one(plan_for([Arm("a", asked()), Arm("b", asked())], settings))
    assert not is_of_one(plan_for([Arm("a", asked(family=FAMILIES["throughput"], spec={}))], settings))

"""Imported runs into a registry, killed and started again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from perfdb.record import Record
from perfdb.registry.importers import IMPORTERS, Options, Skipped, definitions
from perfdb.registry.importers.definitions import DEFINITIONS
from perfdb.registry.remarks import retractions_of
from perfdb.registry.store import read_record
from tests.registry.importers.sources import STARTED_MS, add_run, entries, file_store, keep, parts, save

KIND = "parsl-perf-archive"


def many_runs(root: Path, count: int) -> Path:
    experiment = file_store(root)
    for number in range(count):
        deleted = {"lifecycle_stage": "deleted", "deleted_time": STARTED_MS} if number % 3 == 0 else {}
        add_run(experiment, f"{number:032x}", **deleted)
    return experiment


def test_a_run_is_known_again_after_perfdb_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = many_runs(tmp_path, 3)
    save(tmp_path / "mlruns", KIND, experiment)
    monkeypatch.setattr("perfdb.registry.importers.building.__version__", "99.0")
    again = save(tmp_path / "mlruns", KIND, experiment, machine="renamed", experiment="renamed")
    assert (again.added, again.known, again.retracted) == ([], 3, [])


def test_equal_sources_give_equal_records_wherever_they_lie(tmp_path: Path) -> None:
    ids = []
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        ids.append(save(tmp_path / place / "mlruns", KIND, many_runs(tmp_path / place, 3).parent).added)
    assert ids[0] == ids[1]


def test_a_dry_run_says_what_would_be_and_writes_nothing(tmp_path: Path) -> None:
    experiment = many_runs(tmp_path, 4)
    saved = keep(parts(KIND, experiment), tmp_path / "mlruns", dry_run=True)
    assert (len(saved.added), len(saved.retracted)) == (4, 2)
    assert not (tmp_path / "mlruns").exists()


def test_every_record_reads_back_and_names_its_source(tmp_path: Path) -> None:
    save(tmp_path / "mlruns", KIND, many_runs(tmp_path, 3))
    for entry in entries(tmp_path / "mlruns"):
        assert read_record(entry.folder / "record.json") == entry.record
        origin = entry.record.origin
        assert (origin.kind, origin.source_kind) == ("imported", KIND)
        assert origin.source is not None
        assert str(tmp_path) not in entry.record.to_bytes().decode()


def test_every_kind_has_its_definitions() -> None:
    assert IMPORTERS.keys() == DEFINITIONS.keys()
    for metrics in filter(None, DEFINITIONS.values()):
        assert all(definition.definition for definition in metrics.values())
    assert set(definitions.OPENENV_COLUMNS.values()) <= definitions.SCALING.keys()


@pytest.mark.parametrize("tag", ["perfdb.record_id", "perfdb.comparison"])
def test_a_run_that_is_perfdbs_own_mirror_is_skipped_and_is_no_fault(tmp_path: Path, tag: str) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment, tags={tag: "0123456789abcdef"})
    saved = save(tmp_path / "mlruns", KIND, experiment)
    assert (saved.added, saved.faults, len(saved.skipped)) == ([], [], 1)


def test_what_no_record_can_hold_is_told_as_a_fault(tmp_path: Path) -> None:
    [part] = parts(KIND, many_runs(tmp_path, 1), experiment="no/label")
    assert isinstance(part, Skipped)
    assert "experiment" in part.why


KILLED = """
import os, signal, sys
from pathlib import Path
from perfdb.cli.known import rules
from perfdb.redaction import Identity
from perfdb.registry import Registry
from perfdb.registry.importers import IMPORTERS, Options, Validator, save_all

kind, source, top = sys.argv[1:]

def die_at(step, root):
    steps = 0
    def hook(event, arguments):
        nonlocal steps
        if arguments and str(arguments[0]).startswith(root):
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

code, step = None, 0
while code != 0:
    step += 1
    root = f"{top}/{step:04}"
    child = os.fork()
    if child == 0:
        die_at(step, root)
        with Validator(rules(), Identity()) as judge:
            save_all(IMPORTERS[kind](source, Options()), Registry(Path(root)), judge=judge)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
"""


def test_an_import_killed_at_any_step_in_the_registry_goes_on_where_it_stopped(tmp_path: Path) -> None:
    experiment = many_runs(tmp_path, 4)
    whole = {record.record_id for record in _records(experiment)}
    (tmp_path / "killed").mkdir()
    subprocess.run([sys.executable, "-c", KILLED, KIND, str(experiment), str(tmp_path / "killed")], check=True)
    left = {(0, 0)}  # killed before there is a folder
    for root in sorted((tmp_path / "killed").iterdir()):
        there = {entry.record.record_id for entry in entries(root)}
        assert there <= whole
        left.add((len(there), len(retractions_of(root))))
        save(root, KIND, experiment)
        assert {entry.record.record_id for entry in entries(root)} == whole
        assert len(retractions_of(root)) == 2
    # Between and after each of the records and retractions.
    assert left == {(0, 0), (1, 0), (1, 1), (2, 1), (3, 1), (4, 1), (4, 2)}


def _records(experiment: Path) -> list[Record]:
    return [part.record for part in IMPORTERS[KIND](str(experiment), Options()) if not isinstance(part, Skipped)]

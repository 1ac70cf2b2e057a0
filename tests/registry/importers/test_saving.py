"""Imported runs into a registry, killed and started again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
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


def test_a_run_that_is_perfdbs_own_mirror_is_skipped_and_is_no_fault(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment, tags={"perfdb.record_id": "0123456789abcdef"})
    saved = save(tmp_path / "mlruns", KIND, experiment)
    assert (saved.added, saved.faults, len(saved.skipped)) == ([], [], 1)


def test_what_no_record_can_hold_is_told_as_a_fault(tmp_path: Path) -> None:
    [part] = parts(KIND, many_runs(tmp_path, 1), experiment="no/label")
    assert isinstance(part, Skipped)
    assert "experiment" in part.why


@pytest.mark.drill
def test_an_import_killed_anywhere_goes_on_where_it_stopped(tmp_path: Path, drill_share: float) -> None:
    experiment = many_runs(tmp_path, 40)
    whole = {record.record_id for record in _records(experiment)}
    code = (
        "import sys\nfrom pathlib import Path\nfrom perfdb.registry import Registry\n"
        "from perfdb.registry.importers import *\n"
        "from perfdb.cli.known import rules\nfrom perfdb.redaction import Identity\n"
        "with Validator(rules(), Identity()) as judge:\n"
        f"    save_all(IMPORTERS['{KIND}'](sys.argv[1], Options()), Registry(Path(sys.argv[2])), judge=judge,\n"
        "        on_part=lambda saved: print(len(saved.added), flush=True))"
    )
    choice = random.Random(7)
    kills = 0
    for attempt in range(max(2, round(30 * drill_share))):
        root = tmp_path / f"mlruns-{attempt}"
        with subprocess.Popen(
            [sys.executable, "-c", code, str(experiment), str(root)], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            first = choice.randint(1, 30)
            for _ in range(first):
                assert child.stdout.readline()
            time.sleep(choice.uniform(0, 0.01))  # somewhere in one of the next ones
            os.kill(child.pid, signal.SIGKILL)
            kills += child.wait() == -signal.SIGKILL
        there = {entry.record.record_id for entry in entries(root)}
        assert first <= len(there)
        assert there <= whole
        save(root, KIND, experiment)
        assert {entry.record.record_id for entry in entries(root)} == whole
        assert len(retractions_of(root)) == 14
    assert kills > attempt / 2  # one that was quicker than we has ended


def _records(experiment: Path) -> list[Record]:
    return [part.record for part in IMPORTERS[KIND](str(experiment), Options()) if not isinstance(part, Skipped)]

"""`perfdb import` as it is typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.registry import Registry
from perfdb.registry.remarks import retractions_of
from tests.end_to_end.conftest import Home
from tests.registry.importers.sources import STARTED_MS, add_run, file_store

KIND = "parsl-perf-archive"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Home]:
    root = tmp_path / "root"
    root.mkdir()
    yield Home(root)


def test_an_import_prints_what_it_did_and_another_adds_nothing(place: Home, tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment)
    add_run(experiment, "f" * 32, lifecycle_stage="deleted", deleted_time=STARTED_MS)
    planned = place.run("perfdb", "import", KIND, str(experiment), "--dry-run")
    assert planned.stdout == (
        "2 records would be added (2 ok); 0 there already; 1 would be retracted, as deleted in the source\n"
    )
    assert list(Registry(place.root / "mlruns").entries()) == []
    done = place.run("perfdb", "import", KIND, str(experiment), "--machine", "cloud", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert (len(document["added"]), len(document["retracted"]), document["faults"]) == (2, 1, [])
    assert len(list((place.root / "mlruns" / "parsl-perf-exp-01" / "cloud").rglob("record.json"))) == 2
    assert list(retractions_of(place.root / "mlruns")) == document["retracted"]
    again = place.run("perfdb", "import", KIND, str(experiment))
    assert (again.returncode, again.stdout) == (0, "0 records added; 2 there already\n")


def test_what_cannot_be_read_is_told_and_the_exit_code_is_5(place: Home, tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment)
    (add_run(experiment, "f" * 32) / "meta.yaml").write_text("run_id: !!python/name:os.system\n")
    done = place.run("perfdb", "import", KIND, str(experiment))
    assert done.returncode == 5
    assert done.stdout == "1 record added (1 ok); 0 there already; 1 could not be read\n"
    assert done.stderr.startswith(f"warning: 1/{'f' * 32}: meta.yaml: it holds more than plain values")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("moon", "x"), "there is no importer 'moon'; there are parsl-perf-archive, mlflow, openenv, fluence, csv"),
        ((KIND, "nowhere"), "is not there"),
        ((KIND, "."), "no MLflow file store"),
        (("openenv", "."), "neither summary.csv nor raw.jsonl"),
        (("fluence", "."), "there is no log"),
        (("csv", "."), "--mapping FILE.toml"),
        (("openenv", ".", "--mapping", "m.toml"), "--mapping is for csv"),
        (("openenv", ".", "--machine", "../up"), "--machine '../up' cannot name a folder"),
        (("fluence", ".", "--date", "soon"), "--date 'soon' is no day"),
        (("mlflow", "sqlite:///nowhere.db"), "there is no database"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused_with_the_next_step(place: Home, arguments: tuple[str, ...], words: str) -> None:
    done = place.run("perfdb", "import", *arguments)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""

"""`perfdb import` as it is typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.registry import Registry
from perfdb.registry.remarks import retractions_of
from tests.end_to_end.conftest import Home
from tests.registry.importers.sources import STARTED_MS, add_run, file_store, write_log

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


def test_what_others_would_refuse_is_told_and_the_exit_code_is_5(place: Home, tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment)
    add_run(experiment, "f" * 32, start_time=1000, end_time=2000)
    for dry_run in (["--dry-run"], []):
        done = place.run("perfdb", "import", KIND, str(experiment), *dry_run)
        assert done.returncode == 5
        assert done.stderr.startswith(
            f"warning: 1/{'f' * 32}: `perfdb validate` would refuse it: record.json: ended_at: "
        )
        assert "Traceback" not in done.stderr
    assert place.run("perfdb", "validate").returncode == 0
    assert len(place.folders) == 1


def test_two_imports_at_once_add_each_run_once(place: Home, tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    for number in range(200):
        add_run(experiment, f"{number:032x}")
    logs = ("one.log", "two.log")
    both = [place.start("perfdb", "import", KIND, str(experiment), "--json", log=log) for log in logs]
    assert [process.wait(120) for process in both] == [0, 0]
    said = [json.loads((place.root / log).read_text()) for log in logs]
    assert sorted((len(each["added"]), each["known"]) for each in said) == [(0, 200), (200, 0)]
    assert len(place.folders) == 200


def test_the_scheduler_of_imported_jobs_is_found(place: Home, tmp_path: Path) -> None:
    for scheduler in ("kueue", "default"):
        write_log(tmp_path / "run", f"{scheduler}-batch-0-iter-0-size-2")
    assert place.run("perfdb", "import", "fluence", str(tmp_path / "run")).returncode == 0
    found = place.run("perfdb", "list", "scheduler == kueue", "--json")
    assert [record["run_name"] for record in json.loads(found.stdout)] == ["kueue size-2"]


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
        (("mlflow", "http://[::1"), "SOURCE is no address"),
        (("mlflow", "file://elsewhere/store"), "three slashes"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused_with_the_next_step(place: Home, arguments: tuple[str, ...], words: str) -> None:
    done = place.run("perfdb", "import", *arguments)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""

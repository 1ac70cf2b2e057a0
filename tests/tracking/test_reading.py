"""Every run of an MLflow, and the records that they become."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from perfdb.errors import TrackingError, UsageError
from perfdb.redaction import Redactor
from perfdb.registry import Registry
from perfdb.registry.importers import IMPORTERS, Imported, Options, Saved
from perfdb.tracking import Target, reading, sync_records
from perfdb.tracking.door import connect
from perfdb.tracking.reading import read_runs
from tests.registry.importers.sources import SIX, STARTED_MS, add_run, file_store, keep
from tests.tracking.records import save, sqlite_target


def fetched(target: Target) -> Options:
    return Options(fetch=lambda uri: read_runs(Target(uri, target.artifact_root, target.state_path)))


def imported(root: Path, target: Target) -> Saved:
    return keep(IMPORTERS["mlflow"](target.uri, fetched(target)), root)


def one_run(client: Any, experiment: str = "tuning", *, metrics: Mapping[str, float], **tags: str) -> str:
    """A run that somebody logged with plain MLflow."""
    known = client.get_experiment_by_name(experiment)
    experiment_id = known.experiment_id if known else client.create_experiment(experiment)
    run = client.create_run(
        experiment_id, start_time=STARTED_MS, run_name="of-jdoe42", tags={"mlflow.user": "jdoe42", **tags}
    )
    run_id = str(run.info.run_id)
    client.log_param(run_id, "max_blocks", 8)
    for name, value in metrics.items():
        client.log_metric(run_id, name, value, timestamp=STARTED_MS, step=0)
    client.set_terminated(run_id, "FINISHED", end_time=STARTED_MS + 1500)
    return run_id


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with nothing in it: making one takes seconds, copying it none."""
    target = sqlite_target(tmp_path_factory.mktemp("empty"))
    connect(target, wait_s=30)
    assert target.database is not None
    return target.database


@pytest.fixture
def target(tmp_path: Path, empty_database: Path) -> Target:
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return sqlite_target(tmp_path)


@pytest.fixture
def client(target: Target) -> Iterator[Any]:
    yield connect(target, wait_s=30)


def test_runs_come_in_with_their_times_numbers_and_names(tmp_path: Path, target: Target, client: Any) -> None:
    run_id = one_run(client, metrics={"Train/Loss": 0.25, "accuracy": 0.5}, note="asked jdoe42")
    assert len(imported(tmp_path / "mlruns", target).added) == 1
    [entry] = Registry(tmp_path / "mlruns").entries()
    assert not isinstance(entry, Exception)
    record = entry.record
    assert (record.family, record.experiment, record.run_name) == ("external", "tuning", "of-<user>")
    assert {m.name: (m.value, m.unit, m.direction) for m in record.metrics} == {
        "accuracy": (0.5, "", "none"),
        "train_loss": (0.25, "", "none"),
    }
    assert record.tags is not None
    assert (record.tags["metric train_loss"], record.tags["note"]) == ("Train/Loss", "asked <user>")
    assert (record.params, record.duration_s) == ({"max_blocks": 8}, 1.5)
    assert record.origin.source == f"sqlite:mlflow.db#run/{run_id}"
    for file in ("record.json", "artifacts/source.json"):
        text = (entry.folder / file).read_text()
        assert "jdoe42" not in text
        assert str(tmp_path) not in text
        assert Redactor().find(text) == []


def test_a_second_import_adds_nothing_even_after_a_note_was_written(
    tmp_path: Path, target: Target, client: Any
) -> None:
    run_id = one_run(client, metrics={"loss": 1.0})
    imported(tmp_path / "mlruns", target)
    client.set_tag(run_id, "mlflow.note.content", "a remark")
    again = imported(tmp_path / "mlruns", target)
    assert (again.added, again.known) == ([], 1)


def test_deleted_runs_and_those_of_deleted_experiments_come_in_retracted(
    tmp_path: Path, target: Target, client: Any
) -> None:
    client.delete_run(one_run(client, metrics={"loss": 1.0}))
    one_run(client, "gone", metrics={"loss": 2.0})
    client.delete_experiment(client.get_experiment_by_name("gone").experiment_id)
    one_run(client, metrics={"loss": 3.0})
    saved = imported(tmp_path / "mlruns", target)
    assert (len(saved.added), len(saved.retracted)) == (3, 2)


def test_perfdbs_own_mirror_does_not_come_back_in(tmp_path: Path, target: Target) -> None:
    entry = save(tmp_path)
    sync_records(target, tmp_path / "mlruns", [entry.folder], {})
    saved = imported(tmp_path / "mlruns", target)
    assert (saved.added, saved.faults, len(saved.skipped)) == ([], [], 1)


def test_histories_and_numbers_that_are_none_come_as_they_are(tmp_path: Path, target: Target, client: Any) -> None:
    run_id = one_run(client, metrics={"loss": math.nan, "time": math.inf})
    for step in range(5):
        client.log_metric(run_id, "epoch", float(step), timestamp=STARTED_MS + step, step=step)
    [part] = IMPORTERS["mlflow"](target.uri, fetched(target))
    assert isinstance(part, Imported)
    assert part.record.status == "invalid"
    assert "loss, time" in (part.record.reason or "")
    assert [m.value for m in part.record.metrics] == [4.0]
    assert part.record.samples[0].rows == 5


def test_all_pages_are_read(tmp_path: Path, target: Target, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    ids = {one_run(client, f"e{number % 3}", metrics={}) for number in range(7)}
    assert {run["run_id"] for run in reading.runs_of(client, target)} == ids


def test_a_run_with_exactly_parsl_perfs_metrics_is_one_of_throughput(target: Target, client: Any) -> None:
    one_run(client, metrics=SIX)
    [part] = IMPORTERS["mlflow"](target.uri, fetched(target))
    assert isinstance(part, Imported)
    assert part.record.family == "throughput"
    metric = part.record.metric("runtime_tps")
    assert metric is not None
    assert (metric.unit, metric.direction) == ("tasks/s", "higher")


def test_a_server_is_read_like_a_database(tmp_path: Path, http_target: Target) -> None:
    run_id = one_run(connect(http_target, wait_s=30), "served", metrics={"loss": 1.0})
    found = [part for part in IMPORTERS["mlflow"](http_target.uri, fetched(http_target)) if isinstance(part, Imported)]
    [record] = [part.record for part in found if run_id in (part.record.origin.source or "")]
    assert record.metrics[0].value == 1.0


def test_a_migrated_file_store_gives_the_runs_of_the_files(tmp_path: Path, target: Target) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment, run_id="a" * 32, metrics={**SIX, "loss": "5 1.0 0\n7 inf 2\n6 nan 1\n"})
    add_run(experiment, run_id="b" * 32, lifecycle_stage="deleted", deleted_time=STARTED_MS)
    assert target.database is not None
    target.database.unlink()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mlflow",
            "migrate-filestore",
            "--source",
            str(experiment.parent),
            "--target",
            target.uri,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    served = [part.record for part in IMPORTERS["mlflow"](target.uri, fetched(target)) if isinstance(part, Imported)]
    files = [p.record for p in IMPORTERS["mlflow"](str(experiment.parent), Options()) if isinstance(p, Imported)]
    assert sorted(r.origin.source_sha256 or "" for r in served) == sorted(r.origin.source_sha256 or "" for r in files)
    assert len(served) == 2


def test_a_database_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    target = sqlite_target(tmp_path)
    with pytest.raises(UsageError, match="no database"):
        list(IMPORTERS["mlflow"](target.uri, fetched(target)))
    assert target.database is not None
    assert not target.database.exists()


def test_a_file_that_is_no_database_is_told_in_words(tmp_path: Path) -> None:
    target = sqlite_target(tmp_path)
    assert target.database is not None
    target.database.write_bytes(b"no database at all" * 100)
    with pytest.raises(TrackingError, match="MLflow at sqlite") as told:
        list(IMPORTERS["mlflow"](target.uri, fetched(target)))
    assert str(told.value).endswith("import again: what came in already stays, and comes in only once.")


@pytest.mark.parametrize(
    "source", ["ftp://jdoe42:hunter2@mlflow.invalid/x", "postgres://u:hunter2@db.invalid/x", "://x"]
)
def test_an_address_that_mlflow_does_not_know_is_refused_before_mlflow_starts(source: str) -> None:
    with pytest.raises(UsageError, match="MLflow knows http, https, sqlite") as refusal:
        list(IMPORTERS["mlflow"](source, Options(fetch=pytest.fail)))
    assert "hunter2" not in str(refusal.value)

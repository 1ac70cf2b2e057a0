"""MLflow's runs by either kind of source: an address, or a file store's folder."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from perfdb.errors import UsageError
from perfdb.registry.importers import Imported, Options
from perfdb.registry.importers.definitions import MLFLOW, PARSL_PERF
from perfdb.registry.importers.mlflow_runs import Point, SourceRun, import_run
from perfdb.registry.remarks import retractions_of
from tests.registry.importers.sources import (
    RUN_ID,
    SIX,
    STARTED_MS,
    add_run,
    entries,
    file_store,
    parts,
    records,
    save,
    source_json,
)

KIND = "mlflow"


def hash_of(**changes: object) -> str:
    """By which a run is known again."""
    points: list[Point] = [(5, 0, 1.0), (7, 2, 3.0), (6, 1, 2.0)]
    fields = {
        "address": "s",
        "experiment": "e",
        "name": "n",
        "tags": {"a": "b"},
        "users": ("jdoe42",),
        "metrics": {"loss": points},
    }
    times = {"run_id": RUN_ID, "status": "FINISHED", "started_ms": STARTED_MS, "ended_ms": STARTED_MS + 5}
    part = import_run(MLFLOW, SourceRun(params={"p": "1"}, **{**fields, **times, **changes}), Options())  # type: ignore[arg-type]
    assert isinstance(part, Imported)
    assert part.record.origin.source_sha256 is not None
    return part.record.origin.source_sha256


def test_a_path_with_two_slashes_is_that_path(tmp_path: Path) -> None:
    add_run(file_store(tmp_path))
    assert len(records(KIND, f"{tmp_path}//store")) == 1


@pytest.mark.parametrize("form", ["file://{}", "file://localhost{}", "file:{}"])
def test_a_file_address_is_read_as_it_is_spelled(tmp_path: Path, form: str) -> None:
    place = tmp_path / "a b%"
    place.mkdir()
    add_run(file_store(place))
    quoted = f"{tmp_path}/a%20b%25/store"
    assert len(records(KIND, form.format(quoted))) == 1


def test_a_file_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="three slashes"):
        list(parts(KIND, f"file://elsewhere{tmp_path}"))


@pytest.mark.parametrize("uri", ["http://[::1", "http://jdoe:hunter2@[::1/x"])
def test_an_address_that_is_none_is_refused_without_showing_it(uri: str) -> None:
    with pytest.raises(UsageError, match="SOURCE is no address") as caught:
        list(parts(KIND, uri, fetch=lambda _: iter(())))
    assert "hunter2" not in str(caught.value)


def test_placeholders_become_no_metrics_through_this_kind_either(tmp_path: Path) -> None:
    add_run(file_store(tmp_path), metrics={"other metric": 52.52, "runtime": 42.42})
    save(tmp_path / "mlruns", KIND, tmp_path / "store")
    [entry] = entries(tmp_path / "mlruns")
    assert (entry.record.status, entry.record.metrics, entry.record.family) == ("invalid", (), "throughput")
    assert "other metric = 52.52, runtime = 42.42" in (entry.record.reason or "")
    assert {"other metric", "runtime"} == source_json(entry)["metrics"].keys()


def test_placeholders_beside_real_numbers_do_not_pass_as_such(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment, metrics={"runtime": 42.42, "loss": 1.0})
    add_run(experiment, "e" * 32, metrics={"other metric": 1.0, "runtime": 2.0, **SIX})
    first, second = records(KIND, experiment)
    assert [record.status for record in (first, second)] == ["invalid", "invalid"]
    assert [metric.name for metric in first.metrics] == ["loss"]
    assert {metric.name for metric in second.metrics} == SIX.keys()


def test_somebodys_own_metric_of_such_a_name_stays_one(tmp_path: Path) -> None:
    add_run(file_store(tmp_path), metrics={"runtime": 12.5})
    [record] = records(KIND, tmp_path / "store")
    assert (record.status, record.family) == ("ok", "external")
    assert [(metric.name, metric.value) for metric in record.metrics] == [("runtime", 12.5)]


@pytest.mark.parametrize(("first", "second"), [(KIND, PARSL_PERF), (PARSL_PERF, KIND)])
def test_a_run_that_came_in_as_one_kind_is_known_as_the_other(tmp_path: Path, first: str, second: str) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment)
    add_run(experiment, "f" * 32, lifecycle_stage="deleted", deleted_time=STARTED_MS)
    assert len(save(tmp_path / "mlruns", first, experiment).added) == 2
    again = save(tmp_path / "mlruns", second, experiment)
    assert (again.added, again.known, again.retracted) == ([], 2, [])
    assert len(retractions_of(tmp_path / "mlruns")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"name": "renamed"},
        {"experiment": "moved"},
        {"tags": {"a": "c", "mlflow.note.content": "later"}},
        {"users": ()},
        {"deleted": True, "deleted_ms": STARTED_MS + 9},
        {"address": "elsewhere"},
        {"metrics": {"loss": [(5, 0, 1.0), (6, 1, 2.0), (7, 2, 3.0), (7, 2, 3.0)]}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_may_change_later_leaves_a_run_the_same(change: dict[str, object]) -> None:
    assert hash_of() == hash_of(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "FAILED"},
        {"ended_ms": STARTED_MS + 6},
        {"run_id": "f" * 32},
        {"metrics": {"loss": [(5, 0, 1.0)]}},
        {"metrics": {"loss": [(5, 0, 1.0), (6, 1, 2.0), (7, 2, 4.0)]}},
    ],
    ids=str,
)
def test_other_times_or_numbers_make_another_run(change: dict[str, object]) -> None:
    assert hash_of() != hash_of(**change)


def test_an_infinity_is_the_same_in_a_file_and_in_a_database() -> None:
    in_file, in_database = ({"loss": [(5, 0, value)]} for value in (math.inf, 1.7976931348623157e308))
    assert hash_of(metrics=in_file) == hash_of(metrics=in_database)


def test_a_renamed_and_tagged_run_is_imported_once(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    run = add_run(experiment)
    save(tmp_path / "mlruns", KIND, experiment)
    (run / "tags" / "note").write_text("said later")
    (run / "meta.yaml").write_text((run / "meta.yaml").read_text().replace("16cpu32gb", "renamed"))
    assert ((again := save(tmp_path / "mlruns", KIND, experiment)).added, again.known) == ([], 1)


@pytest.mark.parametrize("kind", [KIND, PARSL_PERF])
def test_a_store_without_empty_folders_as_git_carries_it_comes_in(tmp_path: Path, kind: str) -> None:
    experiment = file_store(tmp_path)
    run = add_run(experiment, tags={}, metrics={})
    (run / "params" / "max_blocks").unlink()
    for folder in ("params", "metrics", "tags"):
        (run / folder).rmdir()
    add_run(experiment, "f" * 32)
    saved = save(tmp_path / "mlruns", kind, experiment)
    assert (len(saved.added), saved.faults) == (2, [])

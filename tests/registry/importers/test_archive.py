"""An MLflow file store, read as files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from perfdb.errors import UsageError
from perfdb.redaction import Redactor
from perfdb.registry.importers import Imported
from perfdb.registry.remarks import retractions_of
from tests.registry.importers.sources import (
    RUN_ID,
    SHARED,
    SIX,
    STARTED_MS,
    add_run,
    entries,
    faults,
    file_store,
    parts,
    records,
    save,
    source_json,
)

KIND = "parsl-perf-archive"
REAL = SHARED / "data" / "parsl-perf-archive"


def test_a_run_keeps_its_times_names_numbers_and_tags(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment, params={"max_blocks": "8", "fraction": "0.5", "queue": "007"})
    [record] = records(KIND, tmp_path / "store")
    assert datetime(2025, 8, 28, 21, 37, 47, 766000, UTC) == record.started_at
    assert record.duration_s == 1.14
    assert (
        record.status,
        record.family,
        record.experiment,
        record.run_name,
    ) == ("ok", "throughput", "parsl-perf-exp-01", "16cpu32gb")
    assert record.params == {"max_blocks": 8, "fraction": 0.5, "queue": "007"}
    assert {m.name: m.value for m in record.metrics} == SIX
    assert record.code.measured == {"parsl": "2025.7.28"}
    assert record.tags == {"Parsl version": "2025.07.28", "Parsl Executor": "HighThroughputExecutor"}
    assert f"store/1/{RUN_ID}" == record.origin.source
    assert record.environment.machine == "imported-parsl-perf-archive"


def test_the_store_and_its_experiments_folder_give_the_same_runs_once(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment)
    assert len(save(tmp_path / "mlruns", KIND, tmp_path / "store").added) == 1
    again = save(tmp_path / "mlruns", KIND, experiment, machine="another-label")
    assert (again.added, again.known) == ([], 1)


def test_no_user_name_is_kept_wherever_it_stands(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    add_run(
        experiment,
        run_name="of-jdoe42-today",
        tags={"mlflow.user": "jdoe42", "mlflow.source.name": "/home/jdoe42/run.py", "note": "asked jdoe42"},
        params={"api_token": "not-a-real-token-1", "worker_init": "export TOKEN=not-a-real-token-2"},
    )
    save(tmp_path / "mlruns", KIND, experiment)
    [entry] = entries(tmp_path / "mlruns")
    for file in ("record.json", "artifacts/source.json"):
        text = (entry.folder / file).read_text()
        assert "jdoe42" not in text
        assert "not-a-real-token" not in text
        assert Redactor().find(text) == []
    assert entry.record.run_name == "of-<user>-today"


def test_a_deleted_run_comes_in_and_is_retracted(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment, lifecycle_stage="deleted", deleted_time=STARTED_MS + 60_000)
    saved = save(tmp_path / "mlruns", KIND, experiment)
    [(record_id, retraction)] = retractions_of(tmp_path / "mlruns").items()
    assert saved.added == saved.retracted == [record_id]
    assert retraction.reason == "deleted in its source on 2025-08-28"
    assert datetime(2025, 8, 28, 21, 38, 47, 766000, UTC) == retraction.at
    assert save(tmp_path / "mlruns", KIND, experiment).retracted == []


def test_a_run_that_was_deleted_since_the_last_import_is_retracted_and_not_added_again(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    run = add_run(experiment)
    [first] = save(tmp_path / "mlruns", KIND, experiment).added
    text = (run / "meta.yaml").read_text().replace("active", "deleted")
    (run / "meta.yaml").write_text(f"{text}deleted_time: {STARTED_MS + 9}\n")
    second = save(tmp_path / "mlruns", KIND, experiment)
    assert ([], [first]) == (second.added, second.retracted)


def test_a_deleted_experiments_runs_are_deleted_ones(tmp_path: Path) -> None:
    add_run(file_store(tmp_path))
    (tmp_path / "store" / ".trash").mkdir()
    (tmp_path / "store" / "1").rename(tmp_path / "store" / ".trash" / "1")
    [part] = parts(KIND, tmp_path / "store")
    assert isinstance(part, Imported)
    assert part.retraction is not None


@pytest.mark.parametrize(
    ("number", "status"), [(1, "interrupted"), (3, "ok"), (4, "failed"), (5, "interrupted")], ids=str
)
def test_each_status_of_mlflow_has_its_own_here(tmp_path: Path, number: int, status: str) -> None:
    add_run(file_store(tmp_path), status=number, end_time=None if number == 1 else STARTED_MS)
    assert [status] == [record.status for record in records(KIND, tmp_path / "store")]


def test_placeholders_become_no_metrics_and_make_the_record_invalid(tmp_path: Path) -> None:
    add_run(file_store(tmp_path), metrics={"other metric": 52.52, "runtime": 42.42})
    save(tmp_path / "mlruns", KIND, tmp_path / "store")
    [entry] = entries(tmp_path / "mlruns")
    assert (entry.record.status, entry.record.metrics) == ("invalid", ())
    assert "other metric = 52.52, runtime = 42.42" in (entry.record.reason or "")
    assert {"other metric", "runtime"} == source_json(entry)["metrics"].keys()


def test_rates_that_do_not_follow_from_their_parts_make_the_record_invalid(tmp_path: Path) -> None:
    add_run(file_store(tmp_path), metrics={**SIX, "runtime_tps": 300.0})
    [record] = records(KIND, tmp_path / "store")
    assert record.status == "invalid"
    assert {c.name: c.passed for c in record.checks} == {"runtime_rate_agrees": False, "submission_rate_agrees": True}


def test_the_last_value_of_a_history_counts_and_all_of_it_is_kept(tmp_path: Path) -> None:
    import pyarrow.parquet

    add_run(file_store(tmp_path), metrics={**SIX, "num_iterations": "5 1.0 0\n7 3.0 2\n6 2.0 1\n"})
    save(tmp_path / "mlruns", KIND, tmp_path / "store")
    [entry] = entries(tmp_path / "mlruns")
    metric = entry.record.metric("num_iterations")
    assert metric is not None
    assert metric.value == 3.0
    rows = pyarrow.parquet.read_table(entry.folder / "samples.parquet").to_pylist()
    assert [(r["step"], r["at_ms"], r["value"]) for r in rows] == [(0, 5, 1.0), (2, 7, 3.0), (1, 6, 2.0)]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1.7976931348623157e308"])
def test_a_metric_that_is_no_finite_number_is_told_and_the_rest_comes_in(tmp_path: Path, value: str) -> None:
    add_run(file_store(tmp_path), metrics={**SIX, "runtime_tps": f"{STARTED_MS} {value} 0\n"})
    [record] = records(KIND, tmp_path / "store")
    assert record.status == "invalid"
    assert "runtime_tps" in (record.reason or "")
    assert len(record.metrics) == 5


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("run_id: !!python/object/apply:os.system ['true']\n", "more than plain values"),
        ("run_id: !!python/name:os.system\n", "more than plain values"),
        ("run_id: &anchor x\n", "more than plain values"),
        ("a: &a [x]\nb: *a\n", "more than plain values"),
        ("run_id: {a: {b: c}}\n", "more than plain values"),
        ("[" * 30_000, "more than plain values"),
        ("a: 'unclosed", "no YAML"),
        ("", "more than plain values"),
        ("\x00", "no YAML"),
        ("a: 1\na: 2\n", "twice"),
        ("run_id: ffffffffffffffffffffffffffffffff\n", "not the folder's name"),
        (f"run_id: {RUN_ID}\n", "no start_time"),
        (f"run_id: {RUN_ID}\nstart_time: soon\n", "no number of milliseconds"),
        (f"run_id: {RUN_ID}\nstart_time: 999999999999999\nstatus: 3\n", "no instant"),
        (f"run_id: {RUN_ID}\nstart_time: 1\nstatus: 9\n", "its status is '9'"),
        ("x" * 300_000, "larger than"),
    ],
    ids=range(16),
)
def test_a_broken_run_is_told_and_the_others_come_in(tmp_path: Path, text: str, why: str) -> None:
    experiment = file_store(tmp_path)
    (add_run(experiment) / "meta.yaml").write_text(text)
    add_run(experiment, "f" * 32)
    saved = save(tmp_path / "mlruns", KIND, experiment)
    assert len(saved.added) == 1
    [fault] = saved.faults
    assert why in fault.why
    assert f"1/{RUN_ID}" == fault.where


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "value").write_text("outside")
    experiment = file_store(tmp_path)
    (add_run(experiment, "a" * 32) / "params" / "leak").symlink_to(secret / "value")
    run = add_run(experiment, "b" * 32)
    (run / "tags").rename(run / "kept")
    (run / "tags").symlink_to(secret)
    (experiment / ("c" * 32)).symlink_to(add_run(tmp_path, "c" * 32))
    told = faults(KIND, experiment)
    assert len(told) == 3
    assert all("link" in line for line in told)


@pytest.mark.parametrize("line", ["", "soon 1.0 0", f"{STARTED_MS}", f"{STARTED_MS} fast 0"])
def test_a_half_written_metric_spoils_no_other_run(tmp_path: Path, line: str) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment, metrics={**SIX, "num_tasks": line})
    add_run(experiment, "f" * 32)
    saved = save(tmp_path / "mlruns", KIND, experiment)
    assert (len(saved.added), len(saved.faults)) == (1, 1)
    assert saved.faults[0].why.startswith("metrics/num_tasks")


def test_a_folder_that_is_no_store_is_refused_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no MLflow file store"):
        list(parts(KIND, tmp_path))
    with pytest.raises(UsageError, match="not there"):
        list(parts(KIND, tmp_path / "nowhere"))


def test_folders_nested_a_thousand_deep_are_no_trouble(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    tags = add_run(experiment) / "tags"
    deep = "/".join("d" * 1500)
    subprocess.run(["mkdir", "-p", deep], cwd=tags, check=True)
    (tags / deep / "leaf").write_text("x")
    try:
        assert len(list(parts(KIND, experiment))) == 1
    finally:  # pytest could not: its own removal recurses
        subprocess.run(["rm", "-rf", str(tags / "d")], check=True)


def test_names_that_are_no_text_are_told_in_json(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    (add_run(experiment) / "params" / os.fsdecode(b"bad\xff")).write_text("1")
    saved = save(tmp_path / "mlruns", KIND, experiment)
    assert len(saved.faults) == 1
    json.dumps(saved.document(), ensure_ascii=False).encode()


def test_reading_a_store_imports_no_mlflow() -> None:
    code = "import sys, perfdb.registry.importers; sys.exit(any(m in sys.modules for m in ('mlflow', 'pandas', 'pyarrow')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(not REAL.is_dir(), reason="the archive does not lie beside this checkout")
def test_the_real_archive_has_15_active_runs_and_4_deleted_ones(tmp_path: Path) -> None:
    saved = save(tmp_path / "mlruns", KIND, REAL)
    assert (len(saved.added), len(saved.retracted), saved.skipped) == (19, 4, [])
    assert saved.statuses == {"ok": 15, "failed": 1, "invalid": 3}
    withdrawn = retractions_of(tmp_path / "mlruns")
    active = [e.record for e in entries(tmp_path / "mlruns") if e.record.record_id not in withdrawn]
    assert [record.status for record in active] == ["ok"] * 15
    assert all(len(record.metrics) == 6 for record in active)
    assert save(tmp_path / "mlruns", KIND, REAL / "502348794320483127").known == 19

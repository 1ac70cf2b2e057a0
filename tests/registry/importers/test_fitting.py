"""Sources that hold more than a record may: what fits comes in, and the record says what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perfdb.record import Record, sha256_hex
from perfdb.registry import validator
from perfdb.registry.importers import Imported, Options, fitting
from perfdb.registry.importers.definitions import MLFLOW
from perfdb.registry.importers.mlflow_runs import SourceRun, import_run
from tests.registry.importers.sources import RUN_ID, STARTED_MS, entries, keep, save, source_json, write_log
from tests.registry.importers.test_judging import accepted
from tests.registry.importers.test_openenv import raw_line, results, summary_row
from tests.registry.importers.test_table import MAPPING, files


def told(record: Record) -> str:
    """What the record says that it lacks."""
    [evidence] = [finding.evidence for finding in record.findings if finding.name == "left_out"]
    return evidence


def run(**fields: Any) -> SourceRun:
    base: dict[str, Any] = {"params": {}, "metrics": {"loss": [(STARTED_MS, 0, 1.0)]}, "tags": {}}
    return SourceRun(f"s/1/{RUN_ID}", RUN_ID, "e", "n", "FINISHED", STARTED_MS, STARTED_MS + 5, **{**base, **fields})


def imported(root: Path, source: SourceRun) -> Record:
    part = import_run(MLFLOW, source, Options())
    assert isinstance(part, Imported)
    assert keep([part], root).faults == []
    [record] = accepted(root)
    return record


def test_the_limits_on_texts_are_the_validators() -> None:
    child = (Path(validator.__file__).parent / "child" / "read_parquet.py").read_text(encoding="utf-8")
    assert f"MOST_WORDS = {fitting.MOST_WORDS:_}\n" in child
    assert f"LARGEST_WORDS = {fitting.LARGEST_WORDS // 1024} * 1024\n" in child


def test_a_column_that_is_empty_in_every_row_is_left_out(tmp_path: Path) -> None:
    lines = [raw_line(1.0, pid=None, waited_seconds=None) for _ in range(5)]
    save(tmp_path / "mlruns", "openenv", results(tmp_path, None, lines))
    [record] = accepted(tmp_path / "mlruns")
    assert not {"pid", "waited_s"} & set(record.samples[0].columns)
    assert [finding for finding in record.findings if finding.name == "left_out"] == []


def test_a_load_test_with_more_requests_than_samples_may_have_keeps_one_in_two(tmp_path: Path) -> None:
    count = 30_000
    line = raw_line(1.0)
    lines = [{**line, "request_id": n, "session_hash": f"{n:x}"} for n in range(count)]
    save(tmp_path / "mlruns", "openenv", results(tmp_path, [summary_row(num_requests=count, successful=count)], lines))
    [record] = accepted(tmp_path / "mlruns")
    assert record.samples[0].rows == count / 2
    assert "request_id" in record.samples[0].columns
    assert "environment_hash" not in record.samples[0].columns
    assert told(record) == (
        f"rows of samples.parquet: it has one in 2 of {count}; column environment_hash of samples.parquet: 15000 different "
        "texts"
    )
    [entry] = entries(tmp_path / "mlruns")
    assert source_json(entry)["left_out"] == told(record).split("; ")


def test_logs_that_are_too_long_leave_their_size_and_hash(tmp_path: Path) -> None:
    for number in range(60):
        path = write_log(tmp_path / "run", f"kueue-batch-0-iter-{number}-size-2")
        path.write_text(path.read_text().replace("=== a program's own line", f"step {number} of many\n" * 800))
    assert path.stat().st_size > 12_000
    saved = save(tmp_path / "mlruns", "fluence", tmp_path / "run")
    assert (len(saved.added), saved.faults) == (1, [])
    [record] = accepted(tmp_path / "mlruns")
    [entry] = entries(tmp_path / "mlruns")
    logs = source_json(entry)["logs"]
    assert len(logs) == 60
    assert (logs[-1]["bytes"], logs[-1]["sha256"]) == (path.stat().st_size, sha256_hex(path.read_bytes()))
    without = [log for log in logs if log["text"].__class__ is not str]
    assert without
    assert told(record).startswith(f"{len(without)} texts of ")
    assert save(tmp_path / "mlruns", "fluence", tmp_path / "run").known == 1


def test_a_long_history_stands_in_the_samples_alone(tmp_path: Path) -> None:
    import pyarrow.parquet

    points = [(STARTED_MS + n, n, n / 7) for n in range(20_000)]
    record = imported(tmp_path / "mlruns", run(metrics={"loss": points, "other": points[:1]}))
    [entry] = entries(tmp_path / "mlruns")
    assert source_json(entry)["metrics"] == {
        "loss": {"points": 20_000, "file": "samples.parquet"},
        "other": [[STARTED_MS, 0, 0]],
    }
    assert pyarrow.parquet.read_table(entry.folder / "samples.parquet").column("value").to_pylist()[-1] == points[-1][2]
    assert record.findings == ()


def test_what_is_no_finite_number_stands_in_a_history_in_words(tmp_path: Path) -> None:
    import pyarrow.parquet

    values = (1.0, float("nan"), float("inf"), -1.7976931348623157e308)
    imported(tmp_path / "mlruns", run(metrics={"loss": [(STARTED_MS, n, value) for n, value in enumerate(values)]}))
    [entry] = entries(tmp_path / "mlruns")
    table = pyarrow.parquet.read_table(entry.folder / "samples.parquet")
    assert table.column("value").to_pylist() == [1.0, None, None, None]
    assert table.column("not_finite").to_pylist() == [None, "nan", "inf", "-inf"]


@pytest.mark.parametrize("size", [5, 5000])
def test_a_run_with_thousands_of_everything_keeps_what_fits(tmp_path: Path, size: int) -> None:
    names = [f"n{number}" for number in range(9000)]
    source = run(
        metrics={name: [(STARTED_MS, 0, 1.5)] for name in names},
        params=dict.fromkeys(names[: 9000 // size * 5], "a, " * (size // 3)),
        tags=dict.fromkeys(names[:3000], "of mine"),
    )
    record = imported(tmp_path / "mlruns", source)
    assert [len(record.metrics) < 9000, len(record.params) < 9000, len(record.tags or {}) < 3000] == [True] * 3
    assert [f"{what}: " in told(record) for what in ("metrics", "params", "tags")] == [True] * 3


def test_more_repetitions_than_a_record_holds_are_samples(tmp_path: Path) -> None:
    import pyarrow.parquet

    rows = "".join(f"a;1;2025-03-01T12:00:00Z;1;hopper;x;{number}.5\n" for number in range(12_000))
    table, mapping = files(tmp_path, f"run;nodes;started;seconds;cluster;note;MB/s\n{rows}", MAPPING)
    save(tmp_path / "mlruns", "csv", table, mapping=mapping)
    [record] = accepted(tmp_path / "mlruns")
    [entry] = entries(tmp_path / "mlruns")
    assert record.metrics == ()
    values = pyarrow.parquet.read_table(entry.folder / "samples.parquet").column("write_rate").to_pylist()
    assert (len(values), values[-1]) == (12_000, 11_999.5)
    assert "metrics: 1 (write_rate)" in told(record)
    kept = json.loads((entry.folder / "artifacts" / "source.json").read_bytes())
    assert kept["rows"].keys() == {"left_out_bytes", "sha256"}
    assert "`rows` of artifacts/source.json" in told(record)

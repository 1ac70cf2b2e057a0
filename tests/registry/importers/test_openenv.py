"""Load tests of an OpenEnv service."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from perfdb.errors import UsageError
from perfdb.redaction import Redactor
from tests.registry.importers.sources import entries, faults, parts, records, save, source_json

KIND = "openenv"
NODE = "node17.cluster.example"
# Latencies 1, 2, …, 5 s: the median is 3, and p95 lies 80 % of the way from 4 to 5.
LATENCIES = (1.0, 2.0, 3.0, 4.0, 5.0)


def raw_line(latency: float, **changes: Any) -> dict[str, Any]:
    return {
        "request_id": 1,
        "mode": "ws",
        "timestamp": 1_756_417_067.5,
        "wait_requested": 1.0,
        "batch_size": 5,
        "hardware": "hopper-cpu",
        "connect_latency": 0.1,
        "reset_latency": 0.1,
        "step_latency": latency,
        "total_latency": latency,
        "waited_seconds": 1.0,
        "pid": 41,
        "session_hash": "5e55",
        "host_url": f"{NODE}:8000",
        "success": True,
        "error_type": None,
        "error_message": None,
        **changes,
    }


def summary_row(**changes: object) -> dict[str, object]:
    return {
        "mode": "ws",
        "url": f"http://{NODE}:8000",
        "num_requests": 5,
        "batch_size": 5,
        "wait_seconds": "1.0",
        "repetition": 1,
        "timestamp": "2025-08-28T21:37:47",
        "hardware": "hopper-cpu",
        "successful": 5,
        "failed": 0,
        "error_rate": 0.0,
        "total_p50": 3.0,
        "total_p95": 4.8,
        "requests_per_second": 1.25,
        **changes,
    }


def results(root: Path, rows: list[dict[str, object]] | None, lines: list[dict[str, Any]] | None) -> Path:
    folder = root / "results"
    folder.mkdir()
    if rows is not None:
        text = "\n".join(",".join(str(value) for value in row.values()) for row in rows)
        (folder / "summary.csv").write_text(f"{','.join(rows[0])}\n{text}\n")
    if lines is not None:
        (folder / "raw.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder


def test_a_cell_is_a_record_and_its_repetitions_are_values(tmp_path: Path) -> None:
    rows = [summary_row(), summary_row(repetition=2, total_p50=3.0), summary_row(num_requests=10, batch_size=10)]
    first, second = records(KIND, results(tmp_path, rows, None))
    assert first.params == {
        "mode": "ws",
        "num_requests": 5,
        "wait_seconds": 1,
        "batch_size": 5,
        "service": "service-1",
        "hardware": "hopper-cpu",
        "repetitions": 2,
    }
    metric = first.metric("total_p50_s")
    assert metric is not None
    assert metric.values == (3.0, 3.0)
    assert (metric.unit, metric.direction) == ("s", "lower")
    assert second.params["num_requests"] == 10
    assert dt.datetime(2025, 8, 28, 21, 37, 47, tzinfo=dt.UTC) == first.started_at


def test_percentiles_are_recomputed_from_the_raw_rows_of_each_repetition(tmp_path: Path) -> None:
    lines = [raw_line(x) for x in LATENCIES] + [raw_line(2 * x) for x in LATENCIES]
    rows = [summary_row(), summary_row(repetition=2, total_p50=6.0, total_p95=9.6)]
    [record] = records(KIND, results(tmp_path, rows, lines))
    named = {m.name: m.values for m in record.metrics}
    assert named["recomputed_total_p50_s"] == (3.0, 6.0)
    assert pytest.approx((4.8, 9.6)) == named["recomputed_total_p95_s"]
    assert (record.status, [check.passed for check in record.checks]) == ("ok", [True])
    assert record.samples[0].rows == 10


def test_a_summary_that_its_raw_rows_contradict_makes_the_record_invalid(tmp_path: Path) -> None:
    folder = results(tmp_path, [summary_row(total_p50=0.5)], [raw_line(x) for x in LATENCIES])
    [record] = records(KIND, folder)
    assert record.status == "invalid"
    assert "total_p50 of repetition 1 is 0.5" in (record.reason or "")


def test_failures_are_kept_and_counted(tmp_path: Path) -> None:
    import pyarrow.parquet

    broken = raw_line(9.0, success=False, error_type="Refused", error_message=f"no answer from {NODE}:8000")
    rows = [summary_row(successful=4, failed=1, error_rate=0.2, total_p50=2.5, total_p95=3.85)]
    save(tmp_path / "mlruns", KIND, results(tmp_path, rows, [*(raw_line(x) for x in LATENCIES[:4]), broken]))
    [entry] = entries(tmp_path / "mlruns")
    failed = entry.record.metric("failed_requests")
    assert failed is not None
    assert failed.values == (1.0,)
    recomputed = entry.record.metric("recomputed_total_p99_s")
    assert recomputed is not None
    assert recomputed.values is not None
    assert recomputed.values[0] < 4.0  # the failure's 9 s do not count
    rows_kept = pyarrow.parquet.read_table(entry.folder / "samples.parquet").to_pylist()
    assert [row["success"] for row in rows_kept] == [True] * 4 + [False]
    assert rows_kept[-1]["error_message"] == "no answer from <host>:8000"


def test_a_cell_where_every_request_failed_is_failed(tmp_path: Path) -> None:
    row = summary_row(successful=0, failed=5, error_rate=1.0, total_p50="nan", total_p95="nan")
    [record] = records(KIND, results(tmp_path, [row], None))
    assert (record.status, record.reason) == ("failed", "every request failed")


def test_no_host_or_address_of_the_service_is_kept(tmp_path: Path) -> None:
    other = raw_line(2.0, host_url="node18.cluster.example:8000", error_message="seen at node17")
    lines = [raw_line(1.0), other, *(raw_line(x) for x in LATENCIES[2:])]
    save(tmp_path / "mlruns", KIND, results(tmp_path, [summary_row()], lines))
    [entry] = entries(tmp_path / "mlruns")
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(entry.folder / "samples.parquet").to_pydict()
    everything = f"{entry.record.to_bytes()!r} {source_json(entry)} {table}"
    assert "node1" not in everything
    assert "cluster.example" not in everything
    assert source_json(entry)["summary"][0]["url"] == "service-1"
    for file in ("record.json", "artifacts/source.json"):
        assert Redactor().find((entry.folder / file).read_text()) == []
    assert table["host"] == ["host-1", "host-2", "host-1", "host-1", "host-1"]
    assert table["environment_hash"] == ["5e55"] * 5


def test_raw_rows_alone_are_enough(tmp_path: Path) -> None:
    folder = results(tmp_path, None, [*(raw_line(x) for x in LATENCIES), raw_line(1.0, mode="http", success=False)])
    http, ws = records(KIND, folder)
    assert (http.status, http.params["mode"]) == ("failed", "http")
    counted = ws.metric("successful_requests")
    assert counted is not None
    assert counted.values == (5.0,)
    assert ws.params["num_requests"] == 5


def test_raw_rows_that_fit_no_repetition_are_told_and_left_out(tmp_path: Path) -> None:
    folder = results(tmp_path, [summary_row()], [raw_line(x) for x in LATENCIES[:4]])
    saved = save(tmp_path / "mlruns", KIND, folder)
    assert len(saved.added) == 1
    [fault] = saved.faults
    assert "4 requests, where summary.csv counts 5" in fault.why
    assert entries(tmp_path / "mlruns")[0].record.samples == ()


def test_a_second_import_adds_nothing(tmp_path: Path) -> None:
    folder = results(tmp_path, [summary_row()], [raw_line(x) for x in LATENCIES])
    assert len(save(tmp_path / "mlruns", KIND, folder).added) == 1
    assert ((again := save(tmp_path / "mlruns", KIND, folder)).added, again.known) == ([], 1)


@pytest.mark.parametrize(
    "line",
    [
        '{"mode": "ws", "wait_req',
        "[1]",
        "[" * 50_000,
        "null",
        '{"mode": "ws"}',
        json.dumps(raw_line(1.0, total_latency=-1.0)),
        json.dumps(raw_line(1.0)).replace('"total_latency": 1.0', '"total_latency": NaN'),
        json.dumps(raw_line(1.0, success="perhaps")),
        "x" * 200_000,
    ],
    ids=range(9),
)
def test_a_bad_line_is_told_with_its_number_and_the_others_come_in(tmp_path: Path, line: str) -> None:
    folder = results(tmp_path, None, [raw_line(x) for x in LATENCIES])
    with (folder / "raw.jsonl").open("a") as file:
        file.write(line)
    saved = save(tmp_path / "mlruns", KIND, folder)
    assert (len(saved.added), [fault.where for fault in saved.faults]) == (1, ["raw.jsonl line 6"])


@pytest.mark.parametrize(
    "change", [{"successful": "many"}, {"total_p50": "-1"}, {"failed": ""}, {"requests_per_second": "inf"}]
)
def test_a_bad_row_is_told_with_its_line(tmp_path: Path, change: dict[str, object]) -> None:
    told = faults(KIND, results(tmp_path, [summary_row(), summary_row(**change)], None))
    assert len(told) == 1
    assert told[0].startswith("summary.csv line 3: ")


def test_results_without_instants_want_the_day(tmp_path: Path) -> None:
    folder = results(tmp_path, [summary_row(timestamp="")], None)
    with pytest.raises(UsageError, match="--date"):
        list(parts(KIND, folder))
    assert len(records(KIND, folder, date=dt.date(2025, 1, 1))) == 1


def test_a_folder_with_neither_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"neither summary\.csv nor raw\.jsonl"):
        list(parts(KIND, tmp_path))

"""The runbook's files."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from perfdb.families.quantile import quantile
from perfdb.families.scaling.analysis.ceiling import ceilings
from perfdb.families.scaling.analysis.cells import Cell, Criterion
from perfdb.families.scaling.analysis.distribution import distribution
from perfdb.families.scaling.analysis.imported import cells_of
from perfdb.families.scaling.analysis.tables import ceiling_rows
from perfdb.families.scaling.files.runbook import (
    RAW_COLUMNS,
    SUMMARY_COLUMNS,
    LogEntry,
    Repetition,
    Request,
    log_entry,
    raw_lines,
    summary_csv,
)
from perfdb.registry.importers.definitions import OPENENV_COLUMNS
from perfdb.registry.importers.openenv_raw import RawRow
from tests.registry.importers.sources import records

BEGAN = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ENDED = datetime(2026, 11, 21, 9, 45, 30, tzinfo=UTC)


def request(
    number: int, total_s: float | None = 1.1, *, batch: int = 4, wait_s: float = 1.0, ok: bool = True
) -> Request:
    return Request(
        request_id=number,
        mode="ws",
        timestamp="2026-11-21T09:30:00Z",
        wait_requested=wait_s,
        batch_size=batch,
        hardware="two cores",
        connect_latency=0.02 if ok else None,
        reset_latency=0.03 if ok else None,
        step_latency=None if total_s is None or not ok else total_s - 0.05,
        total_latency=total_s,
        waited_seconds=wait_s if ok else None,
        pid=40 + number % 2 if ok else None,
        session_hash=f"5e55{number}" if ok else "",
        host_url=f"host-{number % 3}:8000" if ok else "",
        success=ok,
        error_type=None if ok else "capacity",
        error_message=None if ok else 'at capacity: "4 of 4"\n',
    )


FOUR = tuple(request(n, 1.0 + n / 10) for n in range(4))


def repetition(number: int = 1, *requests: Request) -> Repetition:
    given = requests or FOUR
    good = [one for one in given if one.success]
    parts = ("connect", "reset", "step", "total")
    return Repetition(
        mode="ws",
        url="http://127.0.0.1:8000",
        load=given[0].batch_size,
        wait_s=given[0].wait_requested,
        number=number,
        ended_at=ENDED,
        hardware="two cores",
        lasted_s=2.0,
        good=len(good),
        failed=len(given) - len(good),
        latencies={part: sorted(Counter(getattr(one, f"{part}_latency") for one in good).items()) for part in parts},
        pids=len({one.pid for one in good}),
        sessions=len({one.session_hash for one in good}),
        hosts=len({one.host_url for one in good}),
    )


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_columns_are_those_that_the_importer_reads() -> None:
    settings = {"mode", "url", "num_requests", "batch_size", "wait_seconds", "repetition", "timestamp", "hardware"}
    assert set(SUMMARY_COLUMNS) == settings | set(OPENENV_COLUMNS)
    assert len(SUMMARY_COLUMNS) == len(set(SUMMARY_COLUMNS)) == 33
    assert set(RAW_COLUMNS) == set(RawRow.model_fields) - {"digest"}


def test_the_columns_stand_in_the_runbooks_order() -> None:
    assert RAW_COLUMNS[:7] == (
        "request_id", "mode", "timestamp", "wait_requested", "batch_size", "hardware", "connect_latency",
    )  # fmt: skip
    assert RAW_COLUMNS[-4:] == ("host_url", "success", "error_type", "error_message")
    assert SUMMARY_COLUMNS[11:15] == ("total_wall_time", "connect_p50", "connect_p95", "connect_p99")
    assert SUMMARY_COLUMNS[21:25] == ("total_min", "total_max", "total_avg", "total_p50")
    assert SUMMARY_COLUMNS[-5:] == (
        "requests_per_second", "effective_concurrency", "unique_pids", "unique_sessions", "unique_hosts",
    )  # fmt: skip


def test_a_row_of_four_sessions_by_hand() -> None:
    row = repetition().row()
    assert (row["num_requests"], row["successful"], row["failed"], row["error_rate"]) == (4, 4, 0, 0.0)
    # 1.0, 1.1, 1.2, 1.3 s
    assert (row["total_p50"], row["total_p90"]) == (1.1, 1.3)
    assert (row["total_min"], row["total_max"], row["total_avg"]) == (1.0, 1.3, pytest.approx(1.15))
    assert row["step_p50"] == pytest.approx(1.05)
    assert row["requests_per_second"] == 2.0
    assert row["effective_concurrency"] == 2.0
    assert (row["unique_pids"], row["unique_sessions"], row["unique_hosts"]) == (2, 4, 3)
    assert row["timestamp"] == "2026-11-21T09:45:30Z"


def test_failures_are_in_no_percentile_and_no_rate_and_are_counted() -> None:
    row = repetition(1, request(0, 1.0), request(1, 30.0, ok=False), request(2, 30.0, ok=False), request(3, 1.2)).row()
    assert (row["successful"], row["failed"], row["error_rate"]) == (2, 2, 0.5)
    assert row["total_max"] == 1.2
    assert row["requests_per_second"] == 1.0
    assert row["effective_concurrency"] == 1.0


def test_what_is_not_known_is_empty_and_not_zero() -> None:
    [row] = rows(summary_csv([repetition(1, *(request(n, 30.0, ok=False) for n in range(4)))]))
    assert (row["successful"], row["failed"], row["error_rate"]) == ("0", "4", "1.0")
    assert {row[name] for name in SUMMARY_COLUMNS if name.startswith(("total_p", "step_", "connect_"))} == {""}
    [line] = raw_lines([request(1, 30.0, ok=False)]).splitlines()
    assert json.loads(line)["step_latency"] is None


def test_rows_can_be_added_to_a_summary_that_has_its_header() -> None:
    whole = summary_csv([repetition(1), repetition(2)])
    assert summary_csv([repetition(1)]) + summary_csv([repetition(2)], header=False) == whole
    assert [row["repetition"] for row in rows(whole)] == ["1", "2"]


def test_a_raw_line_is_one_whatever_an_error_says() -> None:
    text = raw_lines([request(0, ok=False), request(1)])
    assert text.count("\n") == 2
    assert tuple(json.loads(text.splitlines()[0])) == RAW_COLUMNS


def test_the_importer_reads_both_files_and_finds_that_they_agree(tmp_path: Path) -> None:
    raw = [
        [request(n, 1.0 + n / 100 + number / 10, batch=batch, ok=n % 50 != 49) for n in range(batch)]
        for batch in (4, 100)
        for number in (1, 2)
    ]
    load = [repetition(1 + place % 2, *requests) for place, requests in enumerate(raw)]
    (tmp_path / "raw.jsonl").write_text("".join(map(raw_lines, raw)))
    (tmp_path / "summary.csv").write_text(summary_csv(load))
    small, large = records("openenv", tmp_path)
    assert [(check.name, check.passed) for check in large.checks] == [("summary_agrees_with_raw", True)]
    assert (small.status, large.status) == ("ok", "ok")
    assert large.params["num_requests"] == 100
    assert large.samples[0].rows == 200
    first, second = cells_of(large)
    assert (first.load, first.wait_s, first.repetition, first.success_share, first.valid) == (100, 1.0, 1, 0.98, True)
    # The importer's own percentiles are linear between neighbours.
    assert first.p99_s == pytest.approx(
        quantile([one.total_latency for one in raw[2] if one.success and one.total_latency], 0.99)
    )
    assert (first.unique_hosts, first.sessions_per_s) == (3, 49.0)
    assert second.p99_s == pytest.approx(first.p99_s + 0.1)
    [ceiling] = ceilings([*cells_of(small), *cells_of(large)], Criterion())
    assert ceiling.bracket.text() == "at least 100"


def entry(**changes: object) -> LogEntry:
    cells = [cell(number, [request(n, 1.0 + n / 10, ok=number != 3) for n in range(4)]) for number in (1, 2, 3)]
    given: dict[str, object] = {
        "infrastructure": "slurm-multi",
        "started_at": BEGAN,
        "ended_at": ENDED,
        "status": "ok",
        "reason": None,
        "nodes": 3,
        "cpus_per_node": 2,
        "workers_per_node": None,
        "url": "http://127.0.0.1:8000",
        "server_command": "./deploy/slurm/serve_multi.sh",
        "experiment_command": "perfdb run scaling http://127.0.0.1:8000 --reps 3",
        "ceilings": ceiling_rows(ceilings(cells, Criterion()), cells),
        "raw_file": "../results/slurm-multi/2026-11-21/raw.jsonl",
        "summary_file": "../results/slurm-multi/2026-11-21/summary.csv",
        "distribution": distribution({"host-1": 34, "host-2": 33, "host-3": 33}, 3),
        "notes": ("the balancer used 40 % of a core",),
    }
    return LogEntry(**{**given, **changes})  # type: ignore[arg-type]


def cell(number: int, requests: list[Request]) -> Cell:
    good = [request.total_latency for request in requests if request.success and request.total_latency]
    p99_s = quantile(good, 0.99) if good else None
    share = len(good) / len(requests)
    return Cell(load=4, wait_s=1.0, repetition=number, success_share=share, p99_s=p99_s, sessions_per_s=len(good) / 2)


def test_the_log_entry_is_filled_in() -> None:
    text = log_entry(entry())
    assert text.startswith("## Run: 2026-11-21-slurm-multi\n\n**Infrastructure:** slurm-multi\n")
    for line in (
        "**Start:** 2026-11-21T09:30:00Z",
        "**End:** 2026-11-21T09:45:30Z",
        "**Status:** Complete",
        "- Nodes: 3",
        "- Workers per node: not known",
        "- URL: http://127.0.0.1:8000",
        "./deploy/slurm/serve_multi.sh",
        "perfdb run scaling http://127.0.0.1:8000 --reps 3",
        "| wait_s | Max Batch | p99 Latency | Success % | RPS |",
        "| 1.0 | at least 4 | 1.297 s | 100 | 2 |",
        "- Raw data: [raw.jsonl](../results/slurm-multi/2026-11-21/raw.jsonl)",
        "- Unique hosts seen: 3",
        "- Load distribution: even: 3 of 3 hosts answered, spread 3 %",
        "- the balancer used 40 % of a core",
    ):
        assert line in text.splitlines()
    assert "{" not in text
    assert "[fill" not in text


def test_the_headings_are_the_templates() -> None:
    headings = [line for line in log_entry(entry()).splitlines() if line.startswith("###")]
    assert headings == ["### Configuration", "### Command", "### Results Summary", "### Links", "### Observations"]


def test_a_run_that_is_invalid_says_so_and_why() -> None:
    text = log_entry(entry(status="invalid", reason="1 of 3 hosts answered;\naim at the balancer"))
    assert "**Status:** Invalid: 1 of 3 hosts answered; aim at the balancer" in text.splitlines()


def test_nothing_in_a_command_ends_its_block() -> None:
    text = log_entry(entry(experiment_command="perfdb run scaling URL --name '```'\n# two lines"))
    assert text.count("````") == 2
    assert "\n````bash\n" in text


def test_where_nothing_is_known_that_is_written() -> None:
    text = log_entry(entry(distribution=None, server_command=None, ceilings=()))
    assert "- Unique hosts seen: not known" in text
    assert "# not known" in text

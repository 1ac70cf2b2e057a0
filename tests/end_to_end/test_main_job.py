"""The main job: a config goes in; a table, a record and a run in MLflow come out."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from perfdb.record import Record, record_id_of, sha256_hex
from tests.end_to_end.conftest import BIN, CHECKOUT, HTEX, QUICK, THREADS, Home, nothing_done


def value(record: dict[str, Any], name: str) -> list[float]:
    """A run-level metric's values."""
    (metric,) = [m for m in record["metrics"] if m["name"] == name and "step" not in m]
    return list(metric["values"]) if "values" in metric else [metric["value"]]


@pytest.fixture(scope="module")
def htex(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, subprocess.CompletedProcess[str]]:
    """One real HTEX run of two repetitions, with the server's pages started afterwards."""
    home = Home(tmp_path_factory.mktemp("htex"))
    done = home.perf(HTEX, "nightly", "--time", "1.5", "--reps", "2", "--machine", "laptop")
    yield home, done
    home.perfdb("server", "stop")


def test_a_run_prints_its_numbers_its_record_and_its_page(htex: tuple[Home, Any]) -> None:
    _, done = htex
    assert done.returncode == 0, done.stderr
    for part in ("warm_tasks_per_s", "task_latency_p99_s", "status: ok", "bounded by:", "mlruns/throughput/laptop/"):
        assert part in done.stdout
    assert "http://127.0.0.1:" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_record_is_canonical_and_its_id_and_hashes_hold(htex: tuple[Home, Any]) -> None:
    home, _ = htex
    (folder,) = home.folders
    data = (folder / "record.json").read_bytes()
    record = Record.model_validate_json(data)
    assert record.to_bytes() == data
    assert record.record_id == record_id_of(json.loads(data)) == folder.name
    for file in (*record.samples, *record.artifacts):
        assert sha256_hex((folder / file.file).read_bytes()) == file.sha256
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True, capture_output=True)
    listed = {line.split("  ", 1)[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert listed == {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {"SHA256SUMS"}


def test_every_repetition_and_iteration_is_kept_and_the_cold_one_is_apart(htex: tuple[Home, Any]) -> None:
    home, _ = htex
    (record,) = home.records()
    rates = value(record, "warm_tasks_per_s")
    assert len(rates) == len(value(record, "cold_start_s")) == 2
    for repetition, rate in enumerate(rates, 1):
        of = {
            name: [m["value"] for m in record["metrics"] if m["name"] == name and m.get("repetition") == repetition]
            for name in ("iteration_task_count", "iteration_run_time_s")
        }
        tasks, seconds = of["iteration_task_count"], of["iteration_run_time_s"]
        assert len(tasks) == value(record, "iteration_count")[repetition - 1] >= 2
        assert rate == pytest.approx(sum(tasks[1:]) / sum(seconds[1:]))
        assert value(record, "cold_start_s")[repetition - 1] == pytest.approx(seconds[0])
        # Starting a block takes HTEX seconds; a cold iteration counted as warm would show here.
        assert seconds[0] > 1.0
        assert 10 / seconds[0] < rate / 2


def test_task_latencies_are_kept_raw_and_summarised_from_them(htex: tuple[Home, Any]) -> None:
    home, _ = htex
    (record,) = home.records()
    (folder,) = home.folders
    samples = pyarrow.parquet.read_table(folder / "samples.parquet").to_pydict()
    assert set(samples["mode"]) == {"serial", "chain", "burst"}
    serial = sorted(s for m, s in zip(samples["mode"], samples["latency_s"], strict=True) if m == "serial")
    (p50,) = value(record, "task_latency_p50_s")
    assert serial[len(serial) // 2 - 1] <= p50 <= serial[len(serial) // 2]
    assert 0 < p50 <= value(record, "task_latency_p95_s")[0] <= value(record, "task_latency_p99_s")[0]


def test_submit_host_and_workers_describe_themselves_and_name_nobody(htex: tuple[Home, Any]) -> None:
    import socket

    home, _ = htex
    (record,) = home.records()
    environment = record["environment"]
    assert environment["machine"] == "laptop"
    assert environment["submit_host"]["cpu_count"] == environment["workers"][0]["cpu_count"] >= 1
    assert environment["submit_host"]["packages"]["parsl"] == record["code"]["measured"]["parsl"]
    assert socket.gethostname() not in json.dumps(record)
    assert str(Path.home()) + "/" not in json.dumps(record)


def test_what_bounded_the_run_is_said_with_evidence(htex: tuple[Home, Any]) -> None:
    home, _ = htex
    (record,) = home.records()
    (finding,) = record["findings"]
    assert finding["name"] == "bounded_by"
    for role in ("interchange", "main", "workers"):
        assert role in finding["evidence"]


def test_the_page_that_was_printed_is_mlflows_own_and_holds_the_run(htex: tuple[Home, Any]) -> None:
    home, done = htex
    (url,) = [word for word in done.stdout.split() if word.startswith("http://127.0.0.1:")]
    base, _, rest = url.partition("/#/experiments/")
    run_id = rest.rpartition("/")[2].partition("?")[0]
    with urllib.request.urlopen(base, timeout=30) as page:
        assert b"MLflow" in page.read()
    with urllib.request.urlopen(f"{base}/api/2.0/mlflow/runs/get?run_id={run_id}", timeout=30) as answer:
        run = json.load(answer)["run"]
    (record,) = home.records()
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    params = {param["key"]: param["value"] for param in run["data"]["params"]}
    metrics = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
    assert run["info"]["status"] == "FINISHED"
    assert tags["perfdb.record_id"] == record["record_id"]
    assert tags["perfdb.machine"] == "laptop"
    assert "tasks/s" in tags["mlflow.note.content"]
    assert params["executor.class"] == "HighThroughputExecutor"
    assert metrics["param.provider.max_blocks"] == 1
    rates = sorted(value(record, "warm_tasks_per_s"))
    assert rates[0] <= metrics["warm_tasks_per_s"] <= rates[-1]


def test_list_and_show_find_it(htex: tuple[Home, Any]) -> None:
    home, _ = htex
    (record,) = home.records()
    listed = home.perfdb("list", "--json")
    assert [r["record_id"] for r in json.loads(listed.stdout)] == [record["record_id"]]
    assert record["record_id"] in home.perfdb("list").stdout
    shown = home.perfdb("show", record["record_id"][:6])
    for part in ("1 (cold)", "provider.max_blocks", "worker host", "submission"):
        assert part in shown.stdout
    assert json.loads(home.perfdb("show", record["record_id"][:6], "--json").stdout) == record


def test_nothing_is_left_behind_and_a_second_sync_changes_nothing(htex: tuple[Home, Any]) -> None:
    home, _ = htex
    assert home.journals() == []
    assert list((home.root / ".perfdb" / "work").glob("*")) == []
    told = json.loads(home.perfdb("sync", "--json").stdout)
    assert told == nothing_done(1)
    names = {" ".join(p.cmdline()) for p in home.processes()}
    assert all("mlflow" in name for name in names), names


def test_json_is_the_record_and_nothing_else(home: Home) -> None:
    done = home.perf(THREADS, *QUICK, "--no-probe", "--json")
    (record,) = home.records()
    assert done.returncode == 0
    assert json.loads(done.stdout) == record
    assert record["environment"]["workers"] == []


def test_the_file_at_the_top_and_the_installed_command_are_the_same() -> None:
    installed = subprocess.run([str(BIN / "run-parsl-perf.py"), "--help"], capture_output=True, text=True, check=True)
    at_the_top = subprocess.run(
        [str(CHECKOUT / "run_parsl_perf.py"), "--help"], capture_output=True, text=True, check=True
    )
    assert at_the_top.stdout.replace("run_parsl_perf.py", "run-parsl-perf.py") == installed.stdout


def test_perfdb_run_throughput_is_the_same_job_and_a_spec_file_serves(home: Home) -> None:
    (home.root / "spec.toml").write_text('iterate = "10,1500,1500"\nreps = 1\nprobe = false\n')
    done = home.perfdb(
        "run",
        "throughput",
        THREADS,
        "--spec",
        "spec.toml",
        "--set",
        "argsize=100",
        "--name",
        "from a file",
        "--no-server",
    )
    assert done.returncode in (0, 4), done.stderr  # 3,000 tasks may take a fast machine less than a second
    (record,) = home.records()
    assert record["run_name"] == "from a file"
    assert record["spec"] == {
        "time": 120,
        "iterate": "10,1500,1500",
        "argsize": 100,
        "resources": None,
        "reps": 1,
        "probe": False,
    }
    assert [m["value"] for m in record["metrics"] if m["name"] == "iteration_task_count"] == [10, 1500, 1500]


def test_a_bare_name_is_found_in_parsl_configs() -> None:
    done = subprocess.run(
        [str(BIN / "run-parsl-perf.py"), "local_thread"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "local_threads" in done.stderr

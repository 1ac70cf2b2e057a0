"""The runbook's own files of a run: its own analysis reads them as they are, and its log entry has nothing left to fill in."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from perfdb.families import ChildRun
from perfdb.families.base import Around
from perfdb.families.scaling import FAMILY
from perfdb.families.scaling.files.deployed import CONNECTION_FILE, command_of, deployed
from perfdb.families.scaling.files.runbook import RAW_COLUMNS, SUMMARY_COLUMNS
from perfdb.families.scaling.spec import ScalingSpec
from perfdb.record import Environment, Finding, Host
from tests.families.scaling.loads import service, start
from tests.families.scaling.test_family import child
from tests.tracking.records import make_record

URL = "http://127.0.0.1:8000"
SPEC = ScalingSpec(requests_grid="8,16", wait_grid="0.05", reps=1, expected_hosts=3)
TYPED = ("/somewhere/bin/perfdb", "run", "scaling", "--url", URL, "--requests-grid", "8,16", "--output-dir", "a b")
CONNECTION = f"export OPENENV_URL={URL}\nexport NUM_WORKERS=3\nexport WORKER_NODES='10.0.0.2 10.0.0.3 10.0.0.4'\n"
NOTHING = Around()
SLURM = {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "4", "SLURM_CPUS_PER_TASK": "48"}


def ran(load: int, spec: ScalingSpec = SPEC, having: str = "", **planted: Any) -> ChildRun:
    """One real load."""
    process = start(spec.plan(service(**planted).url, load, 0.05), having=having)
    out, trouble = process.communicate(timeout=60)
    assert (process.returncode, trouble) == (0, "")
    return child(f"01-rep-1-wait-0.05s-load-{load}", out.splitlines())


@pytest.fixture(scope="module")
def runs() -> list[ChildRun]:
    # Of sixteen sessions every fourth one fails.
    return [ran(8), ran(16, every=4, fault="wrong")]


def files(
    runs: list[ChildRun], around: Around = NOTHING, spec: ScalingSpec = SPEC, **changes: Any
) -> Mapping[str, str]:
    measured = FAMILY.assemble(spec, None, runs)
    told = make_record(
        family="scaling",
        spec=spec.model_dump(mode="json"),
        metrics=measured.metrics,
        findings=measured.findings,
        **changes,
    )
    assert FAMILY.outputs is not None
    made = FAMILY.outputs.make(spec, URL, told, runs, around)
    assert tuple(made) == FAMILY.outputs.files
    return {name: data.decode() for name, data in made.items()}


def test_the_runbooks_analysis_finds_the_ceiling_in_the_summary(runs: list[ChildRun]) -> None:
    """With the columns that it reads, under their names: the largest batch of whose requests at most 5 % failed."""
    table = pd.read_csv(io.StringIO(files(runs)["summary.csv"]))
    good = table[table["error_rate"] <= 0.05]
    assert (good["batch_size"].max() if len(good) > 0 else 0) == 8
    assert list(table["error_rate"]) == [0.0, 0.25]
    assert list(table["unique_hosts"]) == [3, 3]


def test_the_runbooks_monitor_counts_the_hosts_in_the_raw_lines(runs: list[ChildRun]) -> None:
    lines = [json.loads(line) for line in files(runs)["raw.jsonl"].splitlines()]
    assert len({line["host_url"] for line in lines if line.get("host_url")}) == 3
    assert len(lines) == 24


def row_and_metrics(runs: list[ChildRun], made: Mapping[str, str], spec: ScalingSpec) -> tuple[Any, dict[str, float]]:
    """The summary's only row, and what the record says of the same load."""
    metrics = {metric.name: metric.all_values[0] for metric in FAMILY.assemble(spec, None, runs).metrics}
    return pd.read_csv(io.StringIO(made["summary.csv"])).iloc[0], metrics


def assert_same_numbers(row: Any, metrics: Mapping[str, float]) -> None:
    assert row["requests_per_second"] == pytest.approx(metrics["sessions_per_s"])
    assert 1 - row["error_rate"] == pytest.approx(metrics["success_share"])
    for phase in ("connect", "reset", "step", "total"):
        for name in ("p50", "p95", "p99"):
            # The record's are to three digits.
            assert row[f"{phase}_{name}"] == pytest.approx(metrics[f"{phase}_{name}_s"], rel=1e-3)


def test_sessions_that_were_not_kept_count_in_the_summary_and_the_log_says_how_many_raw_lines_lack() -> None:
    spec = SPEC.model_copy(update={"requests_grid": "16"})
    runs = [ran(16, spec, having="import telling; telling.MOST_ROWS = 10", every=4, fault="wrong")]
    made = files(runs, spec=spec)
    row, metrics = row_and_metrics(runs, made, spec)
    assert len(made["raw.jsonl"].splitlines()) == 10
    assert (row["num_requests"], row["successful"], row["failed"]) == (16, 12, 4)
    assert pd.isna(row["unique_pids"])
    assert pd.isna(row["unique_sessions"])
    assert_same_numbers(row, metrics)
    assert "- raw.jsonl lacks 6 of 16 sessions of 1 load, those that ended last" in made["log.md"]


def test_the_summary_of_a_load_whose_sessions_were_all_kept_is_exactly_that_of_its_raw_lines(
    runs: list[ChildRun],
) -> None:
    """Else who imports both would find that they differ."""
    made = files(runs)
    row = pd.read_csv(io.StringIO(made["summary.csv"])).iloc[0]
    took = sorted(json.loads(line)["total_latency"] for line in made["raw.jsonl"].splitlines()[:8])
    assert (row["total_min"], row["total_p50"], row["total_max"]) == (took[0], took[3], took[-1])


def test_the_summary_is_of_the_steady_part_as_the_record_is_and_says_so() -> None:
    spec = ScalingSpec(n=20, wait=0.05, reps=1, shape="open", warm_up_s=0.5, steady_s=0.5)
    runs = [ran(20, spec)]
    made = files(runs, spec=spec)
    row, metrics = row_and_metrics(runs, made, spec)
    assert len(made["raw.jsonl"].splitlines()) == 20
    assert (row["num_requests"], row["successful"], row["unique_sessions"]) == (10, 10, 10)
    assert (row["requests_per_second"], row["total_wall_time"]) == (20.0, 0.5)
    assert_same_numbers(row, metrics)
    assert "in the steady part, from 0.5 to 1 s after a load's beginning, as the record does" in made["log.md"]


def test_the_columns_are_the_runbooks_in_its_order(runs: list[ChildRun]) -> None:
    made = files(runs)
    assert tuple(made["summary.csv"].splitlines()[0].split(",")) == SUMMARY_COLUMNS
    assert tuple(json.loads(made["raw.jsonl"].splitlines()[0])) == RAW_COLUMNS
    parts = [f"{part}_p{p}" for part in ("connect", "reset", "step") for p in (50, 95, 99)]
    totals = [f"total_{name}" for name in ("min", "max", "avg", "p50", "p90", "p95", "p99")]
    assert ",".join(SUMMARY_COLUMNS) == (
        "mode,url,num_requests,batch_size,wait_seconds,repetition,timestamp,hardware,successful,failed,error_rate,"
        f"total_wall_time,{','.join(parts + totals)},requests_per_second,effective_concurrency,unique_pids,unique_sessions,"
        "unique_hosts"
    )


def test_the_log_entry_says_all_of_the_template(runs: list[ChildRun]) -> None:
    around = Around(TYPED, SLURM, {CONNECTION_FILE: CONNECTION + "export OPENENV_SERVER_COMMAND='./serve.sh now'\n"})
    lines = files(runs, around)["log.md"].splitlines()
    for line in (
        "## Run: 2026-11-21-slurm-multi",
        "**Infrastructure:** slurm-multi",
        "**Start:** 2026-11-21T02:28:00Z",
        "**End:** 2026-11-21T02:28:33Z",
        "**Status:** Complete",
        "- Nodes: 3",
        "- CPUs per node: 48",
        "- Workers per node: 48",
        f"- URL: {URL}",
        "./serve.sh now",
        f"perfdb run scaling --url {URL} --requests-grid 8,16 --output-dir 'a b'",
        "| wait_s | Max Batch | p99 Latency | Success % | RPS |",
        "- Raw data: [raw.jsonl](raw.jsonl)",
        "- Summary CSV: [summary.csv](summary.csv)",
        "- Unique hosts seen: 3",
    ):
        assert line in lines
    assert any(
        re.fullmatch(r"- Load distribution: (even|no more uneven than chance): 3 of 3 hosts answered, .*", line)
        for line in lines
    )
    assert any(line.startswith("| 0.05 | 8 |") for line in lines)
    assert any(line.startswith("- Sessions failed: 1 load") for line in lines)
    assert "not known" not in "\n".join(lines)


def test_where_nothing_stands_around_the_log_says_what_is_not_known_and_what_was_seen(runs: list[ChildRun]) -> None:
    text = files(runs)["log.md"]
    assert "## Run: 2026-11-21-multi" in text
    assert "- CPUs per node: not known" in text
    assert "- Workers per node: at least 1, by the processes that answered" in text
    assert "# not known" in text


def test_one_host_seen_is_single_whatever_was_expected(runs: list[ChildRun]) -> None:
    alone = [replace(run, log=replace(run.log, lines=run.log.lines)) for run in runs]
    spec = SPEC.model_copy(update={"expected_hosts": None})
    assert FAMILY.outputs is not None
    made = FAMILY.outputs.make(spec, URL, make_record(family="scaling", findings=()), alone[:0], Around())
    assert b"**Infrastructure:** single" in made["log.md"]


def told(around: Around, url: str = URL, processes: int = 0, **environment: Any) -> Any:
    record = make_record(environment=Environment(machine="laptop", **environment))
    return deployed(url, record, around, processes)


def test_a_connection_file_of_another_service_says_nothing() -> None:
    around = Around(variables=SLURM, files={CONNECTION_FILE: CONNECTION})
    assert told(around).nodes == 3
    other = told(around, "http://10.0.0.9:8000")
    assert (other.scheduler, other.nodes, other.cpus_per_node, other.server_command) == (None, None, None, None)


def test_an_allocation_of_another_size_says_nothing() -> None:
    around = Around(variables={**SLURM, "SLURM_JOB_NUM_NODES": "9"}, files={CONNECTION_FILE: CONNECTION})
    known = told(around)
    assert (known.scheduler, known.nodes, known.cpus_per_node) == (None, 3, None)


def test_what_the_file_says_goes_before_what_the_shell_says() -> None:
    text = f"{CONNECTION}export OPENENV_WORKERS_PER_NODE=4\nexport OPENENV_CPUS_PER_NODE=8\n"
    known = told(Around(variables=SLURM, files={CONNECTION_FILE: text}), processes=2)
    assert (known.cpus_per_node, known.workers_per_node) == ("8", "4")


def test_services_on_loopback_have_this_machines_cpus() -> None:
    host = Host(pseudonym=None, cpu_usable=2)
    text = f"export OPENENV_URL={URL}\nexport WORKER_NODES='127.0.0.2 127.0.0.3'\n"
    known = told(Around(files={CONNECTION_FILE: text}), submit_host=host)
    assert known.cpus_per_node == "2, this machine's, which the load's clients use as well"
    assert told(Around(), "http://10.0.0.2:8000", submit_host=host).cpus_per_node is None


def test_a_file_that_is_none_says_nothing() -> None:
    for text in ("", "\0" * 100, "export OPENENV_URL='", "export NUM_WORKERS=9999999999", f"{CONNECTION}$(rm -rf x)"):
        assert told(Around(files={CONNECTION_FILE: text})).server_command is None


def test_what_was_typed_is_what_the_log_says_and_else_the_same_in_other_words() -> None:
    record = make_record(spec={"n": 5, "requests_grid": "8,16", "poisson": False, "require_hosts": True, "wait": None})
    assert command_of(URL, record, Around(TYPED)).startswith("perfdb run scaling --url")
    for typed in ((), ("pytest", "run", "scaling"), ("/bin/perfdb", "sync"), ("/bin/perfdb", "sweep", "scaling")):
        made = command_of(URL, record, Around(typed))
        assert made == f"perfdb run scaling {URL} -n 5 --requests-grid 8,16 --require-hosts"


def test_a_finding_is_one_line_of_the_log(runs: list[ChildRun]) -> None:
    assert FAMILY.outputs is not None
    record = make_record(
        family="scaling", findings=(Finding(name="server_side", value="not\nreachable", evidence="x\n\n## y"),)
    )
    text = FAMILY.outputs.make(SPEC, URL, record, runs, Around())["log.md"].decode()
    assert "- Server side: not reachable (x ## y)" in text.splitlines()

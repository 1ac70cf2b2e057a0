"""`perfdb run scaling` on real services: what they bear is told, and what was not the service's doing makes a record invalid."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet
import pytest

from tests.end_to_end.conftest import Home, home_at, nothing_done, wait_for_line
from tests.services.serving import lean_server, multi

LOAD_CLIENT = "families/scaling/child/program.py"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Home]:
    """One root for runs that don't mind each other."""
    with home_at(tmp_path_factory.mktemp("scaling"), empty_database) as home:
        yield home


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Envoy before three lean servers: what `perfdb serve multi --json` says of them."""
    with multi(tmp_path_factory.mktemp("service"), "--lean") as (_, told):
        yield told


def run(home: Home, *options: object) -> tuple[int, dict[str, Any], str]:
    """`perfdb run scaling --json`: its exit code, the record, and what it said."""
    done = home.perfdb("run", "scaling", *map(str, options), "--no-server", "--json")
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def value(record: dict[str, Any], name: str) -> float:
    """A metric of a run of one repetition."""
    ((found,),) = (metric["values"] for metric in record["metrics"] if metric["name"] == name)
    return float(found)


def failed_checks(record: dict[str, Any]) -> dict[str, str]:
    """Those that make it invalid, with what they say."""
    return {check["name"]: check["detail"] for check in record["checks"] if not check["passed"]}


def counts(home: Home, record: dict[str, Any], quantity: str, word: str | None = None) -> Counter[Any]:
    """How many sessions the samples count, by value; by word where none is named."""
    (folder,) = (folder for folder in home.folders if folder.name == record["record_id"])
    found: Counter[Any] = Counter()
    for row in pyarrow.parquet.read_table(folder / "samples.parquet").to_pylist():
        if row["quantity"] == quantity and word in (None, row["word"]):
            found[row["word"] if word is None else row["value_s"]] += row["count"]
    return found


def at_share(values: Counter[float], share: float) -> float:
    """The nearest-rank percentile of counted values."""
    left = share * values.total()
    for number in sorted(values):
        left -= values[number]
        if left <= 1e-9:
            return number
    raise AssertionError("no values")


def test_six_hundred_sessions_through_envoy_are_answered_evenly_by_three_real_environments(
    home: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = home.root / "results"
    with multi(tmp_path_factory.mktemp("real"), "--max-concurrent-envs", "300") as (_, told):
        options = ("-n", 600, "--wait", 1, "--reps", 1, "--expected-hosts", 3, "--require-hosts", "--output-dir", out)
        code, record, said = run(home, told["url"], *options)
    assert (code, record["status"]) == (0, "ok"), said
    assert value(record, "success_share") == 1
    assert value(record, "fewest_hosts") == 3
    hosts = counts(home, record, "host")
    assert hosts.total() == 600
    assert (max(hosts.values()) - min(hosts.values())) / 200 <= 0.05
    assert counts(home, record, "outcome") == {"ok": 600}
    raw = [json.loads(line) for line in (out / "raw.jsonl").read_text().splitlines()]
    assert len(raw) == len({one["session_hash"] for one in raw}) == 600
    assert {one["host_url"] for one in raw} == set(hosts)
    assert len({one["pid"] for one in raw}) == 3
    header, row = (line.split(",") for line in (out / "summary.csv").read_text().splitlines())
    summary = dict(zip(header, row, strict=True))
    assert (summary["successful"], summary["failed"], summary["unique_hosts"]) == ("600", "0", "3")
    assert "- Load distribution: even: 3 of 3 hosts answered" in (out / "log.md").read_text()
    assert home.perfdb("validate").returncode == 0
    assert json.loads(home.perfdb("sync", "--json").stdout) == nothing_done(1)


def test_the_experiment_in_the_log_entry_can_be_typed_again(place: Home, service: dict[str, Any]) -> None:
    out = place.root / "logged"
    options = ("--url", service["url"], "-n", 30, "--wait", 0.1, "--reps", 1, "--expected-hosts", 3, "--require-hosts")
    code, record, said = run(place, *options, "--output-dir", out)
    assert code == 0, said
    (command,) = (line for line in (out / "log.md").read_text().splitlines() if line.startswith("perfdb run scaling"))
    elsewhere = [word.replace(str(out), f"{out}-again") for word in shlex.split(command)[3:]]
    code, again, said = run(place, *elsewhere)
    assert code == 0, said
    assert again["spec"] == record["spec"]


def test_one_backend_where_three_are_required_is_invalid_with_the_diagnosis(
    place: Home, service: dict[str, Any]
) -> None:
    alone = service["backends"][0]["url"]
    options = ("-n", 60, "--wait", 0.1, "--reps", 1, "--expected-hosts", 3, "--require-hosts")
    code, record, said = run(place, alone, *options)
    assert (code, record["status"]) == (4, "invalid"), said
    detail = failed_checks(record)["hosts_as_expected"]
    assert "1 host answered, 3 are required. Is the URL the balancer's and not one backend's" in detail
    assert detail in record["reason"]
    assert value(record, "success_share") == 1  # kept, and labelled


def test_a_client_that_was_stopped_for_a_second_makes_the_record_invalid(place: Home, service: dict[str, Any]) -> None:
    options = ("--shape", "open", "--requests-grid", 50, "--steady-s", 3, "--wait", 0.1, "--reps", 1, "--no-server")
    process = place.start("perfdb", "run", "scaling", service["url"], *map(str, options), log="stalled.log")
    wait_for_line(process, place.root / "stalled.log", "load 50: 1 s,")
    (client,) = [
        one for one in place.processes() if any(LOAD_CLIENT in word for word in one.cmdline()) and is_load(one)
    ]
    client.suspend()
    time.sleep(1)  # the stall
    client.resume()
    assert process.wait(60) == 4
    said = (place.root / "stalled.log").read_text()
    assert "clients_kept_up: repetition 1, wait 0.1 s, load 50: " in said
    assert re.search(r"the longest stall was (0\.9|1\.)", said), said
    assert "Traceback" not in said


def is_load(process: psutil.Process) -> bool:
    """Whether it is a client itself, not what watches over it."""
    return not any(LOAD_CLIENT in word for child in process.children() for word in child.cmdline())


def test_a_delay_of_one_step_in_a_hundred_shows_in_its_percentile_and_not_in_the_median(place: Home) -> None:
    options = ("--shape", "open", "--requests-grid", 400, "--steady-s", 5, "--wait", 0.1, "--reps", 1)
    with lean_server(delay_ms=200.0, delay_share=0.01) as address:
        _, delayed, _ = run(place, address.url, *options)
    steps = counts(place, delayed, "step", "ok")
    assert steps.total() == 2000
    assert at_share(steps, 0.5) == pytest.approx(0.1, abs=0.05)
    assert at_share(steps, 0.98) < 0.3
    assert at_share(steps, 0.995) == pytest.approx(0.3, abs=0.05)


def test_a_service_that_is_not_there_is_a_failed_run_in_one_paragraph(place: Home) -> None:
    with lean_server() as address:
        pass  # gone, and its port is free
    done = place.perfdb("run", "scaling", address.url, "-n", "20", "--wait", "0.1", "--reps", "1", "--no-server")
    (record,) = (one for one in place.records() if one["params"]["service.port"] == address.port)
    assert (done.returncode, record["status"]) == (3, "failed")
    assert "no session succeeded (refused: Connection refused). Is the service there" in record["reason"]
    assert f"status: failed - {record['reason']}\n" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_service_that_dies_under_load_has_borne_what_it_bore_until_then(place: Home, tmp_path: Path) -> None:
    """Its death is what is measured: the sessions that it cost are counted by how they ended, and none is left out."""
    with multi(tmp_path, "--lean", "--backends", "1", "--restart-after", "3600") as (_, told):
        (backend,) = told["backends"]
        options = ("--shape", "open", "--requests-grid", 50, "--steady-s", 4, "--wait", 0.2, "--reps", 1, "--no-server")
        process = place.start("perfdb", "run", "scaling", backend["url"], *map(str, options), log="dies.log")
        wait_for_line(process, place.root / "dies.log", "load 50: 1 s,")
        psutil.Process(backend["pid"]).kill()
        code = process.wait(60)
    (record,) = (one for one in place.records() if one["params"]["service.port"] == int(backend["url"].split(":")[-1]))
    assert (code, record["status"]) == (0, "ok"), (place.root / "dies.log").read_text()
    ends = counts(place, record, "outcome")
    assert ends.total() == 200
    assert set(ends) == {"ok", "refused", "reset"}
    assert value(record, "success_share") == ends["ok"] / 200 < 0.95
    (ceiling,) = (found["value"] for found in record["findings"] if found["name"] == "ceiling")
    assert ceiling == "below 50 sessions/s"

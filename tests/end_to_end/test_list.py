"""`perfdb list`, `show` and `export`, over records that are simply there."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pyarrow.parquet
import pytest

from perfdb.record import Code, Environment, Metric
from perfdb.registry import Registry
from tests.end_to_end.conftest import Home
from tests.tracking.records import STARTED, make_record

RELEASES = ("2025.8.25", "2025.10.1", "2026.1.5")


@pytest.fixture
def filled(home: Home) -> Home:
    """Six records, each a day later than the one before."""
    for number in range(6):
        rate = Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", value=100.0 + number)
        changes: dict[str, Any] = {
            "run_name": f"run {number}",
            "started_at": STARTED + timedelta(days=number),
            "params": {"provider.max_blocks": 2**number},
            "environment": Environment(machine=("alder", "birch")[number % 2]),
            "code": Code(perfdb_version="0.1.0", measured={"parsl": RELEASES[number % 3]}),
            "status": "failed" if number == 5 else "ok",
            "metrics": (rate,) if number else (),
        }
        Registry(home.root / "mlruns").save(make_record(**changes), {})
    return home


def test_a_query_a_sort_and_columns_make_a_table(filled: Home) -> None:
    asked = ("provider.max_blocks >= 4 and parsl_version > 2025.8.25", "--sort", "-provider.max_blocks")
    done = filled.perfdb("list", *asked, "--columns", "name,param.provider.max_blocks,warm_tasks_per_s,started_at")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["name", "param.provider.max_blocks", "metric.warm_tasks_per_s", "started_at"],
        ["run", "5", "32", "105", "tasks/s", "2026-11-26", "02:28:00"],
        ["run", "4", "16", "104", "tasks/s", "2026-11-25", "02:28:00"],
        ["run", "2", "4", "102", "tasks/s", "2026-11-23", "02:28:00"],
    ], done.stderr


def test_the_newest_come_first_and_what_is_not_shown_is_told(filled: Home) -> None:
    lines = filled.perfdb("list", "--limit", "2").stdout.splitlines()
    assert [" run 5 " in lines[1], " run 4 " in lines[2]] == [True, True]
    assert lines[3] == "4 more are not shown: --limit 6 shows them."
    assert "headline" in lines[0] and "105 tasks/s" in lines[1]


def test_json_is_the_records_themselves_or_the_columns_that_were_asked_for(filled: Home) -> None:
    whole = json.loads(filled.perfdb("list", "--machine", "alder", "--json").stdout)
    assert [(each["run_name"], each["schema_version"]) for each in whole] == [("run 4", 1), ("run 2", 1), ("run 0", 1)]
    done = filled.perfdb("list", "--json", "--columns", "name,warm_tasks_per_s,started_at,retracted", "--limit", "1")
    assert json.loads(done.stdout) == [
        {
            "name": "run 5",
            "metric.warm_tasks_per_s": 105.0,
            "started_at": "2026-11-26T02:28:00.000000Z",
            "retracted": False,
        }
    ]
    assert "5 more are not shown" in done.stderr


def test_csv_goes_to_other_programs(filled: Home) -> None:
    done = filled.perfdb("list", "status != ok or warm_tasks_per_s is null", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["name"], row["metric.warm_tasks_per_s [tasks/s]"]) for row in rows] == [
        ("run 5", "105.0"),
        ("run 0", ""),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("provider.max_blocks >=",), "^ expected a value"),
        (("max_blocks > 1",), "param.provider.max_blocks"),
        (("--sort", "nme"), "The closest are name"),
        (("--columns", "name,bogus"), "no record here has a value named 'bogus'"),
        (("--json", "--csv"), "choose one"),
    ],
)
def test_what_cannot_be_asked_ends_in_a_paragraph(filled: Home, arguments: tuple[str, ...], said: str) -> None:
    done = filled.perfdb("list", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "Traceback" not in done.stderr


def test_nothing_found_is_not_nothing_there(filled: Home) -> None:
    assert "none of the 6 records in mlruns matches" in filled.perfdb("list", "started_at < 2000").stdout


def test_a_damaged_record_is_told_every_time_and_by_every_form(filled: Home) -> None:
    damaged = filled.folders[0]
    (damaged / "record.json").write_bytes(b"{}")
    for form in ((), ("--json",), ("--csv",)):
        done = filled.perfdb("list", *form)
        assert done.returncode == 5
        assert done.stderr.count(damaged.name) == 1
    # One that is damaged after it came into the index is told where it is read.
    (filled.folders[1] / "record.json").write_bytes(b"{}")
    done = filled.perfdb("list", "--json")
    assert (done.returncode, len(json.loads(done.stdout))) == (5, 4)


def test_export_writes_what_a_query_finds_and_replaces_nothing(filled: Home) -> None:
    done = filled.perfdb("export", "some.parquet", "machine == birch", "--sort", "name")
    assert done.returncode == 0, done.stderr
    table = pyarrow.parquet.read_table(filled.root / "some.parquet")
    assert table.column("name").to_pylist() == ["run 1", "run 3", "run 5"]
    before = (filled.root / "some.parquet").read_bytes()
    done = filled.perfdb("export", "some.parquet")
    assert (done.returncode, "--force" in done.stderr) == (2, True)
    assert (filled.root / "some.parquet").read_bytes() == before
    assert filled.perfdb("export", "some.parquet", "--force", "--columns", "name").returncode == 0
    assert pyarrow.parquet.read_table(filled.root / "some.parquet").num_rows == 6
    assert filled.perfdb("export", "some.csv", "status == ok").returncode == 0
    assert len((filled.root / "some.csv").read_text().splitlines()) == 6


def test_an_export_of_a_registry_with_damage_says_so(filled: Home) -> None:
    (filled.folders[0] / "record.json").write_bytes(b"{}")
    done = filled.perfdb("export", "all.csv")
    assert (done.returncode, filled.folders[0].name in done.stderr) == (5, True)
    assert len((filled.root / "all.csv").read_text().splitlines()) == 6


def test_show_finds_a_record_by_its_first_digits(filled: Home) -> None:
    wanted = filled.folders[3].name
    assert json.loads(filled.perfdb("show", wanted[:8], "--json").stdout)["record_id"] == wanted
    done = filled.perfdb("show", "zz")
    assert (done.returncode, "perfdb list" in done.stderr) == (1, True)

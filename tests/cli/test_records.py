"""What `perfdb list` and `perfdb show` tell of records that perfdb did not measure, and where nothing is found."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from perfdb.cli.records import list_records, show
from perfdb.errors import UsageError
from perfdb.record import Code, Environment, Metric, Origin, Retraction, new_uuid
from perfdb.registry.remarks import save_remark
from tests.tracking.records import save

app = typer.Typer()
app.command("list")(list_records)
app.command()(show)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*arguments: str) -> list[str]:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_an_imported_record_shows_its_own_numbers_its_source_and_its_tags(root: Path) -> None:
    imported = save(
        root,
        metrics=(Metric(name="runtime_tps", unit="tasks/s", direction="higher", value=250.0),),
        origin=Origin(kind="imported", source_kind="csv", source="io.csv#line-2", source_sha256="d" * 64),
        tags={"note": "first try"},
        code=Code(perfdb_version="0.1.0", measured={}),
        environment=Environment(machine="birch"),
        duration_s=0.0,
        spec={},
        params={},
        config=None,
    )
    lines = typed("show", imported.record.record_id)
    assert lines[0] == f"{imported.record.run_name}  on birch"
    assert lines[2].split() == ["runtime_tps", "250", "tasks/s", "1", "higher", "is", "better"]
    rows = dict(line.split("  ", 1) for line in lines if "  " in line)
    assert rows["imported"].strip() == "csv, io.csv#line-2"
    assert rows["tag note"].strip() == "first try"
    assert rows["started"].strip() == "2026-11-21 02:28:00 UTC"
    assert not {"asked for", "measured", "config", "submit host"} & set(rows)
    assert "parameters" not in lines


def test_a_measured_record_shows_its_familys_headline_alone(root: Path) -> None:
    measured = save(root)
    text = "\n".join(typed("show", measured.record.record_id))
    assert text.startswith(f"{measured.record.run_name}  Parsl 2026.10.26 on laptop-7f3a\n")
    assert "took 33.5 s" in text
    assert "imported" not in text


def test_of_a_schedulers_settings_the_first_are_shown_and_the_rest_counted(root: Path) -> None:
    settings = {"SchedulerType": "sched/backfill", "boot_s": "2", "KillWait": "5 sec", "SuspendTime": "12 sec"}
    told = {"machine": "m", "scheduler": "slurm", "scheduler_version": "22.05.8"}
    of = save(root, environment=Environment(**told, scheduler_settings=settings)).record.record_id
    (line,) = [line for line in typed("show", of) if line.startswith("scheduler")]
    assert line.split(maxsplit=1)[1] == "slurm 22.05.8; SchedulerType sched/backfill, boot_s 2, 2 more with --json"
    assert json.loads("".join(typed("show", of, "--json")))["environment"]["scheduler_settings"] == settings
    older = save(root, environment=Environment(**told)).record.record_id
    assert ["scheduler", "slurm 22.05.8"] in [line.split(maxsplit=1) for line in typed("show", older)]


def test_records_are_found_by_how_the_scheduler_was_set(root: Path) -> None:
    found = {
        boot_s: save(root, environment=Environment(machine="m", scheduler_settings={"boot_s": boot_s})).record.record_id
        for boot_s in ("2", "10")
    }
    (_, line) = typed("list", "scheduler_settings.boot_s > 3", "--columns", "record_id,boot_s")
    assert line.split() == [found["10"], "10"]


def test_where_nothing_is_found_the_registry_is_named(root: Path) -> None:
    assert typed("list")[0].startswith("no records in mlruns yet. Make one: ")
    gone = save(root).record.record_id
    assert typed("list", "--machine", "nobody") == ["none of the 1 records in mlruns matches."]
    retraction = Retraction(
        uuid=new_uuid(), at=datetime(2026, 11, 22, tzinfo=UTC), record_id=gone, reason="a busy node"
    )
    save_remark(root / "mlruns", retraction)
    hint = "Withdrawn ones were not looked at: --retracted takes them in."
    assert typed("list") == [f"none of the 1 records in mlruns matches. {hint}"]
    assert hint not in typed("list", "--retracted", "--machine", "nobody")[0]
    assert hint not in typed("list", "retracted == false")[0]


def test_among_withdrawn_ones_each_says_whether_it_is(root: Path) -> None:
    kept, gone = save(root).record.record_id, save(root).record.record_id
    save_remark(
        root / "mlruns", Retraction(uuid=new_uuid(), at=datetime(2026, 11, 22, tzinfo=UTC), record_id=gone, reason="x")
    )
    said = {line.split()[0]: " true " in line for line in typed("list", "--retracted")[1:]}
    assert said == {kept: False, gone: True}


def test_columns_without_a_name_are_refused(root: Path) -> None:
    for nothing in ("", ",", " , "):
        with pytest.raises(UsageError, match="names no column"):
            typed("list", "--columns", nothing)


def test_one_that_is_not_shown_is_one(root: Path) -> None:
    save(root)
    save(root)
    assert typed("list", "--limit", "1")[-1] == "1 more is not shown: --limit 2 shows them."

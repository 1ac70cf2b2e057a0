"""What `perfdb history` prints, for people and for programs."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from perfdb.cli.history import history
from perfdb.errors import EXIT_FAULTS, UsageError
from perfdb.record import Annotation, Code, Environment, Metric, Retraction, new_uuid
from perfdb.registry.remarks import save_remark
from tests.tracking.records import STARTED, save

app = typer.Typer()
app.command()(history)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def lines(*arguments: str) -> list[str]:
    result = typed(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def kept(root: Path, day: int, value: float, version: str = "2024.1.1", machine: str = "birch") -> str:
    entry = save(
        root,
        metrics=(Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", value=value),),
        code=Code(perfdb_version="0.1.0", measured={"parsl": version}),
        environment=Environment(machine=machine),
        started_at=STARTED + timedelta(days=day),
        ended_at=STARTED + timedelta(days=day, seconds=30),
    )
    return entry.record.record_id


@pytest.fixture
def stepped(root: Path) -> list[str]:
    """Thirty releases, from the sixteenth on a fifth slower."""
    return [kept(root, i, (100 if i < 15 else 80) + i % 3, f"2024.{i // 3 + 1}.{i % 3 + 1}") for i in range(30)]


def test_a_change_is_told_with_its_release_its_size_and_how_sure_it_is(stepped: list[str]) -> None:
    shown = lines("warm_tasks_per_s")
    assert shown[0] == "warm_tasks_per_s by version: throughput, birch, local_htex"
    assert shown[1] == "30 points, tasks/s, higher is better"
    assert shown[2].index("|") == 15
    (told,) = [line for line in shown if "since here" in line]
    assert told.split()[0] == "2024.6.1"
    assert "-19.8 % (worse) since here, confirmed" in told
    assert stepped[15] in told
    assert shown[-1].startswith("1 confirmed change")


def test_a_withdrawn_record_is_left_out_and_named(root: Path, stepped: list[str]) -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    save_remark(root / "mlruns", Retraction(uuid=new_uuid(), at=at, record_id=stepped[3], reason="busy"))
    assert f"left out, withdrawn: {stepped[3]} (2024.2.1)" in lines("warm_tasks_per_s")


def test_a_remark_and_a_new_baseline_stand_at_their_release(root: Path, stepped: list[str]) -> None:
    remark = Annotation(
        uuid=new_uuid(), at=STARTED, record_ids=(stepped[15],), note="new switches", resets_baseline=True
    )
    save_remark(root / "mlruns", remark)
    shown = lines("warm_tasks_per_s")
    assert shown[2].index("‖") == 15
    assert [line for line in shown if line.endswith("new baseline; remark: new switches")]
    assert shown[-1] == "no change found"


def test_json_is_one_document_that_says_all(stepped: list[str]) -> None:
    document = json.loads(typed("warm_tasks_per_s", "--json").stdout)
    (series,) = document["series"]
    assert (document["metric"], document["by"], len(series["points"])) == ("warm_tasks_per_s", "version", 30)
    (change,) = series["changes"]
    assert (change["at"], change["certainty"]) == (15, "confirmed")


def test_csv_has_a_row_a_point(stepped: list[str]) -> None:
    rows = list(csv.DictReader(lines("warm_tasks_per_s", "--csv")))
    assert len(rows) == 30
    assert [row["version"] for row in rows if row["change"]] == ["2024.6.1"]
    assert rows[0]["value"] == "100.0"
    assert rows[0]["record_ids"] == stepped[0]


def test_by_date_the_days_are_shown_and_a_machine_can_be_chosen(root: Path) -> None:
    for day in range(3):
        kept(root, day, 100, machine="birch")
        kept(root, day, 50, machine="alder")
    shown = lines("warm_tasks_per_s", "--by", "date", "--machine", "alder")
    assert [line.split()[0] for line in shown if line.startswith("2026-")] == ["2026-11-21", "2026-11-22", "2026-11-23"]
    assert not [line for line in shown if "birch" in line]


def test_of_a_long_history_the_newest_points_and_the_changes_are_listed(root: Path) -> None:
    for day in range(100):
        kept(root, day, (100 if day < 50 else 150) + day % 3)
    shown = lines("warm_tasks_per_s", "--by", "date")
    assert shown[2].startswith("…")
    assert len([line for line in shown if line.startswith("20")]) == 18
    assert len([line for line in shown if "since here" in line]) == 1


def test_another_config_is_not_shown(stepped: list[str]) -> None:
    assert lines("warm_tasks_per_s", "--config", "slurm_hopper") == [
        "no record that was asked for has warm_tasks_per_s; `perfdb list` shows what there is."
    ]
    assert len(lines("warm_tasks_per_s", "--config", "local_htex")) > 30


def test_an_unknown_metric_is_refused_with_the_names_that_are_near(stepped: list[str]) -> None:
    with pytest.raises(
        UsageError, match=r"no record here has .*warm_task_per_s.* closest are metric\.warm_tasks_per_s"
    ):
        typed("warm_task_per_s")


def test_two_forms_at_once_are_refused(stepped: list[str]) -> None:
    with pytest.raises(UsageError, match="choose one"):
        typed("warm_tasks_per_s", "--json", "--csv")


def test_a_damaged_record_is_told_and_the_rest_is_shown(root: Path, stepped: list[str]) -> None:
    assert lines("warm_tasks_per_s")[1].startswith("30 points")
    (folder,) = root.glob(f"mlruns/*/*/*/{stepped[0]}")
    (folder / "record.json").write_bytes(b"{}")
    result = typed("warm_tasks_per_s")
    assert result.exit_code == EXIT_FAULTS
    assert "29 points" in result.stdout
    assert stepped[0] in result.stderr


def test_a_strangers_text_moves_no_cursor(root: Path, stepped: list[str]) -> None:
    remark = Annotation(uuid=new_uuid(), at=STARTED, record_ids=(stepped[4],), note="\x1b[2Jgone")
    save_remark(root / "mlruns", remark)
    text = typed("warm_tasks_per_s").stdout
    assert "\x1b" not in text
    assert "[2Jgone" in text

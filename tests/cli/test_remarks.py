"""`perfdb retract` and `perfdb annotate`, on a real registry and a real MLflow database."""

from __future__ import annotations

import json
import socket

import pytest
import typer
from typer.testing import CliRunner

from perfdb.cli.records import show
from perfdb.cli.remarks import annotate, retract
from perfdb.cli.sync import sync
from perfdb.errors import RegistryError, UsageError
from perfdb.registry.remarks import annotations_of, retractions_of
from perfdb.tracking.seen import glance
from tests.tracking.records import save

app = typer.Typer()
for command in (retract, annotate, show, sync):
    app.command()(command)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def entry(root):
    return save(root)


def typed(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def files(root):
    return sorted(str(p.relative_to(root)) for p in (root / "mlruns").rglob("*") if p.is_file())


def test_a_retraction_is_one_new_file_and_a_second_one_is_none(root, entry):
    before = files(root)
    told = json.loads(typed("retract", entry.record.record_id[:8], "--reason", " another job ran there ", "--json"))
    assert (told["new"], told["reason"]) == (True, "another job ran there")
    after = files(root)
    assert set(after) - set(before) == {f"mlruns/_retractions/{entry.record.record_id}-{told['uuid']}.json"}
    assert "withdrawn already" in typed("retract", entry.record.record_id, "--reason", "something else")
    assert "another job ran there" in typed("retract", entry.record.record_id, "--reason", "something else")
    assert files(root) == after


def test_an_annotation_names_each_record_once_and_is_shown(root):
    first, second = save(root).record.record_id, save(root).record.record_id
    told = typed("annotate", first, second, first[:10], "--note", "a [bold]new[/bold] switch", "--tag", "figure=3 a=b")
    (remark,) = annotations_of(root / "mlruns")
    assert (remark.record_ids, remark.tags, remark.resets_baseline) == ((first, second), {"figure": "3 a=b"}, False)
    assert f"mlruns/{remark.file}" in told
    assert "a [bold]new[/bold] switch [figure: 3 a=b]" in typed("show", second)


def test_show_begins_with_the_retraction(entry):
    typed("retract", entry.record.record_id, "--reason", "another job ran there")
    assert typed("show", entry.record.record_id).startswith("WITHDRAWN")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("the key is hf_" + "FakeFakeFake" * 3, "a secret"),
        ("ran on 10.11.12.13", "an address"),
        ("see https://build.private.corp/log", "a host's name"),
        ("see /home/somebody/notes", "a home folder"),
        ("ask somebody@mail.example.org", "a user's name"),
    ],
)
def test_what_must_not_be_published_is_refused_without_being_repeated(root, entry, text, kind):
    for arguments in (
        ("retract", entry.record.record_id, "--reason", text),
        ("annotate", entry.record.record_id, "--note", text),
        ("annotate", entry.record.record_id, "--note", "fine", "--tag", f"why={text}"),
    ):
        with pytest.raises(UsageError, match=f"holds {kind} .*Nothing was written") as refused:
            typed(*arguments)
        assert text.split()[-1] not in str(refused.value)
    assert not list((root / "mlruns").glob("_*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--note", " "), "1 to 4000"),
        (("--note", "x" * 4001), "1 to 4000"),
        (("--note", "a\x1b[31m"), "control characters"),
        (("--note", "n", "--tag", "figure"), "KEY=VALUE"),
        (("--note", "n", "--tag", "=3"), "KEY=VALUE"),
        (("--note", "n", "--tag", "3figure=3"), "begins with a letter"),
        (("--note", "n", "--tag", "long=" + "x" * 1001), "1000"),
    ],
)
def test_what_can_not_be_kept_is_refused_in_one_paragraph(root, entry, arguments, said):
    with pytest.raises(UsageError, match=said):
        typed("annotate", entry.record.record_id, *arguments)
    assert not list((root / "mlruns").glob("_*"))


def test_a_record_that_is_not_there_is_named(entry):
    with pytest.raises(RegistryError, match="no record here"):
        typed("retract", "ffff", "--reason", "why not")


def test_mlflow_follows_at_once_where_there_is_one_and_at_the_next_sync_where_not(root, entry):
    database, record_id = root / ".perfdb" / "mlflow.db", entry.record.record_id
    typed("annotate", record_id, "--note", "a new switch")
    assert not database.exists()
    typed("sync")
    (run,) = glance(database, [record_id], wait_s=5)[record_id]
    assert (run.deleted, run.remarks is None) == (False, False)
    typed("retract", record_id, "--reason", "another job ran there")
    (after,) = glance(database, [record_id], wait_s=5)[record_id]
    assert (after.run_id, after.deleted, after.retracted) == (run.run_id, True, True)
    assert json.loads(typed("sync", "--json"))["unchanged"] == 1


def test_an_mlflow_that_does_not_answer_costs_a_warning_and_the_next_sync_makes_up_for_it(root, entry, monkeypatch):
    typed("sync")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{taken.getsockname()[1]}")
    result = CliRunner().invoke(app, ["retract", entry.record.record_id, "--reason", "another job ran there"])
    assert result.exit_code == 0
    assert "cannot be reached" in result.stderr
    assert list(retractions_of(root / "mlruns")) == [entry.record.record_id]
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert json.loads(typed("sync", "--json"))["sent"] == 1
    ((run,),) = glance(root / ".perfdb" / "mlflow.db", wait_s=5).values()
    assert (run.deleted, run.retracted) == (True, True)

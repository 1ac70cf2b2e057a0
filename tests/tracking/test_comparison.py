"""A comparison is one run in MLflow, with its table, its ratios and its picture."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from perfdb.errors import TrackingError
from perfdb.tracking.comparison import EXPERIMENT, log_comparison, note_on, table_of, write_comparison
from perfdb.tracking.door import connect
from perfdb.tracking.target import Target
from tests.report.charts.examples import ID, comparison, metric
from tests.tracking.records import sqlite_target

FOUND = comparison(metric("warm_tasks_per_s", 1.2), metric("idle", 1.0, "undecided", interval=None))


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """A database that MLflow has set up, which takes it seconds."""
    made = sqlite_target(tmp_path_factory.mktemp("fresh"))
    connect(made, wait_s=5)
    return made.database


@pytest.fixture
def target(tmp_path, fresh):
    made = sqlite_target(tmp_path / "state")
    made.database.parent.mkdir()
    shutil.copy(fresh, made.database)
    return made


def runs(target: Target):
    client = connect(target, wait_s=5)
    known = client.get_experiment_by_name(EXPERIMENT)
    return client, client.search_runs([known.experiment_id])


def test_the_same_comparison_twice_is_one_run(target, tmp_path):
    chart = tmp_path / "ratios.svg"
    chart.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    first = log_comparison(target, FOUND, chart)
    again = log_comparison(target, FOUND, chart)
    assert (first.outcome, again.outcome) == ("created", "unchanged")
    client, (run,) = runs(target)
    assert first.run_id == again.run_id == run.info.run_id
    assert sorted(each.path for each in client.list_artifacts(run.info.run_id)) == [
        "comparison.json",
        "comparison_table.json",
        "ratios.svg",
    ]


def test_a_comparison_says_its_sides_ratios_records_and_verdicts(target):
    write_comparison(connect(target, wait_s=5), target, FOUND, None, wait_s=5)
    _, (run,) = runs(target)
    assert {
        "warm_tasks_per_s.ratio": 1.2,
        "warm_tasks_per_s.low": pytest.approx(1.14),
        "warm_tasks_per_s.high": pytest.approx(1.26),
    } == run.data.metrics
    assert tuple(run.data.params[name] for name in ("baseline", "side.1", "compared")) == (
        "2025.8.4",
        "2026.1.5",
        "parsl_version",
    )
    assert run.data.tags["perfdb.records.1"] == ID
    assert run.data.tags["perfdb.verdicts"] == "better, undecided"
    assert run.info.run_name == "2026.1.5 against 2025.8.4"
    assert run.info.status == "FINISHED"


def test_the_table_is_one_that_mlflow_shows(target):
    write_comparison(connect(target, wait_s=5), target, FOUND, None, wait_s=5)
    client, (run,) = runs(target)
    kept = json.loads(Path(client.download_artifacts(run.info.run_id, "comparison_table.json")).read_text())
    assert table_of(FOUND) == kept
    assert all(len(row) == len(kept["columns"]) for row in kept["data"])
    assert json.loads(run.data.tags["mlflow.loggedArtifacts"]) == [{"path": "comparison_table.json", "type": "table"}]


def test_a_half_sent_comparison_is_completed(target, monkeypatch):
    client = connect(target, wait_s=5)
    with monkeypatch.context() as broken:
        broken.setattr(client, "set_terminated", lambda *_: (_ for _ in ()).throw(OSError("no")))
        with pytest.raises(TrackingError):
            write_comparison(client, target, FOUND, None, wait_s=5)
    assert write_comparison(client, target, FOUND, None, wait_s=5).outcome == "updated"
    assert len(runs(target)[1]) == 1


def test_two_comparisons_are_two_runs(target):
    client = connect(target, wait_s=5)
    write_comparison(client, target, FOUND, None, wait_s=5)
    write_comparison(client, target, comparison(metric("warm_tasks_per_s", 1.3)), None, wait_s=5)
    assert len(runs(target)[1]) == 2


def test_several_sides_and_cases_do_not_hide_one_another(target):
    side = FOUND.sides[1].model_copy(update={"label": "third", "name": "third"})
    cases = tuple(FOUND.cases[0].model_copy(update={"other": other}) for other in (1, 2))
    client = connect(target, wait_s=5)
    write_comparison(
        client, target, FOUND.model_copy(update={"sides": (*FOUND.sides, side), "cases": cases}), None, wait_s=5
    )
    _, (run,) = runs(target)
    assert len(run.data.metrics) == 6


def test_an_mlflow_that_is_down_is_told_and_raises_nothing_else(tmp_path):
    nowhere = Target("http://127.0.0.1:9", str(tmp_path), str(tmp_path))
    with pytest.raises(TrackingError, match=r"The comparison stands"):
        log_comparison(nowhere, FOUND)


def test_strangers_words_are_only_words_in_the_note():
    side = FOUND.sides[0].model_copy(update={"label": "![x](http://e.org) <b>", "name": "x"})
    told = note_on(FOUND.model_copy(update={"sides": (side, FOUND.sides[1]), "warnings": ("[a](b)",)}))
    assert "![x]" not in told
    assert "<b>" not in told
    assert "[a](b)" not in told

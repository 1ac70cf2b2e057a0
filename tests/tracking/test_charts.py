"""Charts come beside the runs in MLflow, once, after everything else, and again where they got lost."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from perfdb.errors import TrackingError
from perfdb.registry.remarks import NO_REMARKS
from perfdb.tracking import MirrorSession, ReadyProcess, sync_records
from perfdb.tracking.charting import chart_runs
from perfdb.tracking.charts import CHARTS_TAG, bare_in, bare_over, send_charts
from perfdb.tracking.door import connect
from perfdb.tracking.mapping import payload_of
from perfdb.tracking.mirror import mirror_record
from perfdb.tracking.target import Target
from tests.tracking.records import STARTED, make_record, save, sqlite_target


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


@pytest.fixture
def drawing(tmp_path):
    """Draws two charts of any record; tells which records it was asked for."""
    files = []
    for name in ("1-rates.svg", "2-latency.svg"):
        files.append(tmp_path / name)
        files[-1].write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")

    def draw(record_id: str) -> list[Path]:
        draw.asked.append(record_id)
        return files

    draw.asked = []
    return draw


def sent(tmp_path, target, count=1):
    entries = [save(tmp_path, started_at=STARTED + timedelta(days=n)) for n in range(count)]
    client = connect(target, wait_s=5)
    for entry in entries:
        mirror_record(client, target, entry.record, entry.folder, wait_s=5)
    return entries


def bare(target, newest=None):
    return [each.record_id for each in bare_in(target, target.database, newest, wait_s=1)]


def test_a_complete_run_gets_its_charts_once(tmp_path, target, drawing):
    (entry,) = sent(tmp_path, target)
    assert chart_runs(target, 100, drawing) == 1
    assert chart_runs(target, 100, drawing) == 0
    assert drawing.asked == [entry.record.record_id]
    client = connect(target, wait_s=5)
    (run,) = client.search_runs(["1"])
    assert run.data.tags[CHARTS_TAG] == "1:2"
    assert [each.path for each in client.list_artifacts(run.info.run_id, "charts")] == [
        "charts/1-rates.svg",
        "charts/2-latency.svg",
    ]


def test_only_the_newest_runs_get_charts_unasked(tmp_path, target, drawing):
    old, middle, new = (entry.record.record_id for entry in sent(tmp_path, target, 3))
    assert chart_runs(target, 2, drawing) == 2
    assert drawing.asked == [new, middle]
    assert chart_runs(target, 2, drawing) == 0
    assert chart_runs(target, None, drawing) == 1
    assert drawing.asked[-1] == old


def test_removed_charts_come_back(tmp_path, target, drawing):
    sent(tmp_path, target)
    chart_runs(target, 100, drawing)
    next(Path(target.artifact_root).rglob("2-latency.svg")).unlink()
    assert chart_runs(target, 100, drawing) == 1
    assert next(Path(target.artifact_root).rglob("2-latency.svg")).exists()


def test_a_sending_that_was_cut_off_is_done_again(tmp_path, target, drawing):
    (entry,) = sent(tmp_path, target)
    client = connect(target, wait_s=5)
    (run,) = client.search_runs(["1"])
    with pytest.raises(TrackingError):
        send_charts(client, target, run.info.run_id, [*drawing(""), tmp_path / "missing.svg"])
    assert bare(target) == [entry.record.record_id]


def test_a_record_without_anything_to_draw_is_not_asked_for_again(tmp_path, target):
    sent(tmp_path, target)
    assert chart_runs(target, 100, lambda _: []) == 1
    assert bare(target) == []


def test_what_cannot_be_drawn_leaves_its_run_as_it_is(tmp_path, target):
    (entry,) = sent(tmp_path, target)
    assert chart_runs(target, 100, lambda _: None) == 0
    assert bare(target) == [entry.record.record_id]


def test_over_http_the_same_runs_lack_charts(tmp_path, http_target, drawing):
    (entry,) = sent(tmp_path, http_target)
    record_id = entry.record.record_id
    client = connect(http_target, wait_s=5)
    assert record_id in [each.record_id for each in bare_over(client, http_target, None)]
    (run,) = [each for each in bare_over(client, http_target, None) if each.record_id == record_id]
    send_charts(client, http_target, run.run_id, drawing(record_id))
    assert record_id not in [each.record_id for each in bare_over(client, http_target, None)]
    assert len(client.list_artifacts(run.run_id, "charts")) == 2


def test_a_run_has_its_charts_when_it_ends(tmp_path, target, drawing):
    entry = save(tmp_path)
    with MirrorSession(target, budget_s=20.0) as session:
        result = session.mirror(entry.folder)
        assert result is not None
        assert session.send_charts(result, drawing("")) is True
    assert bare(target) == []


def test_a_sync_sends_records_and_charts_by_one_process(tmp_path, target, drawing):
    entry = save(tmp_path)
    processes = []

    def draw(record_id: str) -> list[Path]:
        ours = psutil.Process().children()
        processes.extend(one.pid for one in ours if "perfdb.tracking.child" in one.cmdline())
        return drawing(record_id)

    with ReadyProcess(target) as process:
        report = sync_records(target, tmp_path / "mlruns", [entry.folder], {}, process=process)
        assert report.count("created") == 1
        assert chart_runs(target, 100, draw, process=process) == 1
        assert processes == [process.child().pid]
    assert not psutil.pid_exists(processes[0])
    assert bare(target) == []


def test_a_note_links_the_records_page_and_tells_how_to_do_it_again():
    record = make_record()
    told = payload_of(record, NO_REMARKS, "https://perf.example.org/site/").tags["mlflow.note.content"]
    assert f"(<https://perf.example.org/site/records/{record.record_id}.html>)" in told
    assert f"    perfdb reproduce {record.record_id}" in told
    assert "report" not in payload_of(record).tags["mlflow.note.content"]


def test_a_target_without_a_report_is_what_it_was():
    assert Target("sqlite:////x", "/y", "/z").report_url == ""

"""One run a record, on a real database and on a real server."""

from __future__ import annotations

import sqlite3
import urllib.request
from pathlib import Path

import pytest

from perfdb.errors import RecordError
from perfdb.tracking import Target
from perfdb.tracking.door import connect
from perfdb.tracking.mapping import COMPLETE, MIRROR_TAG, RECORD_TAG
from perfdb.tracking.mirror import SyncItem, mirror_record, open_run
from perfdb.tracking.sync import sync
from tests.tracking.records import STARTED, save


@pytest.fixture(scope="module", params=["sqlite", "http_target"])
def target(request: pytest.FixtureRequest) -> Target:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def client(target):
    return connect(target, wait_s=5)


def mirror(client, target, entry, **more):
    return mirror_record(client, target, entry.record, entry.folder, wait_s=5, **more)


def opened(client, target, **changes):
    fields = {"experiment": "throughput", "run_name": "r", "started_ms": 1, "tags": {"perfdb.journal": "0f0f"}}
    return open_run(client, target, **{**fields, **changes}, wait_s=5)


def runs_of(client, entry):
    ids = [e.experiment_id for e in client.search_experiments()]
    return list(client.search_runs(ids, f"tags.`{RECORD_TAG}` = '{entry.record.record_id}'"))


def test_a_mirrored_run_has_the_records_numbers_times_and_files(client, target, tmp_path):
    entry = save(tmp_path)
    result = mirror(client, target, entry)
    run = client.get_run(result.run_id)
    assert result.outcome == "created"
    assert run.info.status == "FINISHED"
    assert run.info.start_time == STARTED.timestamp() * 1000
    assert run.info.end_time - run.info.start_time == 33500
    assert run.data.metrics["warm_tasks_per_s"] == 710.0
    assert run.data.params["executor.class"] == "HighThroughputExecutor"
    history = client.get_metric_history(result.run_id, "rep2/tasks_per_s")
    assert [(m.step, m.value) for m in history] == [(1, 100.0), (2, 700.0)]
    artifacts = {a.path for a in client.list_artifacts(result.run_id)}
    assert artifacts == {"record.json", "samples.parquet", "artifacts"}
    assert [a.path for a in client.list_artifacts(result.run_id, "artifacts")] == ["artifacts/config.py"]


def test_mlflow_learns_no_user_and_no_source_path(client, target, tmp_path):
    run = client.get_run(mirror(client, target, save(tmp_path)).run_id)
    assert "mlflow.user" not in run.data.tags
    assert run.info.user_id in ("", "unknown")
    assert run.data.tags["mlflow.source.name"] == "perfdb"


def test_a_second_mirror_of_a_record_sends_nothing(client, target, tmp_path):
    entry = save(tmp_path)
    first = mirror(client, target, entry)
    again = mirror(client, target, entry)
    assert (again.run_id, again.outcome) == (first.run_id, "unchanged")


def test_an_opened_run_is_running_and_becomes_the_records(client, target, tmp_path):
    run = opened(client, target)
    assert client.get_run(run.run_id).info.status == "RUNNING"
    entry = save(tmp_path, status="interrupted")
    assert mirror(client, target, entry, run_id=run.run_id).run_id == run.run_id
    assert client.get_run(run.run_id).info.status == "KILLED"
    assert len(runs_of(client, entry)) == 1


def test_an_opened_run_whose_id_got_lost_is_found_by_its_journal(client, target, tmp_path):
    run = opened(client, target, tags={"perfdb.journal": "0123abcd"})
    assert mirror(client, target, save(tmp_path), journal="0123abcd").run_id == run.run_id


def test_an_opened_run_that_is_gone_is_replaced_by_a_new_one(client, target, tmp_path):
    entry = save(tmp_path)
    assert mirror(client, target, entry, run_id="0" * 32).outcome == "created"
    assert len(runs_of(client, entry)) == 1


def test_somebody_elses_run_is_never_taken(client, target, tmp_path):
    first, second = save(tmp_path), save(tmp_path)
    theirs = mirror(client, target, first)
    ours = mirror(client, target, second, run_id=theirs.run_id)
    assert ours.run_id != theirs.run_id
    assert client.get_run(theirs.run_id).data.tags[RECORD_TAG] == first.record.record_id


def test_a_half_sent_run_is_completed_in_place(client, target, tmp_path):
    entry = save(tmp_path)
    lacking = Path(entry.folder / "artifacts/config.py")
    content = lacking.read_bytes()
    broken = mirror(client, target, entry)
    client.set_tag(broken.run_id, MIRROR_TAG, "1:begun")
    client.update_run(broken.run_id, status="RUNNING")
    again = mirror(client, target, entry)
    run = client.get_run(again.run_id)
    assert (again.run_id, again.outcome) == (broken.run_id, "updated")
    assert (run.info.status, run.data.tags[MIRROR_TAG]) == ("FINISHED", COMPLETE)
    assert len(client.get_metric_history(again.run_id, "repetitions/warm_tasks_per_s")) == 3
    assert lacking.read_bytes() == content


def test_a_run_of_another_mapping_is_made_anew(client, target, tmp_path):
    entry = save(tmp_path)
    old = mirror(client, target, entry)
    client.set_tag(old.run_id, MIRROR_TAG, "0:complete")
    assert mirror(client, target, entry).run_id != old.run_id
    assert len(runs_of(client, entry)) == 1


def test_of_two_runs_that_two_hosts_made_the_oldest_is_left(client, target, tmp_path):
    entry = save(tmp_path)
    ours = mirror(client, target, entry)
    experiment = client.get_run(ours.run_id).info.experiment_id
    tags = {RECORD_TAG: entry.record.record_id, MIRROR_TAG: COMPLETE}
    theirs = client.create_run(experiment, start_time=1, tags=tags).info.run_id
    assert mirror(client, target, entry).run_id == theirs
    assert [run.info.run_id for run in runs_of(client, entry)] == [theirs]


def test_a_link_in_a_strangers_record_carries_no_file_of_ours_away(client, target, tmp_path):
    entry = save(tmp_path)
    private = tmp_path / "private"
    private.write_bytes((entry.folder / "artifacts/config.py").read_bytes())
    (entry.folder / "artifacts/config.py").unlink()
    (entry.folder / "artifacts/config.py").symlink_to(private)
    with pytest.raises(RecordError, match="is a link"):
        mirror(client, target, entry)
    assert runs_of(client, entry) == []


def test_a_file_that_was_changed_is_not_sent(client, target, tmp_path):
    entry = save(tmp_path)
    (entry.folder / "samples.parquet").write_bytes(b"changed")
    with pytest.raises(RecordError, match="changed"):
        mirror(client, target, entry)


def test_hostile_keys_and_long_values_arrive(client, target, tmp_path):
    params = {"../a": "x" * 9000, "": "", "a\nb": "\x00", **{f"p{i}": "é" * 900 for i in range(230)}}
    run = client.get_run(mirror(client, target, save(tmp_path, params=params)).run_id)
    assert len(run.data.params) == len(params) + 2


def test_a_deleted_experiment_comes_back(client, target, tmp_path):
    entry = save(tmp_path, experiment="deleted-once")
    result = mirror(client, target, entry)
    client.delete_experiment(result.experiment_id)
    mirror(client, target, entry)
    assert client.get_experiment(result.experiment_id).lifecycle_stage == "active"
    assert len(runs_of(client, entry)) == 1


def test_a_sync_asks_for_a_listing_and_reads_only_what_is_missing(client, target, tmp_path):
    there, missing = save(tmp_path, experiment="listed"), save(tmp_path, experiment="listed")
    mirror(client, target, there)
    items = [SyncItem(e.record.record_id, "listed", str(e.folder)) for e in (there, missing)]
    read = []

    def reading(folder):
        read.append(folder)
        return missing.record

    steps = list(sync(client, target, items, reading, {}, wait_s=5))
    assert [s.result.outcome for s in steps] == ["unchanged", "created"]
    assert read == [str(missing.folder)]


def test_broken_records_do_not_stop_a_sync(client, target, tmp_path):
    entries = [save(tmp_path) for _ in range(4)]
    for broken in entries[:3]:
        (broken.folder / "samples.parquet").unlink()
    records = {str(e.folder): e.record for e in entries}
    items = [SyncItem(e.record.record_id, "throughput", str(e.folder)) for e in entries]
    steps = list(sync(client, target, items, records.__getitem__, {}, wait_s=5))
    assert "is missing" in steps[0].error
    assert steps[3].result.outcome == "created"


def test_a_second_sync_leaves_the_database_as_it_is(sqlite, tmp_path):
    client = connect(sqlite, wait_s=5)
    entries = [save(tmp_path, experiment="twice") for _ in range(3)]
    records = {str(e.folder): e.record for e in entries}
    items = [SyncItem(e.record.record_id, "twice", str(e.folder)) for e in entries]
    list(sync(client, sqlite, items, records.__getitem__, {}, wait_s=5))
    before = dump(sqlite)
    steps = list(sync(client, sqlite, items, records.__getitem__, {}, wait_s=5))
    assert {s.result.outcome for s in steps} == {"unchanged"}
    assert dump(sqlite) == before


def test_the_local_server_shows_what_was_written_to_its_database(mlflow_server, settings_of_server, tmp_path):
    target = Target.of(settings_of_server)
    entry = save(tmp_path)
    result = mirror_record(connect(target, wait_s=5), target, entry.record, entry.folder, wait_s=5)
    url = f"{mlflow_server.url}/get-artifact?path=record.json&run_uuid={result.run_id}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == entry.record.to_bytes()


def dump(target: Target) -> list[str]:
    with sqlite3.connect(target.uri.removeprefix("sqlite:///")) as connection:
        return list(connection.iterdump())

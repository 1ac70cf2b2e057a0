"""Records that are sent many at once arrive as if each had been sent by MLflow's own client."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from perfdb.record import Metric
from perfdb.registry.remarks import NO_REMARKS
from perfdb.registry.store import RECORD_FILE, read_record
from perfdb.tracking.bulk import send_batch
from perfdb.tracking.door import connect
from perfdb.tracking.mapping import MIRROR_TAG, RECORD_TAG
from perfdb.tracking.mirror import SyncItem, mirror_record
from perfdb.tracking.sync import sync
from tests.tracking.records import save, sqlite_target
from tests.tracking.remarks import annotated, withdrawn


@pytest.fixture
def target(tmp_path):
    return sqlite_target(tmp_path / "state")


@pytest.fixture
def client(target):
    return connect(target, wait_s=5)


def reading(folder):
    return read_record(Path(folder) / RECORD_FILE)


def items_of(entries):
    return [SyncItem(e.record.record_id, e.record.experiment, str(e.folder)) for e in entries]


def send(client, target, entries, said=None):
    return send_batch(client, target, items_of(entries), reading, said or {}, wait_s=5)


def shown(client, run_id):
    """All of a run that does not depend on its id."""
    run = client.get_run(run_id)
    info = {k: v for k, v in dict(run.info).items() if k not in ("run_id", "run_uuid", "artifact_uri")}
    histories = {
        k: [(m.value, m.step, m.timestamp) for m in client.get_metric_history(run_id, k)] for k in run.data.metrics
    }
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert run_id in run.info.artifact_uri
    return info, run.data.tags, run.data.params, run.data.metrics, histories, files, run.inputs.dataset_inputs


AWKWARD = {
    "params": {"../a": "x" * 9000, "a\nb": "\x00", "n": 3, "none": None, "on": True, "big": 2**53 - 1},
    "metrics": (
        Metric(name="twice", unit="s", direction="lower", values=(2.0, 1.0, 1.0), step=4),
        Metric(name="twice", unit="s", direction="lower", value=-5.0, step=2),
        Metric(name="plain", unit="s", direction="none", values=(1.0, 3.0)),
    ),
    "run_name": "r é \N{SNOWMAN}",
}


@pytest.mark.parametrize("changes", [{}, {"status": "timeout", "metrics": (), "params": {}, "spec": {}}, AWKWARD])
@pytest.mark.parametrize("remarks", [NO_REMARKS, annotated(), withdrawn()])
def test_a_run_written_in_bulk_is_the_one_that_mlflows_client_would_have_made(tmp_path, changes, remarks):
    entry, found = save(tmp_path, **changes), []
    for way in ("bulk", "client"):
        target = sqlite_target(tmp_path / way)
        client = connect(target, wait_s=5)
        if way == "bulk":
            (step,) = send(client, target, [entry], {entry.record.record_id: remarks}).values()
            result = step.result
        else:
            result = mirror_record(client, target, reading(entry.folder), entry.folder, wait_s=5, remarks=remarks)
        assert result.outcome == "created"
        found.append(shown(client, result.run_id))
    for bulk, client in zip(*found, strict=True):
        assert bulk == client


def test_what_is_not_simply_missing_is_left_to_the_client(client, target, tmp_path):
    half, by_hand, opened, missing = entries = [save(tmp_path) for _ in range(4)]
    there = send(client, target, [half, by_hand])
    client.set_tag(there[half.record.record_id].result.run_id, MIRROR_TAG, "1:begun")
    client.delete_run(there[by_hand.record.record_id].result.run_id)
    items = items_of(entries)
    items[2] = SyncItem(opened.record.record_id, "throughput", str(opened.folder), run_id="0" * 32)
    steps = send_batch(client, target, items, reading, {}, wait_s=5)
    assert list(steps) == [missing.record.record_id]
    outcomes = [s.result.outcome for s in sync(client, target, items, reading, {}, wait_s=5)]
    assert outcomes == ["updated", "created", "created", "unchanged"]


def test_a_batch_that_fails_as_a_whole_is_sent_one_by_one(client, target, tmp_path):
    entries = [save(tmp_path) for _ in range(3)]
    taken = send(client, target, entries[:1])[entries[0].record.record_id].result.run_id
    client.delete_tag(taken, RECORD_TAG)  # its id is taken, and it is nobody's any more
    steps = list(sync(client, target, items_of(entries), reading, {}, wait_s=5))
    assert [s.result.outcome for s in steps] == ["created"] * 3
    assert taken not in {s.result.run_id for s in steps}


def test_a_damaged_record_does_not_keep_its_batch_back(client, target, tmp_path):
    entries = [save(tmp_path) for _ in range(3)]
    (entries[1].folder / "samples.parquet").write_bytes(b"changed")
    steps = send(client, target, entries)
    assert [bool(steps[e.record.record_id].error) for e in entries] == [False, True, False]
    runs = client.search_runs(["1"])
    assert {r.data.tags[RECORD_TAG] for r in runs} == {entries[0].record.record_id, entries[2].record.record_id}


def test_a_record_that_is_named_twice_is_one_run(client, target, tmp_path):
    entry = save(tmp_path)
    send(client, target, [entry, entry])
    assert len(client.search_runs(["1"])) == 1


def test_artifacts_that_can_not_be_copied_leave_no_run(client, target, tmp_path):
    entry = save(tmp_path)
    Path(target.artifact_root).mkdir(parents=True)
    (Path(target.artifact_root) / "throughput").write_text("a file where a folder belongs")
    (step,) = sync(client, target, items_of([entry]), reading, {}, wait_s=5)
    assert "failed" in step.error
    with sqlite3.connect(target.database) as connection:
        assert connection.execute("SELECT count(*) FROM tags WHERE value = '1:complete'").fetchone() == (0,)
    (Path(target.artifact_root) / "throughput").unlink()
    (step,) = sync(client, target, items_of([entry]), reading, {}, wait_s=5)
    assert step.error is None

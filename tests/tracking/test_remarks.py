"""What is said about a record, at its run: on a real database and on a real server."""

from __future__ import annotations

import pytest
from mlflow.entities import ViewType

from perfdb.registry.remarks import NO_REMARKS, Remarks
from perfdb.tracking import Target
from perfdb.tracking.door import connect
from perfdb.tracking.mapping import RECORD_TAG, is_remarked, payload_of
from perfdb.tracking.mirror import SyncItem, mirror_record
from perfdb.tracking.note import note
from perfdb.tracking.sync import sync
from tests.tracking.records import make_record, save
from tests.tracking.remarks import annotated, withdrawn


@pytest.fixture(scope="module", params=["sqlite", "http_target"])
def target(request: pytest.FixtureRequest) -> Target:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def client(target):
    return connect(target, wait_s=5)


@pytest.fixture
def bring(client, target):
    """Mirror or sync one record with its remarks; what became of it."""

    def bring_(entry, remarks=NO_REMARKS, *, by_sync=True):
        if not by_sync:
            return mirror_record(client, target, entry.record, entry.folder, wait_s=5, remarks=remarks)
        record_id = entry.record.record_id
        items = [SyncItem(record_id, entry.record.experiment, str(entry.folder))]
        (step,) = sync(client, target, items, lambda _: entry.record, {record_id: remarks}, wait_s=5)
        assert step.error is None
        return step.result

    return bring_


def runs_of(client, entry, view):
    ids = [e.experiment_id for e in client.search_experiments()]
    return list(client.search_runs(ids, f"tags.`{RECORD_TAG}` = '{entry.record.record_id}'", run_view_type=view))


@pytest.mark.parametrize("by_sync", [True, False])
@pytest.mark.parametrize("fresh", [True, False])
def test_a_withdrawn_records_run_says_why_and_is_deleted_once(client, bring, tmp_path, fresh, by_sync):
    entry = save(tmp_path)
    first = None if fresh else bring(entry)
    result = bring(entry, withdrawn(), by_sync=by_sync)
    assert result.outcome == ("created" if fresh else "updated")
    assert runs_of(client, entry, ViewType.ACTIVE_ONLY) == []
    (run,) = runs_of(client, entry, ViewType.DELETED_ONLY)
    assert fresh or run.info.run_id == first.run_id
    assert run.data.tags["perfdb.retracted"] == "2026-11-22T09:30:00.000000Z: another job ran there"
    assert run.data.tags["perfdb.validity"] == "retracted"
    assert run.data.tags["mlflow.note.content"].startswith("**WITHDRAWN** on 2026-11-22: another job ran there")
    again = bring(entry, withdrawn(), by_sync=by_sync)
    assert (again.run_id, again.outcome) == (run.info.run_id, "unchanged")
    assert len(runs_of(client, entry, ViewType.ALL)) == 1


def test_a_withdrawn_run_that_somebody_brings_back_is_deleted_again(client, bring, tmp_path):
    entry = save(tmp_path)
    result = bring(entry, withdrawn())
    client.restore_run(result.run_id)
    assert bring(entry, withdrawn()).run_id == result.run_id
    assert runs_of(client, entry, ViewType.ACTIVE_ONLY) == []


def test_a_run_that_was_deleted_by_hand_says_why_only_after_a_retraction(client, bring, tmp_path):
    entry = save(tmp_path)
    client.delete_run(bring(entry).run_id)
    bring(entry, withdrawn())
    assert runs_of(client, entry, ViewType.ACTIVE_ONLY) == []
    assert sorted("perfdb.retracted" in r.data.tags for r in runs_of(client, entry, ViewType.ALL)) == [False, True]


def test_a_retraction_that_is_gone_from_the_registry_lets_the_run_come_back(client, bring, tmp_path):
    entry = save(tmp_path)
    bring(entry, withdrawn())
    bring(entry)
    (run,) = runs_of(client, entry, ViewType.ACTIVE_ONLY)
    assert run.data.tags["perfdb.validity"] == "valid"
    assert bring(entry).outcome == "unchanged"


def test_a_sync_that_ended_between_the_tags_and_the_deletion_is_completed(client, bring, tmp_path):
    entry = save(tmp_path)
    half = bring(entry, withdrawn())
    client.restore_run(half.run_id)  # all tags are there, the run is not deleted
    assert bring(entry, withdrawn(), by_sync=False).outcome == "updated"
    assert runs_of(client, entry, ViewType.ACTIVE_ONLY) == []


@pytest.mark.parametrize("fresh", [True, False])
def test_annotations_are_at_the_run_and_what_is_said_no_more_goes(client, bring, tmp_path, fresh):
    entry = save(tmp_path)
    first = None if fresh else bring(entry)
    both = Remarks(annotations=annotated().annotations + annotated(note="in the paper", number=3).annotations)
    result = bring(entry, both)
    assert fresh or (result.run_id, result.outcome) == (first.run_id, "updated")
    tags = client.get_run(result.run_id).data.tags
    assert tags["perfdb.annotation.1"] == "2026-11-22T09:30:00.000000Z: a new switch"
    assert tags["perfdb.annotation.2"].endswith("in the paper")
    assert tags["perfdb.tag.figure"] == "3"
    assert "- 2026-11-22: a new switch" in tags["mlflow.note.content"]
    assert bring(entry, both).outcome == "unchanged"
    client.set_tag(result.run_id, "mine", "stays")
    assert bring(entry, annotated(tags=None)).outcome == "updated"
    tags = client.get_run(result.run_id).data.tags
    assert not {"perfdb.annotation.2", "perfdb.tag.figure"} & set(tags)
    assert tags["mine"] == "stays"
    assert bring(entry).outcome == "updated"
    assert not any(map(is_remarked, client.get_run(result.run_id).data.tags))


def test_without_remarks_nothing_of_what_is_sent_changes():
    assert not any(map(is_remarked, payload_of(make_record()).tags))


def test_the_tags_of_an_imported_run_are_tags():
    tags = payload_of(make_record(tags={"owner": "team 3", "figure": "1"}), annotated()).tags
    assert (tags["perfdb.tag.owner"], tags["perfdb.tag.figure"]) == ("team 3", "3")


def test_what_people_say_draws_no_link_and_no_html_on_a_runs_page():
    hostile = "<img src=x> [x](http://x.example/y)\n# headline"
    for remarks in (withdrawn(reason=hostile), annotated(note=hostile)):
        text = note(make_record(), remarks).split("To see it whole")[0]
        assert "<img" not in text
        assert "http://" not in text
        assert not any(line.startswith("# ") for line in text.splitlines())


def test_the_note_tells_that_a_baseline_was_reset():
    assert "What came before is no measure for it" in note(make_record(), annotated(resets_baseline=True))
    assert "What came before" not in note(make_record(), annotated())

"""When a record needs nothing more."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from perfdb.registry.remarks import NO_REMARKS
from perfdb.tracking.door import connect
from perfdb.tracking.mapping import COMPLETE
from perfdb.tracking.mirror import mirror_record
from perfdb.tracking.seen import SeenRun, glance, settled
from tests.tracking.records import save
from tests.tracking.remarks import annotated, withdrawn

WHOLE = SeenRun("a" * 16, "run", "1", COMPLETE, None, retracted=False, deleted=False)
GONE = replace(WHOLE, retracted=True, deleted=True, remarks="anything")


@pytest.mark.parametrize(
    ("runs", "remarks", "enough"),
    [
        ([], NO_REMARKS, False),
        ([WHOLE], NO_REMARKS, True),
        ([replace(WHOLE, state="1:begun")], NO_REMARKS, False),
        ([replace(WHOLE, state="0:complete")], NO_REMARKS, False),
        ([WHOLE, WHOLE], NO_REMARKS, False),
        ([replace(WHOLE, deleted=True)], NO_REMARKS, False),
        ([WHOLE, replace(WHOLE, deleted=True)], NO_REMARKS, True),
        ([WHOLE], annotated(), False),
        ([replace(WHOLE, remarks="old")], annotated(), False),
        ([replace(WHOLE, remarks=annotated().mark)], annotated(), True),
        ([replace(WHOLE, remarks="old")], NO_REMARKS, False),
        ([WHOLE], withdrawn(), False),
        ([replace(WHOLE, remarks=withdrawn().mark, retracted=True)], withdrawn(), False),
        ([GONE], withdrawn(), True),
        ([GONE, WHOLE], withdrawn(), False),
        ([replace(WHOLE, deleted=True)], withdrawn(), False),
        ([replace(GONE, state="1:begun")], withdrawn(), False),
        ([GONE], NO_REMARKS, False),
    ],
)
def test_a_record_is_done_with_when_one_whole_run_shows_it_and_what_is_said_about_it(runs, remarks, enough):
    assert (settled(runs, remarks) is not None) is enough


def test_a_glance_sees_what_mlflow_was_told(sqlite, tmp_path):
    client, entries = connect(sqlite, wait_s=5), [save(tmp_path) for _ in range(3)]
    results = [
        mirror_record(client, sqlite, e.record, e.folder, wait_s=5, remarks=remarks)
        for e, remarks in zip(entries, (NO_REMARKS, annotated(), withdrawn()), strict=True)
    ]
    ids = [entry.record.record_id for entry in entries]
    seen = glance(sqlite.database, ids, wait_s=5)
    assert [seen[i] for i in ids] == [[SeenRun.of(client.get_run(result.run_id))] for result in results]
    assert {i: seen[i] for i in ids} == {i: r for i, r in glance(sqlite.database, wait_s=5).items() if i in ids}


@pytest.mark.parametrize("content", [None, b"", b"this is no database" * 100])
def test_a_file_that_is_no_database_of_mlflows_is_an_error_and_is_left_as_it_is(tmp_path, content):
    path = tmp_path / "mlflow.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(sqlite3.Error):
        glance(path, wait_s=1)
    assert path.exists() == (content is not None)
    assert content is None or path.read_bytes() == content

"""Records of other versions: older ones read for ever, newer ones say what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perfdb.errors import NewerRecordError, RecordError
from perfdb.record import canonical_bytes, parse_record, record_id_of
from perfdb.record.versions import MIGRATIONS, SCHEMA_VERSION
from tests.tracking.records import make_record

KEPT = sorted((Path(__file__).parent / "kept").glob("v*/*.json"))


def spelled(document: dict[str, object]) -> bytes:
    body = {key: value for key, value in document.items() if key != "record_id"}
    return canonical_bytes({**body, "record_id": record_id_of(body)})


def as_version_0(document: dict[str, object]) -> dict[str, object]:
    """A made-up older form, in which the machine's label stood alone."""
    body = {key: value for key, value in document.items() if key != "environment"}
    return {**body, "schema_version": 0, "machine": document["environment"]["machine"]}


def from_version_0(document: dict[str, object]) -> dict[str, object]:
    body = {key: value for key, value in document.items() if key != "machine"}
    return {**body, "environment": {"machine": document["machine"], "workers": []}}


def test_there_are_kept_records_of_every_version_and_the_way_from_each_is_known():
    assert {f"v{version}" for version in range(1, SCHEMA_VERSION + 1)} == {path.parent.name for path in KEPT}
    assert set(range(1, SCHEMA_VERSION)) == set(MIGRATIONS)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_record_that_was_kept_years_ago_reads_with_its_own_id(path):
    data = path.read_bytes()
    assert json.loads(data)["record_id"] == parse_record(data).record_id


def test_an_older_record_reads_as_todays_with_the_id_it_was_written_with():
    record = make_record(environment={"machine": "laptop-7f3a"})
    old = spelled(as_version_0(record.document()))
    read = parse_record(old, {0: from_version_0})
    assert json.loads(old)["record_id"] == read.record_id != record.record_id
    assert record.document() == {**read.document(), "record_id": record.record_id}


@pytest.mark.parametrize("change", [lambda d: d.replace(b"laptop", b"mylapt"), lambda d: d + b" "])
def test_an_older_record_that_was_altered_is_refused_before_it_is_migrated(change):
    old = spelled(as_version_0(make_record(environment={"machine": "laptop-7f3a"}).document()))
    with pytest.raises(RecordError, match="does not fit its id"):
        parse_record(change(old), {0: lambda document: pytest.fail("migrated")})


def test_what_a_migration_leaves_wrong_is_refused():
    old = spelled(as_version_0(make_record().document()))
    with pytest.raises(RecordError, match="environment: Field required"):
        parse_record(old, {0: lambda document: {k: v for k, v in document.items() if k != "machine"}})


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 99])
def test_a_newer_record_says_to_update_perfdb(version):
    newer = spelled({**make_record().document(), "schema_version": version, "news": [1]})
    with pytest.raises(NewerRecordError, match=f"version {version}.*update perfdb"):
        parse_record(newer)


@pytest.mark.parametrize("version", [0, -1, True, 1.5, "2", None, [2]])
def test_a_version_that_never_was_is_refused_as_no_record(version):
    with pytest.raises(RecordError, match=r"schema_version: Input should be 1|does not fit its id"):
        parse_record(spelled({**make_record().document(), "schema_version": version}))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"schema_version":2' + b"[" * 10**6, b'{"a":1,"a":2}']
)
def test_what_is_no_record_is_refused_in_words(data):
    with pytest.raises(RecordError):
        parse_record(data)

"""One value has one spelling, whoever writes it and however often it is read."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.errors import RecordError
from perfdb.record import Record, canonical_bytes, fingerprint, record_id_of
from perfdb.record.canonical import sealed_bytes
from tests.record.strategies import records
from tests.tracking.records import make_record


@given(records)
def test_a_record_reads_back_to_the_same_bytes_and_the_same_id(record):
    again = Record.model_validate_json(record.to_bytes())
    assert again.to_bytes() == record.to_bytes()
    assert record_id_of(again.document()) == record.record_id


@given(records)
def test_any_json_parser_reads_back_the_same_bytes(record):
    assert canonical_bytes(json.loads(record.to_bytes(), parse_int=float)) == record.to_bytes()


@given(st.dictionaries(st.text("abcé\U0001f600"), st.integers(-9, 9)))
def test_the_order_of_keys_changes_nothing(document):
    backwards = dict(reversed(document.items()))
    assert canonical_bytes(document) == canonical_bytes(backwards)
    assert fingerprint(document) == fingerprint(backwards)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 2**53, -(2**53), 10**400, "\ud800", {"\udfff": 1}, {1: 2}, {1, 2}, b"x"]
)
def test_what_json_cannot_say_exactly_is_refused(value):
    with pytest.raises(RecordError, match=r"no canonical JSON form: .+2\*\*53"):
        canonical_bytes({"here": value})


def test_nesting_without_end_is_refused():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(RecordError):
        canonical_bytes(deep)


@pytest.mark.parametrize("number", [1e16, float(2**53), 1e20, -1e18, 1e21, 1e300])
def test_a_large_float_among_the_params_can_be_read_again(number):
    record = make_record(params={"provider.big": number})
    assert Record.model_validate_json(record.to_bytes()).to_bytes() == record.to_bytes()


@pytest.mark.parametrize("number", [2**53, 10**400, math.nan, math.inf])
def test_a_param_that_json_cannot_say_exactly_makes_no_record(number):
    with pytest.raises(RecordError):
        make_record(params={"provider.big": number})


CHANGES = {
    "family": "autoscale",
    "experiment": "other",
    "run_name": "other",
    "status": "failed",
    "reason": "because",
    "started_at": "2026-11-21T02:28:00.000001Z",
    "ended_at": "2026-11-21T03:28:00.000001Z",
    "duration_s": 33.6,
    "spec": {"time_s": 6, "reps": 3},
    "params": {"executor.class": "ThreadPoolExecutor"},
    "config": None,
    "environment": {"machine": "laptop-7f3b"},
    "code": {"perfdb_version": "0.1.1"},
    "metrics": (),
    "checks": (),
    "findings": (),
    "samples": ({"file": "samples.parquet", "sha256": "d" * 64, "bytes": 1, "rows": 1, "columns": ("x",)},),
    "artifacts": ({"file": "artifacts/a.log", "sha256": "d" * 64, "bytes": 1},),
    "origin": {"kind": "imported"},
    "tags": {"note": "x"},
    "overrides": {"provider.max_blocks": 4},
    "sitting": {"uuid": "a" * 32, "turns": (1, 4)},
    "reproduces": "b" * 16,
}


def test_the_changes_below_are_of_every_field():
    assert set(CHANGES) == set(Record.model_fields) - {"schema_version", "record_id"}


@pytest.mark.parametrize("field", CHANGES)
def test_the_id_changes_with_every_field(field):
    plain = make_record(run_name="plain")
    changed = make_record(**{"run_name": "plain", field: CHANGES[field]})
    assert changed.record_id != plain.record_id


def test_the_id_does_not_depend_on_itself():
    record = make_record()
    assert record_id_of({**record.document(), "record_id": "0" * 16}) == record.record_id


@given(records)
def test_a_record_is_spelled_alike_in_one_go_and_in_two(record):
    assert (record.to_bytes(), record_id_of(record.document())) == sealed_bytes(record.document())

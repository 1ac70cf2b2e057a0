"""The published JSON Schemas say what a record looks like to those who read records without perfdb."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given

from perfdb.record import Annotation, Retraction
from tests.record.strategies import records

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
KEPT = sorted((Path(__file__).parents[1] / "record" / "kept").glob("*/*.json"))


def checker(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((REFERENCE / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


RECORD = checker("record")


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_kept_records_fit_the_schema(path):
    RECORD.validate(json.loads(path.read_bytes()))


@given(records)
def test_every_record_fits_the_schema(record):
    RECORD.validate(json.loads(record.to_bytes()))


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"status": "fine"},
        {"surprise": 1},
        {"experiment": "../up"},
        {"experiment": "123"},
        {"duration_s": -1},
        {"metrics": [{"name": "x"}]},
    ],
    ids=str,
)
def test_what_is_no_record_does_not_fit_the_schema(change):
    document = json.loads(KEPT[0].read_bytes())
    assert not RECORD.is_valid({**document, **change})


def test_remarks_fit_their_schemas():
    at = datetime(2026, 11, 21, tzinfo=UTC)
    known = {"uuid": "0" * 32, "at": at}
    retraction = Retraction(**known, record_id="a" * 16, reason="the node was shared")
    annotation = Annotation(**known, record_ids=("a" * 16,), note="new switch", tags={"figure": "3"})
    checker("retraction").validate(json.loads(retraction.to_bytes()))
    checker("annotation").validate(json.loads(annotation.to_bytes()))

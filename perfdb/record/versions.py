"""Records of every schema version that ever was, read as today's. Pure.

A record's id, and its one spelling, are those of the version that it was written in: both are checked on the document as
it stands, before any step of a migration. After one, `record.record_id` is still the id that it was written with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from perfdb.errors import NewerRecordError, RecordError
from perfdb.record.canonical import canonical_bytes, record_id_of, sealed_bytes
from perfdb.record.model import SCHEMA_VERSION, Record

Document = dict[str, Any]
Migration = Callable[[Document], Document]
# From a version to the next one. A step is a pure function that may rename and default, but never guess.
# Version 1 is the first, so there is none yet.
MIGRATIONS: Mapping[int, Migration] = {}
_ALTERED = "its content does not fit its id: it was changed after it was written"


def parse_record(data: bytes, migrations: Mapping[int, Migration] = MIGRATIONS) -> Record:
    """The record that these bytes spell, of whatever version.

    Args:
        migrations: From each older version to the next.

    Raises:
        NewerRecordError: they spell one of a newer version.
        RecordError: they spell none, or not in the one canonical way, or its id is not its own. The message begins with
            the field or the fault, and names no file.
    """
    try:
        record = Record.model_validate_json(data)
    except ValidationError as error:
        return _of_another_version(data, error, migrations)
    if sealed_bytes(record.document()) != (data, record.record_id):
        raise RecordError(_ALTERED)
    return record


def _of_another_version(data: bytes, refusal: ValidationError, migrations: Mapping[int, Migration]) -> Record:
    try:
        document = json.loads(data)
        version = document["schema_version"]
    except (ValueError, TypeError, KeyError, RecursionError):
        version = SCHEMA_VERSION
    if (
        type(version) is not int
        or version == SCHEMA_VERSION
        or (version < SCHEMA_VERSION and version not in migrations)
    ):
        raise RecordError(_first(refusal)) from refusal
    if version > SCHEMA_VERSION:
        raise NewerRecordError(
            f"schema_version: it is a record of version {version}, and this perfdb knows {SCHEMA_VERSION} and older: "
            "update perfdb"
        ) from refusal
    if canonical_bytes(document) != data or record_id_of(document) != document.get("record_id"):
        raise RecordError(_ALTERED) from refusal
    for step in range(version, SCHEMA_VERSION):
        document = {**migrations[step](document), "schema_version": step + 1}
    try:
        return Record.model_validate_json(canonical_bytes(document))
    except ValidationError as error:
        raise RecordError(_first(error)) from error


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "the document"
    return f"{field[:200]}: {first['msg'][:500]}"

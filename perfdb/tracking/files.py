"""Which files of a record go to MLflow: the ones it names, as it describes them, and nothing that a link points to."""

from __future__ import annotations

import hashlib
from pathlib import Path

from perfdb.errors import RecordError
from perfdb.record import Record

RECORD_FILE = "record.json"


def files_of(record: Record, folder: Path) -> list[Path]:
    """The record's files; every one was read and is what the record says.

    A record may come from a stranger: a link in its folder must not carry one of our files out.

    Raises:
        RecordError: one is missing, is a link, or has other content.
    """
    named = {sample.file: sample.sha256 for sample in record.samples}
    named |= {artifact.file: artifact.sha256 for artifact in record.artifacts}
    expected = {**named, RECORD_FILE: hashlib.sha256(record.to_bytes()).hexdigest()}
    return [_checked(folder, name, sha256) for name, sha256 in expected.items()]


def _checked(folder: Path, name: str, sha256: str) -> Path:
    path = folder / name
    if path.resolve() != folder.resolve() / name or not path.is_file():
        raise RecordError(f"{path} is missing or is a link. Restore the record from git; `perfdb sync` then sends it.")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise RecordError(
            f"{path} was changed after its record was written. Restore it from git; `perfdb sync` then sends it."
        )
    return path

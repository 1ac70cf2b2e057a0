"""The files that a family's runs give besides the record: made anew from the journal, so a crash costs none of them."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from perfdb.errors import RegistryError
from perfdb.families import FAMILIES
from perfdb.families.base import Around
from perfdb.record import Record
from perfdb.registry import Journal
from perfdb.registry.durable import put_new
from perfdb.runner.assemble import child_runs
from perfdb.runner.nearby import texts_of
from perfdb.runner.request import RunRequest


def check_writable(folder: Path) -> None:
    """Find out before a measurement, not after it, that its files could not be written there.

    Raises:
        RegistryError: they can't be; says what to do.
    """
    probe = folder / f".perfdb-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise RegistryError(
            f"{folder} cannot be written to: {_why(error)}. Nothing was measured. Name another folder with --output-dir."
        ) from error


def write_outputs(request: RunRequest, record: Record, journal: Journal) -> Path | None:
    """Write them into the folder that was asked for, each whole or not at all; returns where, None where none were asked for.

    Where another run was first, they go into a folder below it that has the record's name.

    Raises:
        RegistryError: they can't be written; the record is safe, and `perfdb sync` tries again.
    """
    family, asked = FAMILIES[request.family], request.output_dir
    if family.outputs is None or asked is None:
        return None
    spec, around = family.spec.model_validate(request.spec), _around(family.outputs.reads)
    made = family.outputs.make(spec, request.target, record, child_runs(journal), around)
    try:
        for folder in (asked, asked / record.record_id):
            folder.mkdir(parents=True, exist_ok=True)
            if all(put_new(folder / name, data) for name, data in made.items()):
                return folder
    except OSError as error:
        raise _not_written(asked, _why(error), journal) from error
    raise _not_written(asked, "other files stand in their place", journal)


def _around(names: Sequence[str]) -> Around:
    return Around(tuple(sys.argv), dict(os.environ), texts_of(names))


def _why(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _not_written(folder: Path, why: str, journal: Journal) -> RegistryError:
    return RegistryError(
        f"the run's own files could not be written to {folder}: {why}. The record is safe; mend that, then `perfdb sync` "
        f"writes them, or go without them: remove {journal.path}."
    )

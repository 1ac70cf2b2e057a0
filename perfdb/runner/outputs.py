"""The files that a family's runs give besides the record: made anew from the journal, so a crash costs none of them."""

from __future__ import annotations

from pathlib import Path

from perfdb.families import FAMILIES
from perfdb.record import Record
from perfdb.registry import Journal
from perfdb.registry.durable import cannot_write, replace
from perfdb.runner.assemble import child_runs
from perfdb.runner.request import RunRequest


def write_outputs(request: RunRequest, folder: Path, record: Record, journal: Journal) -> None:
    """Write them into the folder, each whole or not at all.

    Raises:
        RegistryError: it can't be written; the record is safe, and `perfdb sync` tries again.
    """
    family = FAMILIES[request.family]
    if family.outputs is None:
        return
    made = family.outputs.make(family.spec.model_validate(request.spec), request.target, record, child_runs(journal))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in made.items():
            replace(folder / name, data)
    except OSError as error:
        raise cannot_write(
            folder, error, "The record is safe; mend that, then `perfdb sync` writes these files."
        ) from error

"""What others measured, as records: one importer for each kind of source."""

from collections.abc import Mapping

from perfdb.registry.importers import archive, fluence, openenv, server, table
from perfdb.registry.importers.definitions import CSV, DEFINITIONS, FLUENCE, MLFLOW, OPENENV, PARSL_PERF
from perfdb.registry.importers.imported import Imported, Importer, Options, Part, Skipped
from perfdb.registry.importers.judging import Validator
from perfdb.registry.importers.saving import Judge, Saved, save_all

IMPORTERS: Mapping[str, Importer] = {
    PARSL_PERF: archive.read,
    MLFLOW: server.read,
    OPENENV: openenv.read,
    FLUENCE: fluence.read,
    CSV: table.read,
}

__all__ = [
    "DEFINITIONS",
    "IMPORTERS",
    "Imported",
    "Judge",
    "Options",
    "Part",
    "Saved",
    "Skipped",
    "Validator",
    "save_all",
]

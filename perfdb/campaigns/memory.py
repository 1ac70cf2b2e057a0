"""What a bisection has measured, kept so that it goes on after an interruption and never measures the same twice."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from perfdb.campaigns.sitting import Place
from perfdb.errors import RecordError
from perfdb.record import Record
from perfdb.registry.durable import cannot_write, replace
from perfdb.registry.remarks import retractions_of
from perfdb.registry.store import read_record


class _Sitting(BaseModel):
    """A sitting that is over: the folder of each name's record, relative to the registry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uuid: str
    folders: dict[str, str]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sittings: tuple[_Sitting, ...] = ()


@dataclass(frozen=True)
class Sitting:
    """Names that took turns, each with its record."""

    uuid: str
    records: dict[str, Record]


class Memory:
    """The sittings of one bisection, in a file of its own.

    Args:
        path: Where; it need not be there.
        registry: The records' root.
    """

    def __init__(self, path: Path, registry: Path) -> None:
        self.path = path
        self.registry = registry
        self.sittings: list[Sitting] = []
        self._kept = _Kept()
        with contextlib.suppress(OSError, ValidationError):  # none yet, or another perfdb's: then all is measured
            self._kept = _Kept.model_validate_json(path.read_bytes())
        withdrawn = retractions_of(registry) if self._kept.sittings else {}
        for sitting in self._kept.sittings:
            with contextlib.suppress(OSError, RecordError):  # its records were removed
                records = {name: _read(registry, folder) for name, folder in sitting.folders.items()}
                if not any(record.record_id in withdrawn for record in records.values()):
                    self.sittings.append(Sitting(sitting.uuid, records))

    def knows(self, uuid: str) -> bool:
        """Whether that sitting is over and kept."""
        return any(sitting.uuid == uuid for sitting in self._kept.sittings)

    def add(self, uuid: str, places: Mapping[str, Place]) -> None:
        """Keep a sitting that has just ended.

        Args:
            places: By name.

        Raises:
            RegistryError: it can't be written; the records themselves are safe.
        """
        outcomes = {name: place.outcome for name, place in places.items() if place.outcome is not None}
        folders = {name: str(outcome.folder.relative_to(self.registry)) for name, outcome in outcomes.items()}
        kept = _Kept(sittings=(*self._kept.sittings, _Sitting(uuid=uuid, folders=folders)))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace(self.path, kept.model_dump_json().encode())
        except OSError as error:
            raise cannot_write(self.path, error, "The records themselves are safe.") from error
        self._kept = kept
        self.sittings.append(Sitting(uuid, {name: outcome.record for name, outcome in outcomes.items()}))

    def forget(self) -> None:
        """Begin anew; the records stay."""
        with contextlib.suppress(OSError):
            self.path.unlink()
        self._kept, self.sittings = _Kept(), []


def _read(registry: Path, folder: str) -> Record:
    path = (registry / folder).resolve()
    if not path.is_relative_to(registry.resolve()):
        raise RecordError(f"{folder} lies outside of the registry. Remove the file that names it.")
    return read_record(path / "record.json")

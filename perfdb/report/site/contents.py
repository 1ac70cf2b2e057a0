"""What a site shows: its records, light enough to hold ten thousand of them, and what is said about each."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from perfdb.errors import RecordError, RegistryError
from perfdb.record import Metric, Record
from perfdb.registry.index.versions import version_key
from perfdb.registry.remarks import NO_REMARKS, Remarks, remarks_of
from perfdb.registry.store import RECORD_FILE, read_record
from perfdb.report.site.meanings import headline

Progress = Callable[[str, int, int], None]
# Often enough to look alive.
STRIDE = 500


# A file's size, inode and time of change: as long as they are the same, so is the file.
Mark = tuple[int, int, int]


@dataclass(frozen=True)
class Item:
    """One record as the site's lists know it.

    Attributes:
        record: Without the metrics of single iterations, and of the others only those that stand for it.
        folder: Relative to the registry.
    """

    record: Record
    folder: str
    remarks: Remarks
    mark: Mark

    @property
    def id(self) -> str:
        """The record's."""
        return self.record.record_id

    @property
    def machine(self) -> str:
        """Its label."""
        return self.record.environment.machine

    @property
    def config(self) -> str:
        """The config's name; "" where none loaded or the record was imported."""
        return self.record.config.name if self.record.config else ""

    @property
    def version(self) -> str:
        """Of the Parsl that was measured, else of the first thing that was; "" where the record names none."""
        measured = self.record.code.measured
        return measured.get("parsl") or next((v for k, v in sorted(measured.items()) if k != "parsl_source"), "")

    @property
    def imported(self) -> bool:
        """Whether others measured it."""
        return self.record.origin.kind == "imported"

    @property
    def withdrawn(self) -> bool:
        """Whether somebody retracted it."""
        return self.remarks.retraction is not None

    @property
    def counts(self) -> bool:
        """Whether its numbers may stand in a comparison."""
        return self.record.status == "ok" and not self.withdrawn

    @property
    def month(self) -> str:
        """In which it began, such as 2026-11."""
        return self.record.started_at.strftime("%Y-%m")

    @functools.cached_property
    def first(self) -> Metric | None:
        """The one metric that stands for it."""
        return next(iter(self.record.metrics), None)


@dataclass(frozen=True)
class Contents:
    """Everything that a site is made of, newest record first."""

    title: str
    root: Path
    items: tuple[Item, ...]
    faults: tuple[RecordError, ...]
    query: str | None

    @functools.cached_property
    def by_id(self) -> Mapping[str, Item]:
        """Every record by its id."""
        return {item.id: item for item in self.items}

    @functools.cached_property
    def newest_at(self) -> datetime | None:
        """When the newest record ended: the only time that a page tells, so that equal registries give equal pages."""
        return max((item.record.ended_at for item in self.items), default=None)

    @functools.cached_property
    def sittings(self) -> Mapping[str, tuple[Item, ...]]:
        """The records of each sitting, in the order of their first turns."""
        found: dict[str, list[Item]] = defaultdict(list)
        for item in self.items:
            if item.record.sitting is not None:
                found[item.record.sitting.uuid].append(item)
        return {
            uuid: tuple(sorted(items, key=lambda i: (i.record.sitting.turns if i.record.sitting else (), i.id)))
            for uuid, items in found.items()
        }

    @functools.cached_property
    def reproductions(self) -> Mapping[str, tuple[Item, ...]]:
        """By record id, the records that did it again."""
        found: dict[str, list[Item]] = defaultdict(list)
        for item in self.items:
            if item.record.reproduces:
                found[item.record.reproduces].append(item)
        return {record_id: tuple(items) for record_id, items in found.items()}

    def grouped(self, name: Callable[[Item], str]) -> dict[str, list[Item]]:
        """The records under each name, names in order."""
        found: dict[str, list[Item]] = defaultdict(list)
        for item in self.items:
            found[name(item)].append(item)
        return dict(sorted(found.items()))


def read_contents(
    root: Path,
    folders: Sequence[str],
    *,
    title: str,
    query: str | None,
    faults: Iterable[RecordError],
    progress: Progress,
) -> Contents:
    """Read records, each once.

    Args:
        root: The registry.
        folders: Of the records, relative to it.
        faults: What is wrong with records that were chosen and could not be read.
        progress: Told what is done, how far it is, and of how much.
    """
    remarks = remarks_of(root)
    items, found = [], list(faults)
    for number, folder in enumerate(folders, 1):
        try:
            mark = _mark(root / folder / RECORD_FILE)
            record = read_record(root / folder / RECORD_FILE)
        except RecordError as error:
            found.append(error)
            continue
        items.append(Item(_light(record), folder, remarks.get(record.record_id, NO_REMARKS), mark))
        if number % STRIDE == 0:
            progress("read", number, len(folders))
    # All runs of a sitting begin at one time.
    items.sort(key=lambda i: (i.record.started_at, version_key(i.version) or "", i.config, i.id), reverse=True)
    return Contents(title, root, tuple(items), tuple(found), query)


def read_again(path: Path, mark: Mark) -> Record:
    """A record that was read, and found to be what its id says, a moment ago.

    Raises:
        RegistryError: it is no longer the same file.
    """
    try:
        if _mark(path) == mark:
            return Record.model_validate_json(path.read_bytes())
    except ValidationError:
        return read_record(path)  # of an older schema
    except (OSError, RecordError):
        pass
    raise RegistryError(f"{path} changed while the report was made: type the same command again.")


def _mark(path: Path) -> Mark:
    try:
        status = path.lstat()
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}.") from error
    return status.st_size, status.st_ino, status.st_mtime_ns


def _light(record: Record) -> Record:
    """The record with as little as pages about many of them need."""
    return record.model_copy(
        update={
            "metrics": tuple(headline(record)),
            "samples": (),
            "checks": tuple(c for c in record.checks if not c.passed),
        }
    )

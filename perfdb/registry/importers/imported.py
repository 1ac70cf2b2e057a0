"""What importers read, and what they give: records with their files, and what could not be read, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfdb.record import Record, Retraction
from perfdb.redaction import Identity


@dataclass(frozen=True)
class Imported:
    """One run of the source as a record.

    Attributes:
        record: Sealed, and a function of the source and the options alone.
        files: What belongs beside it, by name relative to the record's folder.
        retraction: For a run that its source calls deleted.
    """

    record: Record
    files: Mapping[str, bytes]
    retraction: Retraction | None = None


@dataclass(frozen=True)
class Skipped:
    """A part of the source that gives no record.

    Attributes:
        where: File and line, or the run, below the source.
        why: To be read after `where` and a colon.
        own: It is perfdb's own mirror of a record, so leaving it out is no fault.
    """

    where: str
    why: str
    own: bool = False


Part = Imported | Skipped


@dataclass(frozen=True)
class Options:
    """How to import.

    Attributes:
        machine: The label for records whose source names no machine; None is `imported-<kind>`.
        experiment: What to file records under; None is for the importer to say.
        mapping: The mapping file of a table.
        date: The day of runs whose source has no instant.
        identity: Whose names to mask, beside those that the source itself calls users.
        fetch: From a tracking URI to its runs, as `perfdb.tracking.reading` gives them; for `mlflow` alone.
    """

    machine: str | None = None
    experiment: str | None = None
    mapping: Path | None = None
    date: dt.date | None = None
    identity: Identity = field(default_factory=Identity)
    fetch: Callable[[str], Iterator[Mapping[str, Any]]] | None = None


Importer = Callable[[str, Options], Iterator[Part]]

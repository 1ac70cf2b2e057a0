"""What the words of `perfdb compare` mean: records, a machine, a Parsl version, a config, or a query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perfdb.errors import RecordError, UsageError

if TYPE_CHECKING:
    from perfdb.compare.between import Chosen
    from perfdb.record import Record
    from perfdb.registry.index import Found, Index
    from perfdb.registry.index.columns import Catalogue
    from perfdb.registry.index.language import Node

_RESERVED = frozenset({"and", "or", "not", "in", "like", "is", "null"})
_WORD = re.compile(r"[\w.+!-]+(,[\w.+!-]*)*")
_IDS = re.compile(r"[0-9a-f]{1,16}(,[0-9a-f]{1,16})*,?")
_PARSL = re.compile(r"parsl==(?P<version>[\w.+!-]+)")
_PREFIXED = ("param.", "spec.", "scheduler_settings.")
# Columns of the index that are dimensions, under what the dimension is called; the rest of them are none.
_DIMENSIONS = {
    "fingerprint": "params",
    "source_kind": "origin",
    "measured.parsl": "parsl_version",
    "measured.parsl_source": "parsl_source",
    **{
        name: name
        for name in (
            "config",
            "family",
            "machine",
            "machine_fingerprint",
            "origin",
            "parsl_version",
            "perfdb_version",
            "scheduler",
            "scheduler_version",
        )
    },
}


@dataclass(frozen=True)
class Reading:
    """One thing that a side's word can mean: the query that says it without doubt, and what it compares."""

    what: str
    query: str
    compared: tuple[str, ...]


class Sides:
    """Looks sides up in a registry; each record is read once, however many sides it is on.

    Args:
        where: A query that every side is narrowed by.
        what: What the query leaves, for a sentence, where it is not the user's own.

    Attributes:
        faults: What is wrong with the records that could not be read.
    """

    def __init__(self, root: Path, index: Index, where: str | None = None, what: str = "") -> None:
        self._root = root
        self._index = index
        self._where = where
        self._what = what
        self._records: dict[str, Record] = {}
        every = index.search(retracted=True)
        self._catalogue: Catalogue = every.view.catalogue
        self._known = {
            name: frozenset(map(str, filter(None, every.values(every.columns([name])[0]))))
            for name in ("record_id", "machine", "parsl_version", "config")
        }
        self.faults: list[RecordError] = list(every.faults)
        self.remark = every.remark

    def chosen(self, text: str) -> Chosen:
        """The records that a side names.

        Raises:
            UsageError: it names none, or may mean several things.
        """
        from perfdb.compare.between import Chosen

        reading = self._reading(text)
        query = f"({reading.query}) and ({self._where})" if self._where else reading.query
        found = self._index.search(query, retracted=True)
        if not found.total:
            told = f"the side {text!r} finds no record" + (f" that {self._where!r} leaves" if self._where else "")
            if self._what:
                told = f"no {self._what} matches {text!r}"
            raise UsageError(f"{told}. `perfdb list` with a query shows what there is.")
        records = list(self._read(found))
        withdrawn = self._withdrawn(found)
        return Chosen(text, records, reading.compared, withdrawn)

    def _reading(self, text: str) -> Reading:
        word = text.strip()
        parsl = _PARSL.fullmatch(word)
        if parsl is not None:
            return Reading("a Parsl version", f"parsl_version == {_quoted(parsl['version'])}", ("parsl_version",))
        if not _WORD.fullmatch(word):
            return self._query(word)
        readings = list(self._readings(word))
        if len(readings) == 1:
            return readings[0]
        if readings:
            told = " or ".join(f"{reading.what} ({reading.query})" for reading in readings)
            raise UsageError(f"{word!r} can be {told}: type the one that is meant, in quotes for the shell.")
        raise UsageError(
            f"{word!r} is no record's id, no machine, no Parsl version and no config of any record here. Sides are any of "
            "these, or queries such as 'parsl_version == 2025.8.4 and machine == hopper'. A run that was named is a query too: "
            f"\"name == '{word}'\". `perfdb list` shows the records."
        )

    def _readings(self, word: str) -> Iterator[Reading]:
        if _IDS.fullmatch(word):
            prefixes = [prefix for prefix in word.split(",") if prefix]
            ids = [sorted(i for i in self._known["record_id"] if i.startswith(prefix)) for prefix in prefixes]
            if all(ids):
                if several := next((found for found in ids if len(found) > 1), None):
                    yield Reading(f"{len(several)} records", f"record_id in ({', '.join(several[:5])})", ())
                else:
                    what = "a record" if len(ids) == 1 else "records"
                    yield Reading(what, f"record_id in ({', '.join(found[0] for found in ids)})", ())
        if word in self._known["machine"]:
            yield Reading("a machine", f"machine == {_quoted(word)}", ("machine",))
        if word in self._known["config"]:
            yield Reading("a config", f"config == {_quoted(word)}", ("config",))
        if word in self._known["parsl_version"]:
            yield Reading("a Parsl version", f"parsl_version == {_quoted(word)}", ("parsl_version",))

    def _query(self, text: str) -> Reading:
        from perfdb.registry.index.language import parse_query

        names = (self._catalogue.resolve(name).name for name in _names(parse_query(text)))
        dimensions = (name if name.startswith(_PREFIXED) else _DIMENSIONS.get(name, _measured(name)) for name in names)
        return Reading("a query", text, tuple(dict.fromkeys(filter(None, dimensions))))

    def _read(self, found: Found) -> Iterator[Record]:
        from perfdb.registry.store import RECORD_FILE, read_record

        for folder in map(str, found.values(found.columns(["folder"])[0])):
            if folder not in self._records:
                try:
                    self._records[folder] = read_record(self._root / folder / RECORD_FILE)
                except RecordError as error:
                    self.faults.append(error)
                    continue
            yield self._records[folder]

    def _withdrawn(self, found: Found) -> frozenset[str]:
        columns = found.columns(["record_id", "retracted"])
        return frozenset(str(record_id) for record_id, retracted in found.rows(columns) if retracted)


def complete_side(incomplete: str) -> list[str]:
    """Machines, configs and ids, by the names of folders and files alone: nothing is read."""
    from perfdb.cli.found import config_files
    from perfdb.registry.index.listing import is_record_name, record_parents
    from perfdb.settings import load_settings

    settings = load_settings()
    parents = record_parents(settings.registry_path)
    machines = {parent.split("/")[1] for parent in parents}
    configs = {path.stem for path in config_files(settings.root)}
    names = [name for name in sorted(machines | configs) if name.startswith(incomplete)]
    if incomplete:
        ids = {name for names in parents.values() for name in names if is_record_name(name)}
        names += sorted(name for name in ids if name.startswith(incomplete))
    return names


def _names(node: Node) -> Iterator[str]:
    """The columns that a query asks about."""
    from perfdb.registry.index.language import AllOf, AnyOf, Not

    match node:
        case AllOf(items) | AnyOf(items):
            for item in items:
                yield from _names(item)
        case Not(inner):
            yield from _names(inner)
        case _:
            yield node.name


def _measured(name: str) -> str | None:
    return name if name.startswith("measured.") else None


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w.+-]+", text) and text.lower() not in _RESERVED else f"'{text}'"

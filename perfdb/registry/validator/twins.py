"""The same measurement under two ids, and the same id in two places."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from perfdb.record import Record
from perfdb.registry.store import RECORD_FILE
from perfdb.registry.validator.limits import LARGEST_RECORD_FILE
from perfdb.registry.validator.report import Findings
from perfdb.registry.validator.tree import Tree, Unreadable

_REMEDY = "leave one of the two out"
Key = tuple[str, ...]


class Twins:
    """Remembers each record that was seen."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._measurements: dict[Key, str] = {}

    def add(self, findings: Findings, folder: str, record: Record) -> None:
        """One more record, judged in this run."""
        there = self._ids.setdefault(record.record_id, folder)
        if there != folder:
            findings.add(f"{folder}/{RECORD_FILE}", "duplicate", f"{there} has the same id", _REMEDY, "record_id")
            return
        for key in _keys(record):
            there = self._measurements.setdefault(key, folder)
            if there != folder:
                problem = f"it is the same measurement as {there}, under another id"
                findings.add(f"{folder}/{RECORD_FILE}", "duplicate", problem, _REMEDY)
                return

    def known(self, tree: Tree, paths: Iterable[str]) -> None:
        """Records that were there before."""
        for path in paths:
            folder = path.rpartition("/")[0]
            self._ids.setdefault(folder.rpartition("/")[2], folder)
            try:
                data = tree.read(path, 32 * LARGEST_RECORD_FILE)
            except Unreadable:
                continue
            for key in _keys_of_document(data):
                self._measurements.setdefault(key, folder)


def _keys(record: Record) -> Iterator[Key]:
    return _keys_from(record.document())


def _keys_of_document(data: bytes) -> list[Key]:
    """Of a record that is accepted already, of whatever version."""
    try:
        return list(_keys_from(json.loads(data)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _keys_from(document: Mapping[str, Any]) -> Iterator[Key]:
    source = document["origin"].get("source_sha256")
    if source is not None and document["origin"].get("source_kind") is not None:
        yield ("imported", document["origin"]["source_kind"], source)
    else:
        duration = repr(float(document["duration_s"]))
        yield ("measured", document["environment"]["machine"], document["family"], document["started_at"], duration)

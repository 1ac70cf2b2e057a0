"""The columns of all parts together, and what was said about the records since: withdrawals and tags."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from perfdb.registry.index.arrays import array_of, arrow_types, integers
from perfdb.registry.index.columns import Catalogue, Key, added
from perfdb.registry.index.parts import Part
from perfdb.registry.index.rows import tag_cells

if TYPE_CHECKING:
    import pyarrow

RECORD_ID = Key("record_id", "t")
RETRACTED = Key("retracted", "b")
Tags = Mapping[str, Mapping[str, str]]


class View:
    """One table of everything, read column by column as it is asked for.

    Args:
        retracted: The ids of the records that were withdrawn.
        tags: By record id, the tags that annotations give it; they stand for the record's own of that name.
    """

    def __init__(self, parts: Sequence[Part], retracted: frozenset[str], tags: Tags) -> None:
        self.parts = parts
        self.retracted = retracted
        self.tags = tags
        self.rows = sum(len(part.folders) for part in parts)
        self._cells = {record_id: _cells(given) for record_id, given in tags.items()}
        self._columns: dict[Key, Any] = {}
        said: dict[Key, int] = {RETRACTED: self.rows}
        for cells in self._cells.values():
            for key in cells:
                said[key] = said.get(key, 0) + 1
        self.catalogue = Catalogue(added([*(part.counts for part in parts), said]))

    def column(self, key: Key) -> pyarrow.ChunkedArray:
        """A column, one value a row."""
        self._read([key])
        return self._columns[key]

    def table(self, names: Mapping[Key, str]) -> pyarrow.Table:
        """Columns under the names that are given them, and the number of each row as `row`."""
        import pyarrow

        self._read(names)
        return pyarrow.table({"row": self._numbers, **{name: self._columns[key] for key, name in names.items()}})

    @functools.cached_property
    def _numbers(self) -> Any:
        import numpy

        return integers(numpy.arange(self.rows))

    def _read(self, keys: Sequence[Key] | Mapping[Key, str]) -> None:
        import pyarrow

        missing = [key for key in keys if key not in self._columns]
        read = [part.read(missing) for part in self.parts] if missing else []
        types = arrow_types()
        for key in missing:
            chunks: list[Any] = []
            for part, columns in zip(self.parts, read, strict=True):
                column = columns.get(key)
                chunks += [pyarrow.nulls(len(part.folders), types[key.type])] if column is None else column.chunks
            self._columns[key] = self._amended(key, pyarrow.chunked_array(chunks, types[key.type]))

    def _amended(self, key: Key, column: Any) -> Any:
        from pyarrow import compute

        if key == RETRACTED:
            withdrawn = array_of(sorted(self.retracted), "t")
            return compute.is_in(self.column(RECORD_ID), value_set=withdrawn)
        if not key.name.startswith("tag.") or not self._cells:
            return column
        ids = list(self._cells)
        place = compute.index_in(self.column(RECORD_ID), value_set=array_of(ids, "t"))
        values = array_of([self._cells[i].get(key) for i in ids], key.type)
        # What is said of a tag's text is said of its number: `4` that became `four` is a number no more.
        says = array_of([Key(key.name, "t") in self._cells[i] for i in ids], "b")
        return compute.if_else(compute.fill_null(says.take(place), False), values.take(place), column)


def _cells(tags: Mapping[str, str]) -> dict[Key, Any]:
    return {key: value for name, text in tags.items() for key, value in tag_cells(name, text)}

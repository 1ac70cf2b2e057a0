"""One part of the index: rows of some records as a Parquet file, which is never changed."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perfdb.registry.index.arrays import array_of, arrow_types
from perfdb.registry.index.columns import Key
from perfdb.registry.index.rows import Value

if TYPE_CHECKING:
    import pyarrow

# A stranger's records may hold any number of names. More than so many columns are no table: the rarest are left out.
MOST_COLUMNS = 4096
LONGEST_NAME = 250
_ABOUT = b"perfdb"
_FOLDER = Key("folder", "t")


@dataclass(frozen=True, eq=False)
class Part:
    """A Parquet file's bytes, and what its header says.

    Attributes:
        data: The file.
        counts: How many values each column has, in the order of the file's columns c0, c1, ….
        folders: The records' folders relative to the registry, in the order of the rows.
    """

    data: bytes
    counts: Mapping[Key, int]
    folders: tuple[str, ...]

    @classmethod
    def of(cls, data: bytes) -> Part:
        """The part in a file's bytes.

        Raises:
            ValueError: they are none.
        """
        import pyarrow
        import pyarrow.parquet

        try:
            about = json.loads(pyarrow.parquet.read_metadata(pyarrow.BufferReader(data)).metadata[_ABOUT])
            counts = {Key(name, kind, unit): count for name, kind, unit, count in about["columns"]}
            folders = tuple(
                f"{parent}/{ids[start : start + 16]}"
                for parent, ids in about["folders"]
                for start in range(0, len(ids), 16)
            )
        except (pyarrow.ArrowException, OSError, TypeError, KeyError) as error:
            raise ValueError(f"no part of an index: {error}") from error
        return cls(data, counts, folders)

    @functools.cached_property
    def file(self) -> pyarrow.parquet.ParquetFile:
        """For reading columns."""
        import pyarrow
        import pyarrow.parquet

        return pyarrow.parquet.ParquetFile(pyarrow.BufferReader(self.data))

    @functools.cached_property
    def ids(self) -> Mapping[str, frozenset[str]]:
        """The records' ids by the folder that they lie in."""
        found: dict[str, list[str]] = {}
        for parent, ids in _runs(self.folders):
            found.setdefault(parent, []).extend(ids)
        return {parent: frozenset(ids) for parent, ids in found.items()}

    def read(self, keys: Iterable[Key]) -> dict[Key, pyarrow.ChunkedArray]:
        """Columns of it; those that it has."""
        names = {key: f"c{place}" for place, key in enumerate(self.counts)}
        wanted = {key: names[key] for key in keys if key in names}
        # No threads: one that lets go of our bytes while Python ends takes the whole process down with it, by an abort.
        table = self.file.read(columns=list(wanted.values()), use_threads=False)
        return {key: table.column(name) for key, name in wanted.items()}


def part_of_rows(rows: Sequence[Mapping[Key, Value]]) -> Part:
    """Rows as a part; at least one."""
    counts: dict[Key, int] = {}
    for row in rows:
        for key in row:
            counts[key] = counts.get(key, 0) + 1
    kept = _kept(counts)
    columns: dict[Key, list[Value | None]] = {key: [None] * len(rows) for key in kept}
    for place, row in enumerate(rows):
        for key, value in row.items():
            if key in columns:
                columns[key][place] = value
    return _part({key: array_of(values, key.type) for key, values in columns.items()})


def merged(parts: Sequence[Part], keep: Callable[[str], bool] | None = None) -> Part | None:
    """Parts as one, with only the records whose folders are to be kept; None where that leaves nothing."""
    import pyarrow

    masks = [[keep is None or keep(folder) for folder in part.folders] for part in parts]
    if not any(map(any, masks)):
        return None
    types = arrow_types()
    found: dict[Key, list[Any]] = {}
    read = [part.read(part.counts) for part in parts]
    for key in {key: None for part in parts for key in part.counts}:
        chunks = []
        for mask, columns in zip(masks, read, strict=True):
            column = columns.get(key)
            if column is None:
                chunks.append(pyarrow.nulls(sum(mask), types[key.type]))
            elif all(mask):
                chunks += column.chunks
            else:
                chunks += column.filter(array_of(mask, "b")).chunks
        found[key] = pyarrow.chunked_array(chunks, types[key.type])
    return _part(found)


def _part(columns: Mapping[Key, Any]) -> Part:
    import pyarrow
    import pyarrow.parquet

    counts = {key: len(column) - column.null_count for key, column in columns.items()}
    counts = {key: count for key, count in _kept(counts).items() if count}
    folders = columns[_FOLDER].to_pylist()
    about = {
        "columns": [[key.name, key.type, key.unit, count] for key, count in counts.items()],
        "folders": [(parent, "".join(ids)) for parent, ids in _runs(folders)],
    }
    table = pyarrow.table({f"c{place}": columns[key] for place, key in enumerate(counts)})
    buffer = io.BytesIO()
    with pyarrow.parquet.ParquetWriter(buffer, table.schema, compression="zstd") as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({_ABOUT: json.dumps(about).encode()})
    return Part(buffer.getvalue(), counts, tuple(folders))


def _runs(folders: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Folders as runs of ids below one parent."""
    runs: list[tuple[str, list[str]]] = []
    for folder in folders:
        parent, _, record_id = folder.rpartition("/")
        if not runs or runs[-1][0] != parent:
            runs.append((parent, []))
        runs[-1][1].append(record_id)
    return runs


def _kept(counts: Mapping[Key, int]) -> dict[Key, int]:
    """The columns that are kept: all, unless they are too many or have endless names."""
    fit = {key: count for key, count in counts.items() if len(key.name) <= LONGEST_NAME}
    if len(fit) <= MOST_COLUMNS:
        return fit
    ranked = sorted(fit, key=lambda key: ("." in key.name, -fit[key], key.name, key.type, key.unit))
    return {key: fit[key] for key in ranked[:MOST_COLUMNS]}

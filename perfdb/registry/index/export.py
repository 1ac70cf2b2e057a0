"""Rows as files for other programs: Parquet and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from perfdb.errors import UsageError
from perfdb.registry.durable import cannot_write, replace
from perfdb.registry.index.columns import Column
from perfdb.registry.index.found import Cell, Found, spelled

SUFFIXES = (".parquet", ".csv")
# A spreadsheet takes a cell that begins like this for a formula, and a stranger's formula may send its neighbours away.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def check_target(path: Path, *, force: bool) -> None:
    """Find out before the work whether a file can be exported to.

    Raises:
        UsageError: its name ends in no known way, or it is there and may not be replaced.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path} must end in {' or '.join(SUFFIXES)}, which says what kind of file it will be.")
    if path.is_dir():
        raise UsageError(f"{path} is a folder: give the name of a file.")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already: choose another name, or replace it with --force.")


def export(path: Path, found: Found, columns: Sequence[Column]) -> None:
    """Write rows to a `.parquet` or `.csv` file, whole or not at all.

    Raises:
        RegistryError: it can't be written.
    """
    data = _parquet(found, columns) if path.suffix.lower() == ".parquet" else _csv(found, columns)
    try:
        replace(path, data)
    except OSError as error:
        raise cannot_write(path, error, "Nothing was exported.") from error


def write_csv(file: TextIO, found: Found, columns: Sequence[Column]) -> None:
    """A line of names, each metric's with its unit, and a line for each row.

    Text that a spreadsheet would take for a formula gets an apostrophe before it; what is missing is empty.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([f"{column.name} [{column.unit}]" if column.unit else column.name for column in columns])
    writer.writerows([_cell(value) for value in row] for row in found.rows(columns))


def _cell(value: Cell) -> str | None:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return spelled(value)


def _csv(found: Found, columns: Sequence[Column]) -> bytes:
    text = io.StringIO(newline="")
    write_csv(text, found, columns)
    return text.getvalue().encode()


def _parquet(found: Found, columns: Sequence[Column]) -> bytes:
    import pyarrow.parquet

    buffer = io.BytesIO()
    pyarrow.parquet.write_table(found.arrow(columns), buffer, compression="zstd")
    return buffer.getvalue()

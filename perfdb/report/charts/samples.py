"""A record's samples as columns, if they are what the record says."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

from perfdb.families.charts import SamplesChart
from perfdb.record import Record, sha256_hex

Columns = dict[str, Sequence[object]]
# Compressed; a record's own limit is far below, and a stranger's must not fill the memory.
LARGEST = 32 << 20
MOST_CELLS = 10_000_000
# Whose sample it is, where a run has several arms.
ARM = "arm_name"
# A stranger's column of words may hold a million different ones.
MOST_CURVES = 8


def read_samples(record: Record, folder: Path) -> Columns:
    """The columns of all its sample files, by name; those of a file that is not what the record says are left out."""
    columns: Columns = {}
    for sample in record.samples:
        path = folder / sample.file
        if sample.bytes > LARGEST or path.resolve() != folder.resolve() / sample.file:
            continue
        try:
            data = path.read_bytes()
        except OSError:
            continue
        if sha256_hex(data) == sample.sha256:
            columns |= _columns(data)
    return columns


def _columns(data: bytes) -> Columns:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
        if file.metadata.num_rows * file.metadata.num_columns > MOST_CELLS:
            return {}
        return {
            name: column.to_pylist()
            for name, column in zip(file.schema_arrow.names, file.read(use_threads=False).columns, strict=True)
        }
    except (pyarrow.ArrowException, OSError, ValueError):
        return {}


def described_curves(columns: Columns, description: SamplesChart) -> dict[str, list[float]]:
    """The curves that a description asks for; in the order of its labels, where those are the only ones."""
    wanted: dict[str, tuple[str, ...]] = {column: (word,) for column, word in description.where.items()}
    if description.only:
        wanted[description.by] = tuple(description.labels)
    told = {column: columns.get(column, ()) for column in (description.column, description.by, *wanted)}
    count = len(told[description.column])
    if any(len(told[column]) != count for column in wanted):
        return {}
    rows = [row for row in range(count) if all(told[column][row] in words for column, words in wanted.items())]
    kept: Columns = {column: [values[row] for row in rows] for column, values in told.items() if len(values) == count}
    found = curves(kept, description.column, description.by)
    return {word: found[word] for word in description.labels if word in found} if description.only else found


def curves(columns: Columns, column: str, by: str) -> dict[str, list[float]]:
    """The finite numbers of a column, apart by the words of another one; together where those are too many to tell apart.

    Of samples with several arms these are always apart: some may be simulated.
    """
    numbers = columns.get(column, ())
    words = list(map(str, columns.get(by, ()) if by else ()))
    if len(words) != len(numbers) or len(set(words)) > MOST_CURVES:
        words = [""] * len(numbers)
    arms = columns.get(ARM, ())
    if by != ARM and len(arms) == len(numbers):
        both = [", ".join(filter(None, (word, str(arm)))) for word, arm in zip(words, arms, strict=True)]
        words = both if len(set(both)) <= MOST_CURVES else list(map(str, arms))
    found: dict[str, list[float]] = {}
    for word, number in zip(words, numbers, strict=True):
        if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number):
            found.setdefault(word, []).append(float(number))
    return found

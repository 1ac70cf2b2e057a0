"""Raw samples as Parquet: the same columns give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence


def to_parquet(columns: Mapping[str, Sequence[object]]) -> bytes:
    """Columns of equal length, by name, as one Parquet file. One of nothing but None is one of numbers that nobody knows."""
    import pyarrow
    import pyarrow.parquet

    buffer = io.BytesIO()
    # Of no value at all pyarrow makes a column of no type, which no reader of ours takes for samples.
    unknown = {name for name, values in columns.items() if len(values) and all(value is None for value in values)}
    table = pyarrow.table(
        {
            name: pyarrow.array(list(values), pyarrow.float64()) if name in unknown else list(values)
            for name, values in columns.items()
        }
    )
    pyarrow.parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()

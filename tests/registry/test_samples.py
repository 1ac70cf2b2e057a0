"""Samples are written so that whoever checks a record can read them."""

from __future__ import annotations

from perfdb.registry.samples import to_parquet
from perfdb.registry.validator.parquet import ParquetReader


def test_a_column_of_which_nothing_is_known_is_read_back_so() -> None:
    columns = {"job": [1, 2], "inside_began_s": [None, None], "word": ["a", None]}
    with ParquetReader() as reader:
        reader.send(to_parquet(columns))
        assert reader.receive().columns == columns

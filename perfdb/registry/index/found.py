"""What a search found: rows in order, as Python values, as an Arrow table or as a data frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from perfdb.registry.index.arrays import array_of
from perfdb.registry.index.columns import BUILT_IN, Column, Key, Kind
from perfdb.registry.index.view import View

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from perfdb.errors import RecordError

Cell = str | float | int | bool | datetime | None
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Found:
    """The rows that a search found.

    Attributes:
        view: What they are rows of.
        places: Their numbers in it, in order; at most as many as were asked for.
        total: How many there are in all.
        faults: What is wrong with the records that could not be read.
        remark: Why the index could not be kept, if it could not.
        retracted: Whether withdrawn records were looked at too.
    """

    view: View
    places: Any
    total: int
    faults: tuple[RecordError, ...]
    remark: str | None
    retracted: bool
    _arrays: dict[Key, Any] = field(default_factory=dict, repr=False, compare=False)

    def columns(self, names: Sequence[str] | None = None) -> list[Column]:
        """The columns of those names, each once; or those that every record may have, and all others that any of these rows
        has.

        Raises:
            UsageError: a name means none, or several.
        """
        if names is None:
            every = self.view.catalogue.columns.values()
            return [column for column in every if column.name in BUILT_IN or self._filled(column)]
        # Readers of Parquet refuse two columns of one name.
        return list({column.name: column for column in map(self.view.catalogue.resolve, names)}.values())

    def rows(self, columns: Sequence[Column]) -> list[tuple[Cell, ...]]:
        """The rows as Python values: numbers that are whole are ints, instants are in UTC."""
        return list(zip(*(self.values(column) for column in columns), strict=True)) if columns else []

    def values(self, column: Column) -> list[Cell]:
        """One column of the rows."""
        parts = {part: self._taken(column, part).to_pylist() for part in column.kind.parts if part in column.keys}
        match column.kind:
            case Kind.INSTANT:
                return [_EPOCH + timedelta(microseconds=value) for value in parts["i"]] if parts else self._nothing()
            case Kind.NUMBER:
                return parts.get("n") or self._nothing()
            case Kind.SCALAR:
                merged = self._nothing()
                for values in ([_whole(v) for v in parts.get("n", ())], parts.get("b", ()), parts.get("t", ())):
                    merged = (
                        [a if a is not None else b for a, b in zip(merged, values, strict=True)] if values else merged
                    )
                return merged
            case Kind.FLAG:
                return parts.get("b") or self._nothing()
            case _:
                return parts.get("t") or self._nothing()

    def arrow(self, columns: Sequence[Column]) -> pyarrow.Table:
        """The rows as a typed table; each metric's field says its unit, as does that of what ends in `_s`.

        A column of several types, which Arrow does not have, becomes text.
        """
        import pyarrow

        arrays = [self._array(column) for column in columns]
        fields = [
            pyarrow.field(column.name, array.type, metadata={"unit": column.unit} if column.unit else None)
            for column, array in zip(columns, arrays, strict=True)
        ]
        return pyarrow.table(arrays, schema=pyarrow.schema(fields))

    def frame(self, columns: Sequence[Column]) -> pandas.DataFrame:
        """The rows as a data frame: metrics as float64, whole numbers as Int64, flags as boolean, instants as UTC
        timestamps, a column of several types as objects. `attrs["units"]` has the unit of each metric."""
        import pandas
        import pyarrow

        nullable = {pyarrow.int64(): pandas.Int64Dtype(), pyarrow.bool_(): pandas.BooleanDtype()}
        frame: pandas.DataFrame = self.arrow(columns).to_pandas(types_mapper=nullable.get)
        for column in columns:
            if self._is_mixed(column):
                frame[column.name] = pandas.Series(self.values(column), dtype=object)
        frame.attrs["units"] = {column.name: column.unit for column in columns if column.unit}
        return frame

    def _nothing(self) -> list[Cell]:
        return [None] * len(self.places)

    def _taken(self, column: Column, part: str) -> Any:
        key = column.keys[part]
        if key not in self._arrays:
            self._arrays[key] = self.view.column(key).take(self.places)
        return self._arrays[key]

    def _filled(self, column: Column) -> dict[str, Any]:
        """The parts that hold any value among these rows."""
        parts = {part: self._taken(column, part) for part in column.kind.parts if part in column.keys}
        return {part: array for part, array in parts.items() if array.null_count < len(array)}

    def _is_mixed(self, column: Column) -> bool:
        return column.kind is Kind.SCALAR and len(column.keys) > 1 and len(self._filled(column)) > 1

    def _array(self, column: Column) -> Any:
        import pyarrow

        match column.kind:
            case Kind.INSTANT if column.keys:
                return self._taken(column, "i").cast(pyarrow.timestamp("us", tz="UTC"))
            case Kind.NUMBER | Kind.FLAG if column.keys:
                numbers = self._taken(column, column.kind.value)
                return _integers(numbers) if column.name == "repetitions" else numbers
            case Kind.SCALAR:
                filled = self._filled(column)
                if len(filled) > 1:
                    return array_of([spelled(value) for value in self.values(column)], "t")
                for part, array in filled.items():
                    return _integers(array) if part == "n" else array
            case _ if "t" in column.keys:
                return self._taken(column, "t")
        return pyarrow.nulls(len(self.places), pyarrow.large_string())


def spelled(value: Cell) -> str | None:
    """A value as text that is exact: as in a record's own file."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return repr(value)


def _whole(value: float | None) -> float | int | None:
    """Canonical JSON does not tell 4 from 4.0; people do."""
    return int(value) if value is not None and value.is_integer() and abs(value) < 2**53 else value


def _integers(numbers: Any) -> Any:
    """Whole numbers as integers, others as they are."""
    import pyarrow
    from pyarrow import compute

    small = compute.less(compute.abs(numbers), 2.0**53)
    whole = compute.all(compute.and_(small, compute.equal(numbers, compute.floor(numbers)))).as_py()
    return numbers.cast(pyarrow.int64()) if whole else numbers

"""Arrow arrays from Python values, without `pyarrow.array`: that imports pandas, which takes longer than most searches."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

    from perfdb.registry.index.rows import Value


@functools.cache
def arrow_types() -> dict[str, pyarrow.DataType]:
    """What each type of value is stored as; see `columns.Kind`."""
    import pyarrow

    return {
        "n": pyarrow.float64(),
        "b": pyarrow.bool_(),
        "t": pyarrow.large_string(),
        "v": pyarrow.large_string(),
        "i": pyarrow.int64(),
    }


def array_of(values: Sequence[Value | None], type_: str) -> pyarrow.Array:
    """Values of one of our types, None where one is missing."""
    import numpy
    import pyarrow

    count = len(values)
    there = numpy.fromiter((value is not None for value in values), bool, count)
    if type_ in ("t", "v"):
        texts = [str(value).encode() if value is not None else b"" for value in values]
        offsets = numpy.zeros(count + 1, numpy.int64)
        numpy.cumsum(numpy.fromiter(map(len, texts), numpy.int64, count), out=offsets[1:])
        buffers = [offsets, b"".join(texts)]
    elif type_ == "b":
        buffers = [_bits(numpy.fromiter((value is True for value in values), bool, count))]
    else:
        kind = numpy.float64 if type_ == "n" else numpy.int64
        buffers = [numpy.fromiter((0 if value is None else value for value in values), kind, count)]
    whole = [None if there.all() else pyarrow.py_buffer(_bits(there)), *map(pyarrow.py_buffer, buffers)]
    return pyarrow.Array.from_buffers(arrow_types()[type_], count, whole)


def integers(values: Any) -> pyarrow.Array:
    """A numpy array of integers."""
    import numpy
    import pyarrow

    plain = numpy.ascontiguousarray(values, dtype=numpy.int64)
    return pyarrow.Array.from_buffers(pyarrow.int64(), len(plain), [None, pyarrow.py_buffer(plain)])


def _bits(flags: Any) -> Any:
    import numpy

    return numpy.packbits(flags, bitorder="little")

"""Read strangers' Parquet files where a crash, a bomb or a hang harms nobody. pyarrow and the standard library alone.

Frames on standard input: eight bytes of length, then a file. Answers on standard output: eight bytes of length, one line
of JSON, and the columns' plain bytes, in the order in which that line lists them. Nothing is ever unpickled on either side.
"""

import json
import os
import resource
import signal
import struct
import sys

# Read before pyarrow is: its own allocators reserve address space by the gibibyte.
os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"

import pyarrow
import pyarrow.parquet

MIB = 1024 * 1024
LARGEST_FOOTER = 64 * 1024
LARGEST_CONTENT = 32 * MIB
MOST_WORDS = 10_000
LARGEST_WORDS = 256 * 1024
HEADROOM = 96 * MIB
LONGEST_S = 0.7


class Refused(Exception):
    """The file is none that perfdb would have written."""


def footer_of(data):
    """Look at the end of the file before anybody parses it."""
    if len(data) < 12 or data[:4] != b"PAR1" or data[-4:] != b"PAR1":
        raise Refused("it is no plain Parquet file")
    (length,) = struct.unpack("<I", data[-8:-4])
    if length > min(LARGEST_FOOTER, len(data) - 12):
        raise Refused(f"its footer claims {length} bytes, at most {LARGEST_FOOTER} are read")


def check_metadata(metadata, most_cells, most_columns):
    """What the footer claims, before any page is read."""
    if metadata.num_columns > most_columns:
        raise Refused(f"it has {metadata.num_columns} columns, at most {most_columns} are read")
    if not 0 <= metadata.num_rows * max(1, metadata.num_columns) <= most_cells:
        raise Refused(f"it claims {metadata.num_rows} rows: rows times columns may be {most_cells} at most")
    if metadata.num_row_groups > 64:
        raise Refused(f"it has {metadata.num_row_groups} row groups, at most 64 are read")
    if set(metadata.metadata or ()) - {b"ARROW:schema"}:
        raise Refused("it carries notes beside its columns")
    content = 0
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            size = metadata.row_group(group).column(column).total_uncompressed_size
            content += size if size >= 0 else LARGEST_CONTENT + 1
    if content > LARGEST_CONTENT:
        raise Refused(f"its columns hold more than {LARGEST_CONTENT} bytes")
    for column in range(metadata.num_columns):
        schema = metadata.schema.column(column)
        if schema.max_repetition_level or schema.max_definition_level > 1 or schema.path != schema.name:
            raise Refused("it has columns within columns")
        if schema.physical_type == "INT96":
            raise Refused("it has a column of an unusual type")


def kind_of(field):
    """Which of the plain types a column has."""
    types = pyarrow.types
    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    if types.is_boolean(kind):
        return "bool"
    if types.is_integer(kind) and not types.is_uint64(kind):
        return "int"
    if types.is_floating(kind):
        return "float"
    if types.is_string(kind) or types.is_large_string(kind):
        return "text"
    raise Refused("it has a column that is neither numbers, truths nor text")


def texts(column):
    """The distinct texts of a column, and for each row which one; -1 where there is none."""
    import numpy

    words, rows, size = {}, [], 0
    for chunk in (c if pyarrow.types.is_dictionary(c.type) else c.dictionary_encode() for c in column.chunks):
        if len(chunk.dictionary) > MOST_WORDS:
            raise Refused(f"a column holds more than {MOST_WORDS} different texts")
        if chunk.dictionary.nbytes > 4 * LARGEST_WORDS:
            raise Refused(f"a column's different texts hold more than {LARGEST_WORDS} bytes")
        known = []
        for word in chunk.dictionary.to_pylist():
            if word is None:
                raise Refused("a column's texts are not text")
            if word not in words:
                size += len(word.encode())
                words[word] = len(words)
            known.append(words[word])
        if size > LARGEST_WORDS or len(words) > MOST_WORDS:
            raise Refused(f"a column's different texts hold more than {LARGEST_WORDS} bytes")
        known = numpy.array([*known, -1], dtype="<i4")
        at = chunk.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)
        rows.append(known[at])
    return list(words), numpy.concatenate(rows) if rows else numpy.zeros(0, dtype="<i4")


def numbers(column, kind):
    """A column's values, and which rows have one where not all do."""
    import numpy

    wanted = {"int": "<i8", "float": "<f8", "bool": "|u1"}[kind]
    valid = None
    if column.null_count:
        valid = column.is_valid().to_numpy().astype("|u1")
        column = column.fill_null(False if kind == "bool" else 0)
    values = numpy.ascontiguousarray(column.to_numpy().astype(wanted))
    if not numpy.isfinite(values).all():
        raise Refused("it holds NaN or an infinity; what is not known is left empty")
    return values, valid


def read(data, limits):
    """The answer to one file."""
    footer_of(data)
    source = pyarrow.BufferReader(data)
    bounds = {"thrift_string_size_limit": MIB, "thrift_container_size_limit": 100_000}
    file = pyarrow.parquet.ParquetFile(source, pre_buffer=False, arrow_extensions_enabled=False, **bounds)
    check_metadata(file.metadata, limits["cells"], limits["columns"])
    schema = file.schema_arrow
    kinds = [kind_of(field) for field in schema]
    if schema.metadata or any(set(field.metadata or ()) - {b"PARQUET:field_id"} for field in schema):
        raise Refused("it carries notes beside its columns")
    text_columns = [field.name for field, kind in zip(schema, kinds, strict=True) if kind == "text"]
    if text_columns:
        file = pyarrow.parquet.ParquetFile(
            source, pre_buffer=False, arrow_extensions_enabled=False, read_dictionary=text_columns, **bounds
        )
    table = file.read(use_threads=False)
    if table.num_rows != file.metadata.num_rows or table.column_names != schema.names:
        raise Refused("it holds other rows or columns than it claims")
    columns, blobs = [], []
    for index, kind in enumerate(kinds):
        column = {"name": schema.names[index], "kind": kind}
        if kind == "text":
            column["words"], values = texts(table.column(index))
            valid = None
        else:
            values, valid = numbers(table.column(index), kind)
        blobs.append(values.tobytes())
        if valid is not None:
            blobs.append(valid.tobytes())
        columns.append({**column, "nulls": valid is not None})
    return {"rows": table.num_rows, "columns": columns, "made_by": file.metadata.created_by or ""}, b"".join(blobs)


def answer(header, blobs=b""):
    """One frame."""
    line = json.dumps(header).encode() + b"\n"
    out = sys.stdout.buffer
    out.write(struct.pack("<Q", len(line) + len(blobs)))
    out.write(line)
    out.write(blobs)
    out.flush()


def confine():
    """No more memory than a little above what we have, no files, no core dumps."""
    for what, most in (("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0)):
        resource.setrlimit(getattr(resource, what), (most, most))
    try:
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + HEADROOM, used + HEADROOM))
    except (OSError, ValueError):  # not Linux: the time limit still holds
        pass


def main():
    """Files in, answers out, until the input ends."""
    limits = json.loads(sys.argv[1])
    # Imported now, as what is loaded later counts against the limit.
    read(warm_up(), limits)
    confine()
    source = sys.stdin.buffer
    answer({"ready": True})
    while len(head := source.read(8)) == 8:
        data = source.read(struct.unpack("<Q", head)[0])
        # Counts processor time, ours and the system's; its signal ends us, wherever we are.
        signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
        try:
            header, blobs = read(data, limits)
        except Refused as error:
            header, blobs = {"refused": str(error)}, b""
        except Exception as error:  # noqa: BLE001 (whatever pyarrow raises, the file is at fault)
            header, blobs = {"refused": f"pyarrow cannot read it ({type(error).__name__})"}, b""
        signal.setitimer(signal.ITIMER_PROF, 0)
        answer(header, blobs)
        del data, header, blobs


def warm_up():
    """A file that has every kind of column."""
    sink = pyarrow.BufferOutputStream()
    table = pyarrow.table({"a": ["x", None], "b": [1, None], "c": [0.5, None], "d": [True, None]})
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


if __name__ == "__main__":
    main()

"""Samples out of a Parquet file that nobody trusts: a child process reads it, see child/read_parquet.py."""

from __future__ import annotations

import contextlib
import json
import os
import select
import struct
import subprocess
import sys
import time
from array import array
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from perfdb.errors import RegistryError
from perfdb.registry.validator.limits import MIB, MOST_CELLS, MOST_COLUMNS

_CHILD = Path(__file__).parent / "child" / "read_parquet.py"
_LONGEST_ANSWER = 16 * MIB
# The child's own limit is on its processor time; a machine that is busy elsewhere takes longer.
_PATIENCE_S = 10.0
_START_S = 60.0
_CODES = {"int": "q", "float": "d", "bool": "B", "text": "i"}


@dataclass(frozen=True)
class Table:
    """What a Parquet file holds.

    Attributes:
        columns: Values by name; None where there is none.
        texts: Every different text in it, once, and what it says about who wrote it.
    """

    rows: int
    columns: dict[str, list[Any]]
    texts: tuple[str, ...]


class NoTable(Exception):
    """The file can't be read within the limits. Says why, in words that follow `the file`."""


class ParquetReader:
    """One child, started when first needed, kept for many files, replaced when it dies. `send`, then `receive`."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._sent = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def send(self, data: bytes) -> None:
        """Have it begin with a file."""
        child = self._child or self._start()
        assert child.stdin is not None
        self._sent = False
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(struct.pack("<Q", len(data)))
            child.stdin.write(data)
            child.stdin.flush()
            self._sent = True

    def receive(self) -> Table:
        """What the file that was sent last holds.

        Raises:
            NoTable: it can't be read.
        """
        try:
            answer = self._answer(time.monotonic() + _PATIENCE_S) if self._sent else None
        except NoTable:
            self._end()
            raise
        if answer is None:
            self._end()
            raise NoTable("takes more time or memory to read than any samples do, or makes its reader crash")
        return _table(answer)

    def _start(self) -> subprocess.Popen[bytes]:
        limits = json.dumps({"cells": MOST_CELLS, "columns": MOST_COLUMNS})
        quiet = {"PATH": os.environ.get("PATH", ""), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-I", str(_CHILD), limits],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**quiet, "MALLOC_ARENA_MAX": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"},
                start_new_session=True,  # Ctrl-C is for us to answer
            )
            ready = self._answer(time.monotonic() + _START_S)
        except OSError as error:
            raise RegistryError(f"the process that reads samples cannot be started: {error.strerror}.") from error
        if ready is None:
            self._end()
            raise RegistryError(
                "the process that reads samples does not start: perhaps pyarrow is damaged, or there is too little "
                "memory. Try `python -c 'import pyarrow.parquet'`."
            )
        return self._child

    def _answer(self, deadline: float) -> bytes | None:
        head = self._read(8, deadline)
        if head is None:
            return None
        (length,) = struct.unpack("<Q", head)
        if length > _LONGEST_ANSWER:
            raise NoTable("holds more than any samples do")
        return self._read(length, deadline)

    def _read(self, count: int, deadline: float) -> bytes | None:
        assert self._child is not None and self._child.stdout is not None
        handle = self._child.stdout.fileno()
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        data = bytearray()
        while len(data) < count:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return None
            piece = os.read(handle, count - len(data))
            if not piece:
                return None
            data += piece
        return bytes(data)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            assert child.stdin is not None and child.stdout is not None
            with contextlib.suppress(OSError):
                child.stdin.close()
            child.stdout.close()
            child.wait()


def _table(answer: bytes) -> Table:
    """What the child said. It read hostile bytes, so its word is checked like any other."""
    line, _, blobs = answer.partition(b"\n")
    try:
        header = json.loads(line)
        if "refused" in header:
            raise NoTable(f"can't be taken for samples: {header['refused']}")
        rows, at = int(header["rows"]), 0
        columns: dict[str, list[Any]] = {}
        texts = {str(header["made_by"])}
        for column in header["columns"]:
            values = array(_CODES[column["kind"]])
            size = rows * values.itemsize
            values.frombytes(blobs[at : at + size])
            at += size
            listed: list[Any] = values.tolist()
            if column["kind"] == "text":
                words = [str(word) for word in column["words"]]
                texts.update(words)
                listed = [words[index] if index >= 0 else None for index in listed]
            elif column["kind"] == "bool":
                listed = [bool(value) for value in listed]
            if column["nulls"]:
                listed = [value if there else None for value, there in zip(listed, blobs[at : at + rows], strict=True)]
                at += rows
            if len(listed) != rows or column["name"] in columns:
                raise NoTable("has two columns of one name")
            columns[str(column["name"])] = listed
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise NoTable("makes its reader say what it should not") from error
    return Table(rows, columns, tuple(sorted(texts)))

"""A second process that judges half of a large registry: most of judging is Python, which uses one core."""

from __future__ import annotations

import contextlib
import pickle
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from perfdb.redaction import Identity
from perfdb.registry.validator.folder import Judged, Means, judge_folder
from perfdb.registry.validator.parquet import ParquetReader
from perfdb.registry.validator.privacy import Search
from perfdb.registry.validator.report import Rules
from perfdb.registry.validator.tree import FolderTree, Item

Group = tuple[str, Sequence[Item]]


class SecondJudge:
    """Judges records on disk while we judge others; it is started with the first that it is given.

    Only our own objects go between the two, made of what each has judged itself.
    """

    def __init__(self, root: Path, rules: Mapping[str, Rules], identity: Identity | None, now: datetime) -> None:
        self._setup = (root, dict(rules), identity, now)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):
                    stream and stream.close()

    def begin(self, groups: Sequence[Group]) -> None:
        """Have it judge these."""
        process = self._process or self._start()
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            _send(process.stdin, list(groups))

    def end(self) -> list[Judged] | None:
        """What it found, in order; None if it was ended before it could say."""
        assert self._process is not None and self._process.stdout is not None
        found: list[Judged] | None = _receive(self._process.stdout)
        return found

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "perfdb.registry.validator.second"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us to answer
        )
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            _send(self._process.stdin, self._setup)
        return self._process


def _send(stream: Any, thing: object) -> None:
    data = pickle.dumps(thing)
    stream.write(struct.pack("<Q", len(data)) + data)
    stream.flush()


def _receive(stream: Any) -> Any:
    """The next thing, or None where there is none any more."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    (length,) = struct.unpack("<Q", head)
    data = stream.read(length)
    return pickle.loads(data) if len(data) == length else None  # noqa: S301 from our own process


def _serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """In the second process: groups in, what was found out, until the first process is gone."""
    root, rules, identity, now = _receive(stdin)
    tree = FolderTree(root)
    with ParquetReader() as parquet:
        means = Means(rules, Search(identity), parquet, now)
        while (groups := _receive(stdin)) is not None:
            _send(stdout, [judge_folder(tree, folder, items, means) for folder, items in groups])


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)

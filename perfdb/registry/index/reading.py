"""Records into parts: many at a time, by two processes where there are very many."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfdb.errors import NewerRecordError, RecordError
from perfdb.registry.index.parts import Part, part_of_rows
from perfdb.registry.index.rows import row_of
from perfdb.registry.store import RECORD_FILE, read_record

# Below this a second process takes longer to start than it saves.
MANY = 2000
BATCH = 10_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Batch:
    """What was read: the rows of what are records, and what is wrong with the others."""

    part: Part | None
    faults: tuple[RecordError, ...]


def read_batch(root: Path, folders: Sequence[str]) -> Batch:
    """Read records; a folder without a record's file is none, and no fault. A RecordError of one is kept as its fault."""
    rows, faults = [], []
    for folder in folders:
        path = root / folder / RECORD_FILE
        if not os.path.lexists(path):
            continue
        try:
            if path.parent.is_symlink():
                raise RecordError(f"{path.parent} is a link, and a record's folder is none. Restore it from git.")
            rows.append(row_of(read_record(path), folder))
        except RecordError as error:
            faults.append(error)
    return Batch(part_of_rows(rows) if rows else None, tuple(faults))


def read_batches(root: Path, folders: Sequence[str], progress: Progress) -> Iterator[Batch]:
    """Read any number of records, in batches, so that each can be kept before the next is read.

    Args:
        progress: Told how many have been read, of how many.
    """
    if len(folders) < MANY:
        yield read_batch(root, folders)
        return
    done = 0
    with concurrent.futures.ThreadPoolExecutor(1) as waiting:
        for start in range(0, len(folders), 2 * BATCH):
            chunk = folders[start : start + 2 * BATCH]
            half = len(chunk) // 2
            with _Child(root, chunk[half:]) as child:
                other = waiting.submit(child.batch)
                yield read_batch(root, chunk[:half])
                yield other.result() or read_batch(root, chunk[half:])
            done += len(chunk)
            progress(done, len(folders))


class _Child:
    """A second process that reads a batch. No fork: whoever imports perfdb may have threads; no multiprocessing: it would
    run that program once more."""

    def __init__(self, root: Path, folders: Sequence[str]) -> None:
        self._asked = json.dumps({"root": str(root), "folders": folders}).encode()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "perfdb.registry.index.reading"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()

    def batch(self) -> Batch | None:
        """What it read; None where it was ended before."""
        answer, _ = self._process.communicate(self._asked)
        head, _, data = answer.partition(b"\n")
        if self._process.returncode != 0:
            return None
        faults = (NewerRecordError(text) if newer else RecordError(text) for newer, text in json.loads(head))
        return Batch(Part.of(data) if data else None, tuple(faults))


def _answer() -> None:
    """In the child: folders in, the faults on one line and a part's bytes out."""
    asked = json.loads(sys.stdin.buffer.read())
    batch = read_batch(Path(asked["root"]), asked["folders"])
    faults = [[isinstance(fault, NewerRecordError), str(fault)] for fault in batch.faults]
    sys.stdout.buffer.write(json.dumps(faults).encode() + b"\n" + (batch.part.data if batch.part else b""))


if __name__ == "__main__":
    _answer()

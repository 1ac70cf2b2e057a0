"""What a child leaves in the folder `artifacts` of its run folder, such as a scheduler's log: kept masked, and bounded."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from perfdb.errors import RegistryError
from perfdb.families import ChildRun
from perfdb.redaction import Redactor
from perfdb.registry import Journal
from perfdb.runner.clipping import clipped

FOLDER = "artifacts"
# Of all files of all children together, in a record. Whoever checks a contribution searches every byte for secrets.
FILE_BYTES = 128 * 1024
_MOST_FILES = 20
# Masking takes its time.
_LONGEST_END = 256 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}(\.[a-z0-9]{1,10})?")


def keep_files(run_dir: Path, journal: Journal, child: str, redactor: Redactor) -> None:
    """Put them into the journal. What cannot be read, is no text, or has an odd name is left out."""
    found = {name: _clipped(redactor.text(text), FILE_BYTES).decode() for name, text in _texts(run_dir / FOLDER)}
    if found or files_of(journal, child):  # a child that was cut off may have left others under this name
        with contextlib.suppress(RegistryError):  # a full disk costs the files, not the run
            journal.write(f"logs/{child}.files", found)


def files_of(journal: Journal, child: str) -> dict[str, str]:
    """Those that were kept, by name."""
    kept = journal.read(f"logs/{child}.files")
    if not isinstance(kept, dict):
        return {}
    return {name: text for name, text in kept.items() if _NAME.fullmatch(name) and isinstance(text, str)}


def artifacts_of(runs: Sequence[ChildRun]) -> Mapping[str, bytes]:
    """All of them for a record, each child's share of FILE_BYTES spread evenly over its files."""
    share = FILE_BYTES // max(1, sum(bool(run.files) for run in runs))
    return {
        f"artifacts/{run.log.name}.{name}": _clipped(text, share // len(run.files))
        for run in runs
        for name, text in sorted(run.files.items())
    }


def _clipped(text: str, most: int) -> bytes:
    return clipped(text.encode(), most)


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    try:
        paths = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))[:_MOST_FILES]
    except OSError:
        return  # it left none
    for path in paths:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            text = _ends(path).decode()
            if "\0" not in text:
                yield path.name, text


def _ends(path: Path) -> bytes:
    """The file's content; of a long one, its begin and its end. Raises OSError where it is no file of its own there."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        told = os.fstat(descriptor)
        if not stat.S_ISREG(told.st_mode):
            raise OSError("no regular file")
        if told.st_size <= 2 * _LONGEST_END:
            return file.read(2 * _LONGEST_END)
        head = file.read(_LONGEST_END)
        file.seek(-_LONGEST_END, os.SEEK_END)
        tail = file.read(_LONGEST_END)
    return head[: head.rfind(b"\n") + 1] + b"[perfdb: bytes left out here]\n" + tail.partition(b"\n")[2]

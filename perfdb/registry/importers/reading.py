"""Reading strangers' files: plain files only, none too large, no link followed."""

from __future__ import annotations

import csv
import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from perfdb.errors import UsageError

LARGEST_TABLE = 512 * 1024 * 1024
LARGEST_FIELD = 100_000


class Unreadable(Exception):
    """Why a file cannot be read, to be told after its name. Never leaves importers/."""


def text_of(path: Path, largest: int) -> str:
    """A file's text.

    Raises:
        Unreadable: it is a link, no plain file, larger than `largest` bytes, not there, or not UTF-8.
    """
    try:
        # No link, and no pipe that never ends: asked of what was opened, so that nothing can change in between.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable("it is no plain file")
            data = file.read(largest + 1)
    except OSError as error:
        link = error.errno == errno.ELOOP
        reason = "it is a link, which is not followed" if link else f"it cannot be read: {error.strerror}"
        raise Unreadable(reason) from error
    if len(data) > largest:
        raise Unreadable(f"it is larger than {largest} bytes, which no such file is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start} is not UTF-8") from error


def files_below(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Every file and link below a folder, in order of name; no linked folder is entered.

    Beside each stands None; beside a folder that may not be listed, why.
    """
    waiting = [(folder, True)]
    while waiting:
        path, is_folder = waiting.pop()
        if not is_folder:
            yield path, None
            continue
        try:
            # What kind each is comes with its name, also where it may not be looked at.
            with os.scandir(path) as entries:
                found = [(path / entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except OSError as error:
            yield path, f"it cannot be read: {error.strerror}"
        else:
            waiting += sorted(found, reverse=True)


def rows_of(path: Path, delimiter: str = ",") -> tuple[list[str], list[tuple[int, dict[str, str] | None]]]:
    """A table: its column names, and its rows with the line each one ends on; None for one of another width.

    Raises:
        Unreadable: as in `text_of`, or it is no table.
    """
    text = text_of(path, LARGEST_TABLE)
    csv.field_size_limit(LARGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = next(reader, [])
        if not names or len(set(names)) != len(names):
            raise Unreadable("its first line is no list of distinct column names")
        rows: list[tuple[int, dict[str, str] | None]] = []
        for fields in reader:
            if fields:
                whole = len(fields) == len(names)
                rows.append((reader.line_num, dict(zip(names, fields, strict=True)) if whole else None))
    except csv.Error as error:
        raise Unreadable(f"line {reader.line_num} is no line of a table: {error}") from error
    return names, rows


def existing(source: str) -> Path:
    """The source's path, with no link at its end left to follow.

    Raises:
        UsageError: nothing is there.
    """
    try:
        return Path(source).expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"SOURCE {source} is not there. Give a file or folder that you may read.") from error

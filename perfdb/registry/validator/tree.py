"""What is to be judged, as a listing and as bytes: a folder, or a commit that is not checked out."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from perfdb.registry.validator.limits import DEEPEST, MOST_FILES

Kind = Literal["file", "executable", "link", "other", "endless"]


@dataclass(frozen=True)
class Item:
    """One entry. `endless` is a folder that goes on deeper or wider than any record does, and is not listed further."""

    path: str
    kind: Kind


class Unreadable(Exception):
    """A file that is not there, is no plain file, is too large or cannot be read. Says which."""


class Tree(Protocol):
    """Paths are relative to the registry, with slashes."""

    def items(self) -> Iterator[Item]:
        """What is to be judged; all that lies in one record's folder comes together."""

    def read(self, path: str, most: int) -> bytes:
        """A plain file of at most so many bytes.

        Raises:
            Unreadable: it can't be had.
        """

    def has(self, path: str) -> bool:
        """Whether a plain file is there, judged or not."""

    def record_ids(self) -> frozenset[str]:
        """The ids of all records that are there, judged or not, as their folders are named."""

    def others(self, month: str) -> Sequence[str]:
        """Where the `record.json` of those records of a month are that are there but not judged."""


class FolderTree:
    """A registry on disk. No link is ever followed.

    Args:
        root: The registry.
        below: What of it to judge, relative to it; empty for all.
    """

    def __init__(self, root: Path, below: Sequence[str] = ()) -> None:
        self._root = root
        self._below = sorted(set(below)) or [""]

    def items(self) -> Iterator[Item]:
        """What is to be judged, folder by folder."""
        for start in self._below:
            if start:
                yield from self._one(start, self._root / start)
            else:
                yield from self._in(self._root, "")

    def read(self, path: str, most: int) -> bytes:
        """A plain file of at most `most` bytes.

        Raises:
            Unreadable: it can't be had.
        """
        try:
            handle = self._open(path)
        except (OSError, ValueError) as error:
            raise Unreadable(_why(error)) from error
        with open(handle, "rb") as file:  # noqa: PTH123 (a descriptor)
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable("is no plain file")
            try:
                data = file.read(most + 1) if status.st_size <= most else None
            except OSError as error:
                raise Unreadable(_why(error)) from error
        if data is None or len(data) > most:
            raise Unreadable(f"is larger than {most} bytes")
        return data

    def has(self, path: str) -> bool:
        """Whether a plain file is there; no link is followed."""
        try:
            return stat.S_ISREG(os.lstat(self._root / path).st_mode)
        except (OSError, ValueError):
            return False

    def record_ids(self) -> frozenset[str]:
        """The ids of all records that are there, as their folders are named."""
        return frozenset(path.parent.name for path in self._root.glob("[!_.]*/*/*/*/record.json"))

    def others(self, month: str) -> Sequence[str]:
        """Where those records of a month (`2026-11`) are that are not to be judged."""
        if self._below == [""]:
            return ()
        paths = (f"{p.relative_to(self._root)}" for p in self._root.glob(f"[!_.]*/*/{month}/*/record.json"))
        return [path for path in paths if not any(f"{path}/".startswith(f"{start}/") for start in self._below)]

    def _open(self, path: str) -> int:
        """Folder by folder, as a link on the way would lead out as well as one at the end."""
        *folders, name = path.split("/")
        at = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
                os.close(at)
                at = below
            # A pipe that nobody writes to must not hold us.
            return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
        finally:
            os.close(at)

    def _in(self, folder: Path, name: str) -> Iterator[Item]:
        depth = name.count("/") + 1 if name else 0
        if depth >= 4 + DEEPEST:
            yield Item(f"{name}/*", "endless")
            return
        try:
            with os.scandir(folder) as entries:
                # Above the records there may be any number of folders.
                names = [
                    entry.name
                    for _, entry in zip(range(MOST_FILES + 1 if depth >= 4 else 10**7), entries, strict=False)
                ]
        except OSError:
            yield Item(name or ".", "other")
            return
        if depth >= 4 and len(names) > MOST_FILES:
            yield Item(f"{name}/*", "endless")
            return
        for each in sorted(names):
            path = f"{name}/{each}" if name else each
            yield from self._one(path, folder / each)

    def _one(self, path: str, there: Path) -> Iterator[Item]:
        try:
            status = there.lstat()
        except OSError:
            yield Item(path, "other")
            return
        if stat.S_ISDIR(status.st_mode):
            yield from self._in(there, path)
        elif stat.S_ISLNK(status.st_mode):
            yield Item(path, "link")
        elif stat.S_ISREG(status.st_mode):
            # git keeps one bit of permissions: the owner's.
            yield Item(path, "executable" if status.st_mode & stat.S_IXUSR else "file")
        else:
            yield Item(path, "other")


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):
        return "has a name that no file has"
    if error.errno in (errno.ELOOP, errno.EMLINK):
        return "is a link"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "is not there"
    return f"cannot be read: {error.strerror}"

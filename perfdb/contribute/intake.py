"""Files of a registry, read once, into a folder of ours: what is checked, described and committed is this copy."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from perfdb.contribute.fault import Fault
from perfdb.registry.durable import cannot_write
from perfdb.registry.validator.limits import MOST_FILES

# More than any file that the validator lets pass.
LARGEST_FILE = 16 * 1024 * 1024
DEEPEST = 8
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A FIFO would otherwise have us wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Intake:
    """Copies by path in the checkout.

    Args:
        folder: An empty one of ours.
        root: Where the files lie; itself it may be reached over links, nothing below it.
        prefix: What `root` is called in the checkout.
    """

    def __init__(self, folder: Path, root: Path, prefix: str) -> None:
        self._folder = folder
        self.root = root
        self._prefix = prefix
        self._numbers = itertools.count()
        self.copies: dict[str, Path] = {}
        self.faults: list[Fault] = []
        folder.mkdir()

    def take(self, relative: str) -> Path | None:
        """Copy one file; None, with a fault noted, if it is no plain one. One that was taken already stays as it is.

        Raises:
            RegistryError: the copy can't be written.
        """
        name = f"{self._prefix}/{relative}"
        if name in self.copies:
            return self.copies[name]
        *parents, last = relative.split("/")
        try:
            with _opened(self.root, parents) as folder:
                return self._copy(folder, last, name)
        except OSError as error:
            self._refuse(name, error)
            return None

    def take_folder(self, relative: str) -> None:
        """Copy every file in a folder and below it."""
        try:
            with _opened(self.root, relative.split("/")) as folder:
                self._walk(folder, f"{self._prefix}/{relative}", DEEPEST)
        except OSError as error:
            self._refuse(f"{self._prefix}/{relative}", error)

    def _walk(self, folder: int, where: str, depth: int) -> None:
        names = sorted(os.listdir(folder))
        if depth == 0 or len(names) > MOST_FILES:
            self.faults.append(Fault(where, "holds more files or folders than any record may", "Restore it from git."))
            return
        for name in names:
            path = f"{where}/{name}"
            try:
                if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    inner = os.open(name, _FOLDER, dir_fd=folder)
                    try:
                        self._walk(inner, path, depth - 1)
                    finally:
                        os.close(inner)
                else:
                    self._copy(folder, name, path)
            except OSError as error:
                self._refuse(path, error)

    def _copy(self, folder: int, name: str, path: str) -> Path | None:
        with open(os.open(name, _FILE, dir_fd=folder), "rb") as source:  # noqa: PTH123
            status = os.fstat(source.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
                self.faults.append(
                    Fault(path, "is no plain file of a size that a record may hold", "Restore it from git.")
                )
                return None
            data = source.read()
        copy = self._folder / str(next(self._numbers))
        try:
            copy.write_bytes(data)
        except OSError as error:  # our own trouble, and no fault of the record's
            raise cannot_write(copy, error, "Nothing was committed; your records are as they were.") from error
        self.copies[path] = copy
        return copy

    def _refuse(self, path: str, error: OSError) -> None:
        link = "it is a link, or lies behind one, and git would carry no more than that"
        why = link if error.errno in (errno.ELOOP, errno.ENOTDIR) else str(error.strerror)
        self.faults.append(Fault(path, f"cannot be read: {why}", "Restore it from git, or put it right."))


@contextlib.contextmanager
def _opened(root: Path, parts: list[str]) -> Iterator[int]:
    """A folder below the root, reached over no link."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)

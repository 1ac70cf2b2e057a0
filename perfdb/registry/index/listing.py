"""Which records a registry has, by the names of its folders alone: nothing in them is looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from perfdb.errors import RegistryError

ID_LENGTH = 16


def record_parents(root: Path) -> dict[str, set[str]]:
    """The names below each month's folder, by that folder's path relative to the registry: records, and what else lies
    there. A registry that is not there yet has none.

    Raises:
        RegistryError: a folder can't be read: its records would seem to be gone.
    """
    try:
        return _record_parents(root)
    except OSError as error:
        raise RegistryError(
            f"{error.filename} cannot be read: {error.strerror}. Mend that (its permissions, perhaps) and try again."
        ) from error


def _record_parents(root: Path) -> dict[str, set[str]]:
    found = {}
    for experiment in _folders(root):
        if not experiment.startswith("_"):
            for machine in _folders(root / experiment):
                for month in _folders(root / experiment / machine):
                    parent = f"{experiment}/{machine}/{month}"
                    try:
                        found[parent] = set(os.listdir(root / parent))  # noqa: PTH208 names are all that is wanted
                    except FileNotFoundError:  # taken away just now
                        continue
    return found


def is_record_name(name: str) -> bool:
    """Whether a folder of that name can be a record's."""
    return len(name) == ID_LENGTH and not set(name) - set("0123456789abcdef")


def _folders(path: Path) -> Iterator[str]:
    try:
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from (name for name in names if not name.startswith(".") and is_text(name))


def is_text(name: str) -> bool:
    """Whether it is text at all: names of files, and what is typed, may be any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def find_folders(root: Path, prefix: str) -> list[str]:
    """The folders, relative to the registry, of the records whose ids start with `prefix`."""
    return sorted(
        f"{parent}/{name}"
        for parent, names in record_parents(root).items()
        for name in names
        if name.startswith(prefix) and is_record_name(name)
    )

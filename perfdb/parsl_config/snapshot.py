"""A copy of a source tree as it stands, and the hash of what it holds: what is hashed is what is installed."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from perfdb.gitrepo import GitFailed
from perfdb.gitrepo.commands import Git

# What builds and editors leave in a tree is no part of what it holds.
_LEFTOVERS = frozenset([".git", ".hg", "__pycache__", ".venv", ".tox", ".mypy_cache", ".pytest_cache", "runinfo"])
_PROJECT = ("pyproject.toml", "setup.py")


def is_project(folder: Path) -> bool:
    """Whether there is anything to install in that folder."""
    return any((folder / name).is_file() for name in _PROJECT)


def copy_tree(folder: Path, target: Path) -> None:
    """Copy a project's files, uncommitted and untracked ones too; those that a checkout ignores are left out.

    Raises:
        OSError: a file can't be read or written.
    """
    for relative in _files(folder):
        source, copy = folder / relative, target / relative
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            copy.symlink_to(source.readlink())
        elif source.is_file():
            shutil.copy(source, copy)


def tree_hash(folder: Path) -> str:
    """SHA-256 over every file below `folder`: its path, whether it is executable, and what it holds."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            kind, content = b"link", os.fsencode(path.readlink())
        elif path.is_file():
            kind, content = (b"program" if os.access(path, os.X_OK) else b"file"), path.read_bytes()
        else:
            continue
        for part in (os.fsencode(path.relative_to(folder)), kind, content):
            whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def has_changes(folder: Path) -> bool:
    """Whether a checkout's folder differs from its commit, by files that git was never told of as well."""
    return Git(folder).maybe("status", "--porcelain", "--untracked-files=normal", "--", ".") != ""


def _files(folder: Path) -> Iterator[Path]:
    try:
        listed = Git(folder).run("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except GitFailed:
        listed = b""
    # An unmerged file is listed once for each side.
    found = dict.fromkeys(Path(os.fsdecode(name)) for name in listed.split(b"\0") if name)
    # A folder that is ignored in a checkout around it is nobody's work tree.
    if any(str(path) in _PROJECT for path in found):
        yield from found
        return
    for place, folders, files in os.walk(folder):
        kept = [name for name in folders if name not in _LEFTOVERS and not name.endswith(".egg-info")]
        links = [name for name in kept if (Path(place) / name).is_symlink()]
        folders[:] = [name for name in kept if name not in links and not (Path(place) / name / "pyvenv.cfg").exists()]
        yield from (Path(place, name).relative_to(folder) for name in [*files, *links])

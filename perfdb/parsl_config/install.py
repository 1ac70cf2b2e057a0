"""Another Parsl, in an environment of its own: a release, a folder, or a commit."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from perfdb.errors import NoSuchParslError, ParslInstallError
from perfdb.gitrepo import checkout_of, commit_of, export
from perfdb.parsl_config.environments import environment
from perfdb.parsl_config.remote import address, commit_at
from perfdb.parsl_config.snapshot import copy_tree, has_changes, is_project, tree_hash
from perfdb.redaction import Redactor
from perfdb.settings import can_be_a_path, expanded

# Releases up to 2024 use pkg_resources without asking for it.
_BESIDES = "setuptools<81"
_SUFFIX = r"(?:(?:a|b|rc|\.dev|\.post)[0-9]+)?"
_RELEASE = re.compile(rf"(?:[0-9]{{4}}\.[0-9]{{1,2}}\.[0-9]{{1,2}}|[01]\.[0-9]+(?:\.[0-9]+)?){_SUFFIX}")


@dataclass(frozen=True)
class InstalledParsl:
    """A Python that has the Parsl asked for.

    Attributes:
        source: Where it came from, unless it is a plain release.
        version: The release, where one was asked for.
    """

    python: Path
    source: str | None
    version: str | None = None


@dataclass(frozen=True)
class SoughtParsl:
    """Which Parsl is asked for, known before it is installed: for the record of one that does not install."""

    source: str | None
    version: str | None


def is_release(asked: str) -> bool:
    """Whether it has the form of one of Parsl's version numbers."""
    return _RELEASE.fullmatch(asked) is not None


def sought(asked: str) -> SoughtParsl:
    """What a record may say of a Parsl that could not be installed: no path, no user, no password. Asks no network."""
    if is_release(asked):
        return SoughtParsl(None, asked)
    if not can_be_a_path(asked):
        return SoughtParsl("what is no release, no folder and no git reference", None)
    folder, _, ref = asked.rpartition("@")
    if expanded(Path(asked)).is_dir():
        return SoughtParsl(_standing(expanded(Path(asked)).resolve()), None)
    if folder and expanded(Path(folder)).is_dir():
        commit = commit_of(expanded(Path(folder)).resolve(), ref)
        return SoughtParsl(f"commit {commit}" if commit else "a commit that its checkout does not know", None)
    try:
        return SoughtParsl(address(asked).recorded, None)
    except ParslInstallError:
        return SoughtParsl("what is no release, no folder and no git reference", None)


def install(asked: str, state_path: Path) -> InstalledParsl:
    """Make, or find again, an environment with that Parsl.

    Args:
        asked: `2025.8.4`; a folder; `FOLDER@REF` for a commit of a checkout; `git+URL@REF`; or a plain REF of Parsl's
            own repository.
        state_path: Environments are kept below it: one for each release, each commit, and each state of a folder. So
            none is replaced that somebody may be measuring with, and the same Parsl is never installed twice.

    Raises:
        ParslInstallError: there is no such thing, or it does not install; quotes the installer.
    """
    if not can_be_a_path(asked):
        raise NoSuchParslError(f"--parsl: {len(asked)} characters are no release, no folder and no git reference.")
    folder, _, ref = asked.rpartition("@")
    if is_release(asked):
        return InstalledParsl(environment(state_path, asked, f"parsl=={asked}", _BESIDES), None, asked)
    if expanded(Path(asked)).is_dir():
        return _from_folder(expanded(Path(asked)).resolve(), state_path)
    if folder and expanded(Path(folder)).is_dir():
        return _from_commit(expanded(Path(folder)).resolve(), ref, state_path)
    if asked.startswith(("-", ".", "/", "~")) or not asked.isprintable() or " " in asked:
        raise NoSuchParslError(
            f"--parsl {Redactor().text(asked)!r} is no release, no folder here and no git reference. Give 2025.8.4, ../parsl, "
            "../parsl@my-branch, master or git+https://…@REF."
        )
    place = address(asked)
    commit = commit_at(place)
    python = environment(state_path, place.at(commit), place.at(commit), _BESIDES)
    return InstalledParsl(python, f"{place.recorded}, commit {commit}")


def _from_folder(folder: Path, state_path: Path) -> InstalledParsl:
    if not is_project(folder):
        raise NoSuchParslError(
            f"--parsl {folder.name}: that folder holds no Python project (no pyproject.toml or setup.py). Give the top of a "
            "Parsl checkout."
        )
    source = _standing(folder)
    # Installers build inside the folder they are given, and leave there what the next one would pick up.
    with _scratch(state_path) as tree:
        try:
            copy_tree(folder, tree)
            held = tree_hash(tree)
        except OSError as error:
            raise ParslInstallError(
                f"--parsl {folder.name}: the folder could not be copied below {state_path.name}/envs ({error.strerror}). "
                "Make it readable, make room there, and try again."
            ) from error
        if not source.startswith("commit ") or source.endswith("changes"):
            source = f"{source}, content {held[:12]}"
        return InstalledParsl(environment(state_path, f"tree {held}", str(tree), _BESIDES), source)


def _standing(folder: Path) -> str:
    """A folder as a record may name it."""
    checkout = checkout_of(folder)
    if checkout is None:
        return "a folder"
    return f"commit {checkout.commit}{' with uncommitted changes' if has_changes(folder) else ''}"


def _from_commit(folder: Path, ref: str, state_path: Path) -> InstalledParsl:
    commit = commit_of(folder, ref)
    if commit is None:
        raise NoSuchParslError(
            f"--parsl {folder.name}@{ref}: that checkout knows no commit {ref!r}. `git log` there lists them."
        )
    with _scratch(state_path) as tree:
        try:
            export(folder, commit, tree)
        except OSError as error:
            raise ParslInstallError(
                f"--parsl {folder.name}@{ref}: the commit could not be written below {state_path.name}/envs "
                f"({error.strerror}). Make room there, and try again."
            ) from error
        return InstalledParsl(environment(state_path, f"commit {commit}", str(tree), _BESIDES), f"commit {commit}")


@contextmanager
def _scratch(state_path: Path) -> Iterator[Path]:
    tree = state_path / "envs" / f"tree-{uuid.uuid4().hex}"
    try:
        tree.mkdir(parents=True)
    except OSError as error:
        raise ParslInstallError(
            f"{tree.parent} cannot be written ({error.strerror}); environments for other Parsls belong there. Make room, "
            "or set PERFDB_STATE_DIR to a folder that you may write to."
        ) from error
    try:
        yield tree
    finally:
        shutil.rmtree(tree, ignore_errors=True)

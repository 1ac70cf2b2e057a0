"""The site's folder: built beside its place, and put there in one step."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from perfdb.errors import UsageError
from perfdb.processes.lock import age_of
from perfdb.registry.durable import cannot_write, sync_folder

# In each site: the names of all its files, so that a later build knows which ones are not its own.
MARKER = ".perfdb-report"
BUILDING = ".perfdb-building-"
REPLACED = ".perfdb-replaced-"
# No build takes so long.
STALE_S = 6 * 3600.0
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
KEPT = "What was there before is as it was."


def check_target(target: Path) -> Path:
    """Where the site will lie, with links followed.

    Raises:
        UsageError: something lies there that is no site of ours.
    """
    place = target.expanduser().resolve()
    try:
        if place.exists() and not place.is_dir():
            raise UsageError(f"{target} is a file: name a folder for the site, such as {target}-site.")
        if place.is_dir() and any(place.iterdir()) and not (place / MARKER).is_file():
            raise UsageError(
                f"{target} is not empty and holds no site of perfdb's, so nothing in it was touched: name another folder, "
                "or one in it."
            )
    except OSError as error:
        raise cannot_write(target, error, "No site was made.") from error
    return place


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """An empty folder to build in; when the block ends well, it is at `target`, whole. Files there that are no site's stay.

    Args:
        target: As `check_target` gave it.

    Raises:
        RegistryError: it can't be written; what was at `target` is as it was.
    """
    _sweep(target)
    building = target.with_name(f".{target.name}{BUILDING}{uuid.uuid4().hex}")
    replaced = target.with_name(f".{target.name}{REPLACED}{uuid.uuid4().hex}")
    try:
        building.mkdir(parents=True)
        yield building
        _write_marker(building)
        if target.is_dir():
            _carry_over(target, building)
            _exchange(building, target, replaced)
        else:
            building.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise cannot_write(target, error, KEPT) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)


def _files(folder: Path) -> list[str]:
    found = []
    for root, folders, plain in os.walk(folder):
        names = [*plain, *(name for name in folders if os.path.islink(os.path.join(root, name)))]  # noqa: PTH118, PTH114
        found += [os.path.relpath(os.path.join(root, name), folder) for name in names]  # noqa: PTH118 - thousands of them
    return sorted(found)


def _write_marker(building: Path) -> None:
    names = [*_files(building), MARKER]
    (building / MARKER).write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")


def _carry_over(old: Path, new: Path) -> None:
    """What others put into the folder, such as a CNAME or a checkout's `.git`."""
    own = set((old / MARKER).read_text(encoding="utf-8").splitlines()) if (old / MARKER).is_file() else set()
    for name in _files(old):
        path = new / name
        if name not in own and not os.path.lexists(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(old / name, path, follow_symlinks=False)
    for folder in (
        path for path in old.rglob("*") if path.is_dir() and not path.is_symlink() and not any(path.iterdir())
    ):
        (new / folder.relative_to(old)).mkdir(parents=True, exist_ok=True)


def _exchange(building: Path, target: Path, replaced: Path) -> None:
    """Have the two change places: in one step where the system can, else in two, between which a kill leaves the old site
    beside its place under its other name."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        names = (os.fsencode(building), os.fsencode(target))
        if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
            return
        number = ctypes.get_errno()
        if number not in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
            raise OSError(number, os.strerror(number), str(target))
    target.rename(replaced)
    try:
        building.rename(target)
    except OSError:
        replaced.rename(target)
        raise


def _sweep(target: Path) -> None:
    """What killed builds left; a site that was cut off between two places goes back to its own."""
    with contextlib.suppress(OSError):
        cut_off = sorted(target.parent.glob(f".{glob.escape(target.name)}{REPLACED}*"))
        if cut_off and not target.exists():
            cut_off.pop().rename(target)
        for left in [*target.parent.glob(f".{glob.escape(target.name)}{BUILDING}*"), *cut_off]:
            if age_of(left) > STALE_S:
                shutil.rmtree(left, ignore_errors=True)

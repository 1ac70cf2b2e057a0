"""Writing so that a crash at any moment leaves the old state or the new one, and nothing between."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from pathlib import Path

from perfdb.errors import RegistryError
from perfdb.units import bytes_

_WHY = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "your quota on that disk is used up: free some space",
    errno.ENOENT: "the folder for it is not there and was not made: make it, or choose another",
    errno.EROFS: "the file system is read-only: choose another folder with PERFDB_REGISTRY (records) or PERFDB_STATE_DIR (all else)",
    errno.EACCES: "you may not write there: mend its permissions, or set PERFDB_REGISTRY or PERFDB_STATE_DIR",
    errno.EPERM: "you may not write there: mend its permissions, or set PERFDB_REGISTRY or PERFDB_STATE_DIR",
    errno.ENOTDIR: "a file stands where a folder belongs: move it away",
    errno.EEXIST: "a file stands where a folder belongs: move it away",
}

# What a file system that has no hard links says.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def cannot_write(path: Path, error: OSError, consequence: str) -> RegistryError:
    """The paragraph for a write that failed: what, why, what it means, what to do."""
    why = _WHY.get(error.errno or 0, f"{os.strerror(error.errno)}" if error.errno else str(error))
    if error.errno == errno.ENOSPC:
        why = _of_no_room(path) or why
    return RegistryError(f"{path} could not be written: {why}. {consequence}")


def _of_no_room(path: Path) -> str | None:
    """What else than not one free byte ENOSPC means: no inode, or less room than was asked for; None where it is not so."""
    with contextlib.suppress(OSError):
        disk = os.statvfs(next(folder for folder in (path, *path.parents) if folder.exists()))
        if disk.f_files and not disk.f_favail:
            return "no more files can be made on that disk (df -i): delete some"
        if (free := disk.f_bavail * disk.f_frsize) >= 2**20:
            return f"the disk is full but for {bytes_(free)}, which is too little: free some space"
    return None


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, and have it on the disk before this returns."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, data: bytes) -> None:
    """Put `data` at `path`, whole or not at all."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        write_new(draft, data)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    sync_folder(path.parent)


def put_new(path: Path, data: bytes) -> bool:
    """Put `data` at `path`, whole or not at all, unless something else is there; whether `data` is there now."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        write_new(draft, data)
        try:
            path.hardlink_to(draft)
        except OSError as error:
            if path.exists():
                return path.is_file() and path.read_bytes() == data
            if error.errno not in _NO_LINKS:
                raise
            draft.replace(path)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Have the folder's entries on the disk; some network file systems refuse, and do so at every write anyway."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)

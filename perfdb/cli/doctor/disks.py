"""The folders that perfdb writes to: whether they can be written, the room, what a write costs, whose disk it is."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from perfdb.cli.doctor.here import Here
from perfdb.cli.doctor.point import Point, place
from perfdb.units import bytes_, duration

REGISTRY = "every run: its record is kept there"
STATE = "every run: its journal, the local MLflow database, locks"
WORK = "every run: Parsl's run folders; workers must see it"
TEMPORARY = "perfdb report, contribute, cluster up; every run in part"
_SLOW_FSYNC_S = 0.1
_NO_ROOM_BYTES = 100 * 2**20
_LITTLE_ROOM_BYTES = 2**30
_MENDING = {
    errno.ENOSPC: "free some space or, where df -i has none left, delete some files",
    errno.EDQUOT: "free some space: your quota is used up",
    errno.EACCES: "have its owner let you: ls -ld says who that is",
    errno.EROFS: "mount it for writing",
}
_NETWORK = frozenset(
    """9p afs beegfs ceph cifs fuse.ceph fuse.glusterfs fuse.sshfs glusterfs gpfs lustre nfs nfs4 orangefs panfs pvfs2
    smb3 smbfs wekafs""".split()  # noqa: SIM905
)


def look_at_registry(here: Here) -> Iterator[Point]:
    """The records' folder."""
    yield _line("registry", here.settings.registry_path, here, REGISTRY, "PERFDB_REGISTRY")


def look_at_state(here: Here) -> Iterator[Point]:
    """The state folder, which should not be on a network."""
    point = _line("state folder", here.settings.state_path, here, STATE, "PERFDB_STATE_DIR")
    kind = _file_system(_nearest(here.settings.state_path))
    if point.status == "ok" and kind in _NETWORK:
        told = f"{point.found}: SQLite wants locks that many network file systems lack"
        fix = "export PERFDB_STATE_DIR=FOLDER on a local disk, or state_dir in perfdb.toml"
        point = Point(point.name, "note", told, STATE, fix)
    yield point


def look_at_temporary(here: Here) -> Iterator[Point]:  # noqa: ARG001 (a check's shape)
    """The folder for what programs need only while they run; Python goes on to the next one where it can't write."""
    name, asked = "temporary folder", os.environ.get("TMPDIR")
    try:
        used = tempfile.gettempdir()
    except OSError:
        yield Point(name, "fix", "none can be written", TEMPORARY, "export TMPDIR=FOLDER that you may write")
        return
    if asked and os.path.realpath(asked) != os.path.realpath(used):
        told = "TMPDIR names one that is not there or cannot be written"
        yield Point(name, "fix", told, TEMPORARY, "unset TMPDIR, or export TMPDIR=FOLDER that you may write")
        return
    free = (disk := os.statvfs(used)).f_bavail * disk.f_frsize
    if free < _NO_ROOM_BYTES:
        told = f"{bytes_(free)} free"
        yield Point(name, "note", told, TEMPORARY, "free some space there, or export TMPDIR=FOLDER with more")
        return
    yield Point(name, "ok", f"{bytes_(free)} free", TEMPORARY)


def look_at_work(here: Here) -> Iterator[Point]:
    """The folder of Parsl's run folders."""
    yield _line("work folder", here.settings.work_path, here, WORK, "PERFDB_WORK_DIR")


def file_system_of(path: str, mountinfo: str) -> str:
    """The type of the file system that holds an absolute path without links, as /proc/self/mountinfo (proc(5)) tells it."""
    best, kind = "", "unknown"
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        mount = fields[4].encode().decode("unicode_escape").rstrip("/")  # blanks are written as \040
        # What was mounted later hides what was there.
        if (path == mount or path.startswith(f"{mount}/")) and len(mount) >= len(best):
            best, kind = mount, after.split()[0]
    return kind


def _line(name: str, path: Path, here: Here, needed_for: str, variable: str) -> Point:
    shown, there = place(path, here.settings), _nearest(path)
    elsewhere = f"export {variable}=FOLDER that you may write"
    try:
        took_s = _write(there)
    except OSError as error:
        told = f"{shown} cannot be written: {(error.strerror or 'unknown').lower()}"
        first = _MENDING.get(error.errno or 0, "mend that")
        return Point(name, "fix", told, needed_for, f"{first}, or {elsewhere}")
    disk = os.statvfs(there)
    free = disk.f_bavail * disk.f_frsize
    told = f"{shown}: {bytes_(free)} free, fsync {duration(took_s)}, {_file_system(there)}"
    if not path.exists():
        told += ", made at the first run"
    if free < _NO_ROOM_BYTES or (disk.f_files and disk.f_favail < 1000):
        if disk.f_files and disk.f_favail < 1000:
            told, first = f"{told}; hardly a file can be made ({disk.f_favail} inodes)", "delete some files"
        else:
            told, first = f"{told}; too full: a run wants {bytes_(_NO_ROOM_BYTES)}", "free some space"
        return Point(name, "fix", told, needed_for, f"{first}, or {elsewhere}")
    if free < _LITTLE_ROOM_BYTES:
        return Point(name, "note", f"{told}; little room", needed_for, f"free some space, or {elsewhere}")
    if took_s > _SLOW_FSYNC_S:
        return Point(name, "note", f"{told}; slow", needed_for, f"export {variable}=FOLDER on a local disk")
    return Point(name, "ok", told, needed_for)


def _nearest(path: Path) -> Path:
    """The folder, or the one above it that will hold it."""
    return next((folder for folder in (path, *path.parents) if folder.exists()), path)


def _write(folder: Path) -> float:
    """Seconds that it takes to have a small file on the disk there.

    Raises:
        OSError: it can't be written.
    """
    from perfdb.registry.durable import write_new

    probe = folder / f".staging-{uuid.uuid4().hex}"
    begun = time.monotonic()
    try:
        write_new(probe, b"perfdb")
        return time.monotonic() - begun
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()


def _file_system(path: Path) -> str:
    try:
        text = Path("/proc/self/mountinfo").read_text(errors="replace")
    except OSError:
        return "unknown"
    return file_system_of(str(path.resolve()), text)

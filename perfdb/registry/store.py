"""The registry: one folder a record, written once, whole, and never again."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from perfdb.errors import NewerRecordError, RecordError, RegistryError
from perfdb.processes.lock import age_of
from perfdb.record import Record, canonical_bytes, parse_record, sha256_hex
from perfdb.registry.durable import cannot_write, sync_folder, write_new

RECORD_FILE = "record.json"
SUMS_FILE = "SHA256SUMS"
SAMPLES_FILE = "samples.parquet"
LARGEST_RECORD = 32 * 1024 * 1024
# No save takes this long, on any file system.
STAGING_STALE_S = 3600.0
_RECORD_FOLDER = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Entry:
    """A record and the folder that holds it."""

    record: Record
    folder: Path


class Registry:
    """The records below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder_of(self, record: Record) -> Path:
        """Where a record belongs."""
        month = record.started_at.strftime("%Y-%m")
        return self.root / record.experiment / record.environment.machine / month / record.record_id

    def save(self, record: Record, files: Mapping[str, bytes]) -> Path:
        """Write a record and its files, all or nothing; a record that is there already is left as it is.

        Args:
            record: Sealed; its `samples` and `artifacts` name every one of `files`.
            files: Content by name relative to the record's folder.

        Raises:
            RegistryError: the registry can't be written; nothing of the record is left in it.
        """
        target = self.folder_of(record)
        staging = self.root / f".staging-{uuid.uuid4().hex}"
        try:
            staging.mkdir(parents=True)
            _write_folder(staging, {**files, RECORD_FILE: record.to_bytes()})
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                staging.rename(target)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
            for folder in (target.parent, *target.parent.parents[:3]):
                sync_folder(folder)
        except OSError as error:
            raise cannot_write(target, error, "Nothing of this record was left there.") from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return target

    def save_machine(self, label: str, fingerprint: str, document: Mapping[str, object]) -> None:
        """Say once what a machine is; equal machines write the same file."""
        path = self.root / "_machines" / label / f"{fingerprint}.json"
        draft = path.with_name(f".{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                write_new(draft, canonical_bytes(dict(document)))
                draft.rename(path)
                sync_folder(path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise cannot_write(path, error, "The record itself is safe.") from error

    def check_writable(self) -> None:
        """Find out before a measurement, not after it, that its record could not be kept; sweep up after killed saves.

        Raises:
            RegistryError: the registry can't be written.
        """
        probe = self.root / f".staging-{uuid.uuid4().hex}"
        try:
            probe.mkdir(parents=True)
            probe.rmdir()
        except OSError as error:
            raise cannot_write(self.root, error, "Nothing was measured.") from error
        for left in self.root.glob(".staging-*"):
            if age_of(left) > STAGING_STALE_S:
                shutil.rmtree(left, ignore_errors=True)

    def folders(self) -> list[Path]:
        """The folders of all records, oldest first within an experiment and machine.

        Raises:
            RegistryError: a folder of the registry is closed to us, so that records would silently be missing.
        """
        for depth in ("", "*", "*/*", "*/*/*"):
            for folder in self.root.glob(depth) if depth else (self.root,):
                if _is_closed(folder):
                    raise RegistryError(
                        f"{folder} cannot be read: you may not look into it. Mend that (chmod u+rx {folder}) and try again."
                    )
        found = (path.parent for path in self.root.glob(f"*/*/*/*/{RECORD_FILE}"))
        return sorted(
            f
            for f in found
            if _RECORD_FOLDER.fullmatch(f.name) and not f.relative_to(self.root).parts[0].startswith(("_", "."))
        )

    def entries(self) -> Iterator[Entry | RecordError]:
        """Every record; one that can't be read comes as the error that says why."""
        for folder in self.folders():
            try:
                yield Entry(read_record(folder / RECORD_FILE), folder)
            except RecordError as error:
                yield error

    def find(self, prefix: str) -> Entry:
        """The one record whose id starts with `prefix`.

        Raises:
            RegistryError: there is none, or more than one.
            RecordError: it can't be read.
        """
        folders = [folder for folder in self.folders() if prefix and folder.name.startswith(prefix)]
        if not folders:
            raise RegistryError(
                f"no record here has an id that starts with {prefix!r}; `perfdb list` shows those there are."
            )
        if len(folders) > 1:
            ids = ", ".join(folder.name for folder in folders[:5])
            raise RegistryError(f"{len(folders)} records have ids that start with {prefix!r}: {ids}. Type more digits.")
        return Entry(read_record(folders[0] / RECORD_FILE), folders[0])


def read_record(path: Path) -> Record:
    """The record in a `record.json`, whose id must fit its content and its folder.

    Raises:
        RecordError: it can't be read, is too large, is of a newer schema, or is not what its id says.
    """
    try:
        status = path.lstat()  # git carries links, and a stranger's may lead anywhere
        if not stat.S_ISREG(status.st_mode):
            raise RecordError(f"{path} is no plain file, as a record is. Restore it from git.")
        if status.st_size > LARGEST_RECORD:
            raise RecordError(f"{path} is larger than any record may be ({LARGEST_RECORD} bytes).")
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        record = parse_record(data)
    except NewerRecordError as error:
        raise NewerRecordError(f"{path} cannot be used: {error}.") from error
    except RecordError as error:
        raise RecordError(f"{path} is no record that can be used: {error}. Restore it from git.") from error
    if record.record_id != path.parent.name:
        raise RecordError(f"{path} holds record {record.record_id}, whose folder has that name. Restore it from git.")
    return record


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    sums = "".join(f"{sha256_hex(data)}  {name}\n" for name, data in sorted(files.items()))
    folders = {folder}
    for name, data in [*sorted(files.items()), (SUMS_FILE, sums.encode())]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        folders.add(path.parent)
        write_new(path, data)
    for each in folders:
        sync_folder(each)


def _is_closed(folder: Path) -> bool:
    try:
        return stat.S_ISDIR(folder.stat().st_mode) and not os.access(folder, os.R_OK | os.X_OK)
    except OSError as error:
        return isinstance(error, PermissionError)

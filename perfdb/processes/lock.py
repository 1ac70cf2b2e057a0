"""One at a time, on any file system.

The lock is a folder: `mkdir` is atomic on NFS too, where `flock` may fail or lie. Its price is that a crash leaves the
folder behind, so it names its owner, and whoever finds the owner dead takes it over.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from perfdb.errors import RegistryError
from perfdb.processes.identity import ProcessIdentity

# An owner on another host can't be asked whether it lives; nothing here holds a lock for as long as this.
FOREIGN_STALE_S = 1800.0
# Between `mkdir` and the owner's file there is an instant without an owner.
NAMELESS_STALE_S = 10.0


class LockTimeout(RegistryError):
    """Somebody else held the lock for longer than we could wait."""


class Lock:
    """`with Lock(path, wait_s=5): ...` holds `path` alone.

    Raises:
        LockTimeout: another process held it for `wait_s` seconds.
        RegistryError: it can't be made there.
    """

    def __init__(self, path: Path, wait_s: float) -> None:
        self.path = path
        self.wait_s = wait_s

    def __enter__(self) -> Self:
        deadline = time.monotonic() + self.wait_s
        pause = 0.005
        while not self._take():
            if self._is_stale():
                self._break()
                continue
            if time.monotonic() >= deadline:
                raise LockTimeout(
                    f"another perfdb process has held {self.path.name} for {self.wait_s:g} s. Wait for it and try again; "
                    f"if none runs, remove the folder {self.path}."
                )
            time.sleep(pause)  # there is no event to wait for on a shared file system
            pause = min(0.1, pause * 1.5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _take(self) -> bool:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.path.mkdir()
            except FileExistsError:
                return False
            try:
                (self.path / "owner").write_text(ProcessIdentity.mine().to_json())
            except OSError:
                shutil.rmtree(self.path, ignore_errors=True)
                raise
        except OSError as error:
            raise RegistryError(
                f"the lock {self.path} could not be made: {error.strerror}. Mend that, or set PERFDB_STATE_DIR to a folder "
                "on a local disk that you may write to."
            ) from error
        return True

    def _is_stale(self) -> bool:
        try:
            age = time.time() - self.path.stat().st_mtime
            owner = ProcessIdentity.from_json((self.path / "owner").read_text())
        except FileNotFoundError:
            return self.path.exists() and age_of(self.path) > NAMELESS_STALE_S
        if owner is None:
            return age > NAMELESS_STALE_S
        return not owner.alive() if owner.is_here else age > FOREIGN_STALE_S

    def _break(self) -> None:
        # Two who both saw a dead owner must not both remove it: the second would remove the first one's new lock.
        guard = self.path.with_name(f"{self.path.name}.breaking")
        try:
            guard.mkdir()
        except FileExistsError:
            if age_of(guard) > NAMELESS_STALE_S:
                _remove(guard)
            return
        try:
            if self._is_stale():
                shutil.rmtree(self.path, ignore_errors=True)
        finally:
            _remove(guard)


def _remove(guard: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # another, who took it for stale, was quicker
        guard.rmdir()


def age_of(path: Path) -> float:
    """Seconds since `path` last changed; 0 when it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0

"""One at a time, on any file system.

The lock is a folder: `mkdir` is atomic on NFS too, where `flock` may fail or lie. Its price is that a crash leaves the
folder behind, so it names its owner, and whoever finds the owner dead takes it over. It may lie where others write too,
so what is found there is looked at before it is opened, and nothing that is found there makes us wait for ever.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from perfdb.errors import RegistryError
from perfdb.processes.identity import ProcessIdentity

# An owner on another host can't be asked whether it lives; nothing here holds a lock for as long as this.
FOREIGN_STALE_S = 1800.0
# Between `mkdir` and the owner's file there is an instant without an owner. It may be short: a folder that got its owner
# after all is not empty, and is not removed.
NAMELESS_STALE_S = 1.0
# An owner's file that was cut off, or is about to be written.
DAMAGED_STALE_S = 10.0
# Who waits for longer says so.
QUIET_S = 1.0
_OWNER_BYTES = 4096


class LockTimeout(RegistryError):
    """Somebody else held the lock for longer than we could wait."""


class Lock:
    """`with Lock(path, wait_s=5): ...` holds `path` alone. `waits` is called once, if it takes a while.

    Raises:
        LockTimeout: another process held it for `wait_s` seconds.
        RegistryError: it can't be made there, or what lies there is no lock.
    """

    def __init__(self, path: Path, wait_s: float, waits: Callable[[], None] | None = None) -> None:
        self.path = path
        self.wait_s = wait_s
        self._waits = waits

    def __enter__(self) -> Self:
        begun = time.monotonic()
        pause = 0.005
        freed = False
        while not self._take():
            stale = self._is_stale()
            if stale and self._break() and not freed:
                freed = True  # the next try costs no time; but others may take it and die again and again
                continue
            waited_s = time.monotonic() - begun
            if waited_s >= self.wait_s:
                raise LockTimeout(self._in_vain(stale))
            if self._waits is not None and waited_s > QUIET_S:
                self._waits()
                self._waits = None
            time.sleep(pause)  # there is no event to wait for on a shared file system
            pause = min(0.1, pause * 1.5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _in_vain(self, stale: bool) -> str:
        if stale:
            return (
                f"the lock {self.path} was left by a process that is gone, and could not be removed within "
                f"{self.wait_s:g} s. Look whose it is with `ls -ld {self.path}*`, and remove it."
            )
        return (
            f"another perfdb process has held {self.path.name} for {self.wait_s:g} s. Wait for it and try again; "
            f"if none runs, remove the folder {self.path}."
        )

    def _take(self) -> bool:
        mine = ProcessIdentity.mine().to_json()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.path.mkdir()
            except FileExistsError:
                return False
            try:
                with (self.path / "owner").open("x") as file:
                    file.write(mine)
            except (FileExistsError, FileNotFoundError):
                return False  # we were so slow that the folder was removed, and may be another's now
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
        """Whether its owner is gone.

        Raises:
            RegistryError: it is none of ours to judge.
        """
        try:
            found = self.path.lstat()
            if not stat.S_ISDIR(found.st_mode):
                raise self._no_lock("is no folder")
            age_s = time.time() - found.st_mtime
            text = self._owner()
        except FileNotFoundError:
            return self._is_nameless()
        except OSError as error:
            if error.errno == errno.ESTALE:  # NFS's word for what was removed just now
                return False
            raise self._no_lock(f"cannot be read: {error.strerror}") from error
        owner = _identity(text)
        if owner is None:
            return age_s > DAMAGED_STALE_S
        return not owner.alive() if owner.is_here else age_s > FOREIGN_STALE_S

    def _owner(self) -> str:
        # A pipe that somebody put there would keep us at its opening for ever.
        descriptor = os.open(self.path / "owner", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor has no path)
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return file.read(_OWNER_BYTES).decode(errors="replace")
        raise self._no_lock("names no owner in a file")

    def _is_nameless(self) -> bool:
        try:
            return age_of(self.path) > NAMELESS_STALE_S and not any(self.path.iterdir())
        except OSError:
            return False

    def _no_lock(self, why: str) -> RegistryError:
        return RegistryError(
            f"{self.path} lies where perfdb keeps a lock, and {why}. Look whose it is with `ls -ld {self.path}`; remove it if "
            "no perfdb process of yours runs."
        )

    def _break(self) -> bool:
        """Whether the lock is gone now."""
        # Two who both saw a dead owner must not both remove it: the second would remove the first one's new lock.
        guard = self.path.with_name(f"{self.path.name}.breaking")
        try:
            guard.mkdir()
        except FileExistsError:
            if age_of(guard) > DAMAGED_STALE_S:
                _remove(guard)
            return False
        except OSError as error:
            raise self._no_lock(f"cannot be removed: {error.strerror}") from error
        try:
            if self._is_nameless():
                _remove(self.path)
            elif self._is_stale():
                shutil.rmtree(self.path, ignore_errors=True)
            return not os.path.lexists(self.path)
        finally:
            _remove(guard)


def _identity(text: str) -> ProcessIdentity | None:
    try:
        owner = ProcessIdentity.from_json(text)
    except (OverflowError, RecursionError):
        return None
    return owner if owner is not None and owner.pid > 0 else None


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):  # another was quicker, or somebody put it there
        folder.rmdir()


def age_of(path: Path) -> float:
    """Seconds since `path` last changed; 0 when it is gone."""
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0

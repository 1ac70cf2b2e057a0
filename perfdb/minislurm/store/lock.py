"""Who may write: the one that holds this lock. The kernel gives it back when its holder ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from types import TracebackType
from typing import Self

from perfdb.errors import MiniSlurmError
from perfdb.minislurm.places import Places


class WriterLock:
    """Held from `try_take` to `release`. Its descriptor goes to no child."""

    def __init__(self, places: Places) -> None:
        make_folders(places)
        self._places = places
        self._database: int | None = None
        try:
            self._fd = os.open(places.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _no_folder(places, error) from error

    def try_take(self) -> bool:
        """Take it unless somebody has it; True when it is ours."""
        if not self._flock(self._fd):
            return False
        if self._database is None:
            # The lock's file may have been removed while somebody held it, and this is a new one.
            with contextlib.suppress(OSError):  # whoever opens the database tells what is wrong with it
                self._database = os.open(self._places.database, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._database is None or self._flock(self._database):
            return True
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        return False

    def _flock(self, file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise MiniSlurmError(
                f"{self._places.home} is on a file system without locks ({error.strerror}), and mini-slurm needs them to keep "
                "its state: set MINI_SLURM_HOME to a folder on a disk of this machine."
            ) from error
        return True

    def take(self, wait_s: float) -> bool:
        """As `try_take`, for so many seconds: commands hold it for an instant."""
        end_s = time.monotonic() + wait_s
        while not self.try_take():
            if time.monotonic() >= end_s:
                return False
            time.sleep(0.01)
        return True

    def release(self) -> None:
        """Give it back, if it is ours."""
        if self._database is not None:
            os.close(self._database)
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


def make_folders(places: Places) -> None:
    """The folders below the home, for this user alone.

    Raises:
        MiniSlurmError: they can't be made.
    """
    try:
        places.home.mkdir(parents=True, exist_ok=True)
        for folder in (places.run, places.logs):
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _no_folder(places, error) from error


def _no_folder(places: Places, error: OSError) -> MiniSlurmError:
    return MiniSlurmError(
        f"mini-slurm can't keep its state below {places.home} ({error.strerror}): see that it is yours and has room, or set "
        "MINI_SLURM_HOME to another folder."
    )

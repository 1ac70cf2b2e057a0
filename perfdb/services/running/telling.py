"""The connection file of a service that runs: the only one of its folder, and gone with the service."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self

from perfdb.errors import RegistryError, ServiceError
from perfdb.processes.lock import Lock, LockTimeout
from perfdb.services.connection import FILE, put

# For one that is about to end.
_WAIT_S = 2.0


class ConnectionFile:
    """A context: nobody else's folder while it lasts. An older service's file is gone with its beginning, ours with its end.

    Raises:
        ServiceError: another service tells of itself there, or nothing can be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE
        self._text: str | None = None
        self._lock = Lock(folder / f".{FILE}.lock", _WAIT_S)

    def __enter__(self) -> Self:
        try:
            self._lock.__enter__()
        except LockTimeout as error:
            raise ServiceError(
                f"a service that runs tells of itself in {self._folder} already, and {FILE} can tell of one only: end that "
                f"one, or start this one in another folder ({error})"
            ) from error
        except RegistryError as error:
            raise ServiceError(f"{error} Or start from a folder that you may write to.") from error
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            self._lock.__exit__(None, None, None)
            raise ServiceError(
                f"{self._path} is another service's and cannot be removed: {error.strerror}. Remove it, or start from a "
                "folder that you may write to."
            ) from error
        return self

    def put(self, text: str) -> None:
        """Have it hold that.

        Raises:
            ServiceError: it can't be written.
        """
        put(self._path, text)
        self._text = text

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            if self._text is not None and self._path.read_bytes() == self._text.encode():
                self._path.unlink()
        self._lock.__exit__(kind, error, trace)

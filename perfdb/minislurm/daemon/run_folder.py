"""The folder of journals: where somebody has removed it, nobody knows what its journals said."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from perfdb.minislurm.places import Places
from perfdb.minislurm.store import loading


def recognise(connection: sqlite3.Connection, places: Places) -> None:
    """See whether it is the one that this database's last daemon had; from now on it is.

    In that one, an attempt without a journal has not begun. In another one it may have, and must not begin again: it gets a
    journal that says nothing.

    Raises:
        OSError: there is no room for one.
    """
    mark = _mark(places)
    instance = loading.instance(connection)
    with contextlib.suppress(OSError):
        if mark.read_text(encoding="utf-8", errors="replace") == instance:
            return
    for promise in loading.promises(connection):
        path = places.journal(promise.id, promise.attempt)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    # Last, and where there is no room for it, the next daemon takes no risk.
    with contextlib.suppress(OSError):
        mark.write_text(instance, encoding="utf-8")


def is_there(places: Places) -> bool:
    """Whether nobody has removed it since."""
    return _mark(places).exists()


def _mark(places: Places) -> Path:
    return places.run / "database"

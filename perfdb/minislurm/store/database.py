"""Opening the database: for the one writer, or to read."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Iterator

from perfdb.errors import MiniSlurmError
from perfdb.minislurm.places import Places
from perfdb.minislurm.store import schema


def open_to_write(places: Places) -> sqlite3.Connection:
    """The database, made where there is none. Only for whoever holds the lock of `store.lock`.

    Raises:
        MiniSlurmError: it can't be read or made, or is not ours.
    """
    try:
        # Environments of jobs are in it, secrets too: nobody else may read it, not even for an instant.
        os.close(os.open(places.database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(places.database, isolation_level=None, timeout=10)
    except (OSError, sqlite3.Error) as error:
        raise _no_database(places, error) from error
    try:
        if not schema.check(connection, places.database):
            connection.execute("PRAGMA journal_mode = WAL")
            schema.create(connection)
        connection.execute("PRAGMA synchronous = FULL")
        # Names our cgroups: a job 1 of another database on this machine is another job.
        connection.execute("INSERT OR IGNORE INTO facts VALUES ('instance', ?)", (uuid.uuid4().hex[:8],))
    except sqlite3.Error as error:
        connection.close()
        raise _no_database(places, error) from error
    except MiniSlurmError:
        connection.close()
        raise
    return connection


def open_to_read(places: Places) -> sqlite3.Connection:
    """The database, or an empty one in memory where there is none yet.

    Raises:
        MiniSlurmError: it can't be read, or is not ours.
    """
    try:
        connection = sqlite3.connect(f"{places.database.as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10)
    except sqlite3.OperationalError as error:
        if places.database.exists():
            raise _no_database(places, error) from error
        connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        if not schema.check(connection, places.database):
            connection.close()
            connection = sqlite3.connect(":memory:", isolation_level=None)
            schema.create(connection)
        connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written within, or nothing of it; on disk when it ends.

    Raises:
        MiniSlurmError: it can't be written, as on a full disk; nothing of it was.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        _roll_back(connection)
        raise MiniSlurmError(
            f"mini-slurm can't write its database ({error}), so nothing of this was stored: make room on the disk that "
            "MINI_SLURM_HOME (by default your home folder) is on, and try again."
        ) from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _no_database(places: Places, error: Exception) -> MiniSlurmError:
    return MiniSlurmError(
        f"mini-slurm's database {places.database} can't be opened ({error}): see that its folder exists, is yours and has "
        "room, or set MINI_SLURM_HOME to another one."
    )

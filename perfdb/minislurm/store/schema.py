"""The tables, and whether a file has them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from perfdb.errors import MiniSlurmError

# "msl1": tells our database from any other program's.
APPLICATION_ID = 0x6D736C31
VERSION = 1

# What is the same for all tasks of an array stands once, in `submissions`.
TABLES = """
CREATE TABLE submissions (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, command TEXT NOT NULL, spec TEXT NOT NULL, env TEXT NOT NULL
);
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY, submission INTEGER NOT NULL REFERENCES submissions (id), array_id INTEGER, array_index INTEGER,
    cpus INTEGER NOT NULL, is_elastic INTEGER NOT NULL, min_cpus INTEGER NOT NULL, max_cpus INTEGER NOT NULL,
    current_cpus INTEGER NOT NULL, target_cpus INTEGER NOT NULL, generation INTEGER NOT NULL DEFAULT 0, mem_mb INTEGER NOT NULL,
    priority INTEGER NOT NULL, limit_s REAL, state TEXT NOT NULL DEFAULT 'PENDING', reason TEXT NOT NULL DEFAULT '',
    attempt INTEGER NOT NULL DEFAULT 0, boot TEXT NOT NULL, submit_at REAL NOT NULL, allocated_at REAL, started_at REAL,
    ended_at REAL, submit_ns INTEGER NOT NULL, allocated_ns INTEGER, started_ns INTEGER, ended_ns INTEGER, resized_ns INTEGER,
    exit_code INTEGER, signal INTEGER, cpu_ids TEXT NOT NULL DEFAULT '', enforcement TEXT NOT NULL DEFAULT '', cpu_s REAL,
    peak_kb INTEGER, control_file TEXT NOT NULL, is_cancelled INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX live_jobs ON jobs (state) WHERE state IN ('PENDING', 'RUNNING');
CREATE INDEX array_jobs ON jobs (array_id) WHERE array_id IS NOT NULL;
CREATE TABLE events (
    job INTEGER NOT NULL, kind TEXT NOT NULL, generation INTEGER NOT NULL, ns INTEGER NOT NULL, at REAL NOT NULL,
    boot TEXT NOT NULL, cpus_from INTEGER, cpus_to INTEGER, detail TEXT NOT NULL
);
CREATE INDEX job_events ON events (job);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def check(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the database at `path` has our tables; False of an empty one.

    Raises:
        MiniSlurmError: it is somebody else's, or a newer mini-slurm's, or no database. It is left as it was.
    """
    elsewhere = f"it was left as it is: move it away (mv {path} {path}.old), or set MINI_SLURM_HOME to another folder."
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = [
            row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
    except sqlite3.DatabaseError as error:
        raise MiniSlurmError(f"{path} can't be read as a database ({error}); {elsewhere}") from error
    if application == 0 and not tables:
        return False
    if application != APPLICATION_ID:
        raise MiniSlurmError(
            f"{path} is another program's database, with the tables {', '.join(tables) or '(none)'}; {elsewhere}"
        )
    if version > VERSION:
        raise MiniSlurmError(
            f"{path} was written by a newer mini-slurm (format {version}; this one knows {VERSION}); update perfdb, or {elsewhere}"
        )
    return True


def create(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty database, all or none."""
    connection.executescript(
        f"BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
    )

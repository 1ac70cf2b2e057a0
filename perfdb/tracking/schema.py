"""How old a database of MLflow's is, told from its files: importing MLflow would take seconds."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

Age = Literal["current", "older", "newer"]

# MLflow keeps its migrations as alembic revisions: a file each, which names itself and the one before it.
_VERSIONS = Path("store", "db_migrations", "versions")
_REVISION = re.compile(r"^(down_)?revision\s*(?::[^=\n]*)?=\s*[\"'](\w+)[\"']", re.MULTILINE)


def age_of_database(database: Path, *, wait_s: float) -> Age | None:
    """Whether MLflow's SQLite database was made for an older or a newer MLflow than the one that is installed.

    MLflow works with a `current` one only. One is `newer` where it is at a revision that this MLflow does not know.

    Args:
        wait_s: Seconds to wait for another's lock on it.

    Returns:
        None where it has no schema of MLflow's, or this MLflow does not say what it wants.

    Raises:
        sqlite3.Error: it can't be read.
    """
    known, newest = _revisions()
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=wait_s)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None or not newest:
        return None
    if row[0] in newest:
        return "current"
    return "older" if row[0] in known else "newer"


def _revisions() -> tuple[set[str], set[str]]:
    """All revisions that the installed MLflow knows, and those that no other one follows."""
    spec = find_spec("mlflow")
    folders = [] if spec is None else [Path(where, _VERSIONS) for where in spec.submodule_search_locations or ()]
    known: set[str] = set()
    followed: set[str] = set()
    for folder in folders:
        for file in folder.glob("*.py"):
            for down, revision in _REVISION.findall(file.read_text(encoding="utf-8", errors="replace")):
                (followed if down else known).add(revision)
    return known, known - followed

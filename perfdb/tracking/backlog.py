"""What MLflow does not show yet, without asking it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from perfdb.registry.remarks import NO_REMARKS, remarks_of
from perfdb.tracking.seen import glance, settled


def backlog(database: Path, registry: Path, record_ids: Iterable[str], *, wait_s: float) -> int:
    """How many of the records a SQLite database of MLflow's lacks, or shows without the remarks on them.

    Args:
        registry: Where the remarks are.
        wait_s: Seconds to wait for another's lock on the database.

    Raises:
        sqlite3.Error: it can't be read.
    """
    seen, said = glance(database, wait_s=wait_s), remarks_of(registry)
    return sum(settled(seen.get(one, ()), said.get(one, NO_REMARKS)) is None for one in set(record_ids))

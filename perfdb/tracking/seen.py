"""What MLflow holds of a record, and whether that is all of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfdb.registry.remarks import Remarks
from perfdb.tracking.mapping import COMPLETE, MIRROR_TAG, RECORD_TAG, REMARKS_TAG, RETRACTED_TAG

_ASKED = f"""
    SELECT id.value, run.run_uuid, run.experiment_id, run.lifecycle_stage, mirror.value, remarks.value, retracted.value
    FROM tags AS id JOIN runs AS run ON run.run_uuid = id.run_uuid
    LEFT JOIN tags AS mirror ON mirror.run_uuid = id.run_uuid AND mirror.key = '{MIRROR_TAG}'
    LEFT JOIN tags AS remarks ON remarks.run_uuid = id.run_uuid AND remarks.key = '{REMARKS_TAG}'
    LEFT JOIN tags AS retracted ON retracted.run_uuid = id.run_uuid AND retracted.key = '{RETRACTED_TAG}'
    WHERE id.key = '{RECORD_TAG}'
"""  # noqa: S608 our own constants


@dataclass(frozen=True)
class SeenRun:
    """One run in MLflow that carries a record's id.

    Attributes:
        state: How far its sending got.
        remarks: The mark of the remarks that it shows.
        retracted: Whether it says that its record is withdrawn.
        deleted: Whether it is deleted, in MLflow's sense.
    """

    record_id: str
    run_id: str
    experiment_id: str
    state: str | None
    remarks: str | None
    retracted: bool
    deleted: bool

    @classmethod
    def of(cls, run: Any) -> SeenRun:
        """As MLflow's client gives it."""
        tags = run.data.tags
        return cls(
            record_id=tags.get(RECORD_TAG, ""),
            run_id=run.info.run_id,
            experiment_id=run.info.experiment_id,
            state=tags.get(MIRROR_TAG),
            remarks=tags.get(REMARKS_TAG),
            retracted=RETRACTED_TAG in tags,
            deleted=run.info.lifecycle_stage == "deleted",
        )


def settled(runs: Iterable[SeenRun], remarks: Remarks) -> SeenRun | None:
    """The run that shows a record and what is said about it; None where something is left to be done.

    Args:
        runs: All of one record's.
    """
    runs = list(runs)
    active = [run for run in runs if not run.deleted]
    if remarks.retraction:
        withdrawn = [run for run in runs if run.deleted and run.retracted and run.state == COMPLETE]
        return withdrawn[0] if withdrawn and not active else None
    if len(active) == 1 and active[0].state == COMPLETE and active[0].remarks == remarks.mark:
        return active[0]
    return None


def glance(database: Path, record_ids: Collection[str] | None = None, *, wait_s: float) -> dict[str, list[SeenRun]]:
    """The runs of all records in MLflow's SQLite database, or of some, by record id: without MLflow, in milliseconds.

    Raises:
        sqlite3.Error: it is not there, is locked for `wait_s` seconds, is damaged, or of a version that is laid out
            otherwise. MLflow itself then finds the words for it.
    """
    chosen, values = "", [*(record_ids or ())]
    if record_ids is not None:
        chosen = f"AND id.value IN ({','.join('?' * len(values))})"
    found: dict[str, list[SeenRun]] = {}
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=wait_s)) as connection:
        for record_id, run_id, experiment_id, stage, state, mark, retracted in connection.execute(
            f"{_ASKED} {chosen}", values
        ):
            run = SeenRun(record_id, run_id, str(experiment_id), state, mark, retracted is not None, stage == "deleted")
            found.setdefault(record_id, []).append(run)
    return found

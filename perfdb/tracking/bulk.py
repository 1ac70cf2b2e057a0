"""Many records into a local SQLite database at once: MLflow's own models, a transaction a batch, no question a record.

MLflow's client takes forty milliseconds a record, most of it asking what is there. Here that is known: only records
that the database holds nothing of are written, under the lock that all of us write under. Their files are copied first,
then all rows of all runs arrive in one transaction, the completion tag among them. A process that is killed before has
written nothing that MLflow shows; the next one copies the same files to the same place, since a run's id follows from
its record's. Everything else, be it half-sent, doubled, opened or deleted by hand, is left to `mirror.mirror_record`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfdb.errors import RecordError
from perfdb.record import Record, derived_uuid
from perfdb.registry.remarks import NO_REMARKS, Remarks
from perfdb.tracking.door import alone, words_for
from perfdb.tracking.files import files_of
from perfdb.tracking.mapping import COMPLETE, MIRROR_TAG, Payload, Point, payload_of
from perfdb.tracking.mirror import MirrorResult, SyncItem, SyncStep, artifacts_at, experiment_of
from perfdb.tracking.seen import glance, settled
from perfdb.tracking.target import Target


@dataclass(frozen=True)
class _Draft:
    record: Record
    folder: Path
    files: list[Path]
    payload: Payload

    @property
    def run_id(self) -> str:
        return derived_uuid("perfdb-mlflow-run", self.record.record_id)


def send_batch(
    client: Any,
    target: Target,
    items: Sequence[SyncItem],
    read: Callable[[str], Record],
    said: Mapping[str, Remarks],
    *,
    wait_s: float,
) -> dict[str, SyncStep]:
    """Write those of these records that MLflow holds nothing of; what became of each that was dealt with, by id.

    Args:
        target: With a SQLite database that MLflow has set up.

    Raises:
        TrackingError: nothing of the batch was written.
    """
    database = target.database
    assert database is not None
    with words_for(target):
        seen = glance(database, [item.record_id for item in items], wait_s=wait_s)
        steps: dict[str, SyncStep] = {}
        drafts: dict[str, _Draft] = {}
        for item in items:
            runs = seen.get(item.record_id, [])
            if known := settled(runs, said.get(item.record_id, NO_REMARKS)):
                result = MirrorResult(known.run_id, known.experiment_id, "unchanged")
                steps[item.record_id] = SyncStep(item.record_id, result)
            elif not runs and item.run_id is None:
                try:
                    drafts[item.record_id] = _draft(item, target, read, said)
                except RecordError as error:
                    steps[item.record_id] = SyncStep(item.record_id, None, str(error))
        if drafts:
            steps |= _write(client, target, database, drafts, wait_s)
    return steps


def _draft(item: SyncItem, target: Target, read: Callable[[str], Record], said: Mapping[str, Remarks]) -> _Draft:
    record, folder = read(item.folder), Path(item.folder)
    payload = payload_of(record, said.get(item.record_id, NO_REMARKS), target.report_url)
    return _Draft(record, folder, files_of(record, folder), payload)


def _write(
    client: Any, target: Target, database: Path, drafts: dict[str, _Draft], wait_s: float
) -> dict[str, SyncStep]:
    places = {}
    for name in {draft.record.experiment for draft in drafts.values()}:
        places[name] = client.get_experiment(experiment_of(client, target, name, wait_s))
    with alone(target, wait_s):
        there = glance(database, drafts, wait_s=wait_s)  # another process may have been quicker
        missing = [draft for record_id, draft in drafts.items() if record_id not in there]
        rows = _Rows()
        for draft in missing:
            place = places[draft.record.experiment]
            uri = rows.add(draft, place.experiment_id, place.artifact_location)
            artifacts = artifacts_at(target, uri)
            for file in draft.files:
                below = file.parent.relative_to(draft.folder).as_posix()
                artifacts.log_artifact(str(file), None if below == "." else below)
        rows.insert(client)
    return {
        draft.record.record_id: SyncStep(
            draft.record.record_id,
            MirrorResult(draft.run_id, places[draft.record.experiment].experiment_id, "created"),
        )
        for draft in missing
    }


class _Rows:
    """What MLflow's own client would have written, table by table."""

    def __init__(self) -> None:
        self._runs: list[dict[str, Any]] = []
        self._tags: list[dict[str, Any]] = []
        self._params: list[dict[str, Any]] = []
        self._metrics: list[dict[str, Any]] = []
        self._latest: list[dict[str, Any]] = []

    def add(self, draft: _Draft, experiment_id: str, location: str) -> str:
        """One run; where its files go."""
        from mlflow.utils.uri import append_to_uri_path

        payload, run = draft.payload, {"run_uuid": draft.run_id}
        uri = str(append_to_uri_path(location, draft.run_id, "artifacts"))
        self._runs.append(
            {
                **run,
                "name": draft.record.run_name,
                "artifact_uri": uri,
                "experiment_id": int(experiment_id),
                "source_type": "UNKNOWN",
                "source_name": "",
                "entry_point_name": "",
                "source_version": "",
                "user_id": "unknown",
                "status": payload.status,
                "start_time": payload.started_ms,
                "end_time": payload.ended_ms,
                "lifecycle_stage": "deleted" if payload.retracted else "active",
                "deleted_time": int(time.time() * 1000) if payload.retracted else None,
            }
        )
        tags = {**payload.tags, "mlflow.runName": draft.record.run_name, MIRROR_TAG: COMPLETE}
        self._tags += [{**run, "key": key, "value": value} for key, value in tags.items()]
        self._params += [{**run, "key": key, "value": value} for key, value in payload.params.items()]
        points = list(dict.fromkeys(payload.points))  # MLflow keeps equal points once
        self._metrics += [_metric(run, point, payload.ended_ms) for point in points]
        latest: dict[str, Point] = {}
        for point in points:
            known = latest.get(point.key)
            if known is None or (point.step, point.value) > (known.step, known.value):
                latest[point.key] = point
        self._latest += [_metric(run, point, payload.ended_ms) for point in latest.values()]
        return uri

    def insert(self, client: Any) -> None:
        """All of it, or nothing."""
        from mlflow.store.tracking.dbmodels import models
        from sqlalchemy import insert

        if not self._runs:
            return
        tables = {
            models.SqlRun: self._runs,
            models.SqlTag: self._tags,
            models.SqlParam: self._params,
            models.SqlMetric: self._metrics,
            models.SqlLatestMetric: self._latest,
        }
        with client._tracking_client.store.ManagedSessionMaker(read_only=False) as session:
            for model, rows in tables.items():
                if rows:
                    session.execute(insert(model.__table__), rows)


def _metric(run: dict[str, Any], point: Point, timestamp_ms: int) -> dict[str, Any]:
    value = {"key": point.key, "value": point.value, "step": point.step}
    return {**run, **value, "timestamp": timestamp_ms, "is_nan": False}

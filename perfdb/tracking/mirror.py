"""One MLflow run for each record, whoever sends it, how often, and wherever an earlier try was cut off.

A run is found by its tag `perfdb.record_id`. The tag `perfdb.mirror` says how far it got: `1:open` before the
measurement, `1:begun` while it is sent, `1:complete` as the very last step. Everything sent in between is the same each
time, so a cut-off run is completed by sending all of it again. Processes that share a state folder take turns.
Hosts that share only a server may both create a run for one record; each looks again afterwards, and both choose the
same one to keep, the oldest, so one is left.

What people say about a record afterwards goes to its run too, the tag `perfdb.remarks` last. The run of a withdrawn
record says so and is then deleted, as MLflow calls it: no chart shows it, "Deleted" does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from perfdb.record import Record
from perfdb.registry.remarks import NO_REMARKS, Remarks
from perfdb.tracking.door import alone, words_for
from perfdb.tracking.files import files_of
from perfdb.tracking.mapping import (
    BEGUN,
    COMPLETE,
    JOURNAL_TAG,
    MIRROR_TAG,
    OPEN,
    RECORD_TAG,
    REMARKS_TAG,
    Payload,
    fit_tags,
    is_remarked,
    payload_of,
)
from perfdb.tracking.seen import SeenRun, settled
from perfdb.tracking.target import Target

PAGE = 1000


@dataclass(frozen=True)
class MirrorResult:
    """Where a record is in MLflow, and whether anything had to be sent."""

    run_id: str
    experiment_id: str
    outcome: Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class SyncItem:
    """One record of the registry, not yet read."""

    record_id: str
    experiment: str
    folder: str
    run_id: str | None = None


@dataclass(frozen=True)
class SyncStep:
    """What became of one record: a result, or the paragraph that says why there is none."""

    record_id: str
    result: MirrorResult | None
    error: str | None = None


def open_run(
    client: Any,
    target: Target,
    *,
    experiment: str,
    run_name: str,
    started_ms: int,
    tags: Mapping[str, str],
    wait_s: float,
) -> MirrorResult:
    """A run that MLflow shows as RUNNING, to be completed by `mirror_record`.

    Raises:
        TrackingError: MLflow did not take it.
    """
    with words_for(target):
        experiment_id = experiment_of(client, target, experiment, wait_s)
        known = fit_tags({**tags, MIRROR_TAG: OPEN, "mlflow.source.name": "perfdb", "mlflow.source.type": "LOCAL"})
        run = client.create_run(experiment_id, start_time=started_ms, run_name=run_name, tags=known)
    return MirrorResult(run.info.run_id, experiment_id, "created")


def mirror_record(
    client: Any,
    target: Target,
    record: Record,
    folder: Path,
    *,
    wait_s: float,
    run_id: str | None = None,
    journal: str | None = None,
    remarks: Remarks = NO_REMARKS,
) -> MirrorResult:
    """Make sure that MLflow holds this record, and what is said about it, as exactly one complete run.

    Args:
        wait_s: Seconds to wait for other processes of ours that write.
        run_id: The run that was opened for it, if it is known; else a new one is made.
        journal: Its `perfdb.journal` tag: finds the opened run when the answer with its id was lost.

    Raises:
        RecordError: the record's files are not what it says.
        TrackingError: MLflow did not take it; another call completes what was begun.
    """
    files, payload = files_of(record, folder), payload_of(record, remarks, target.report_url)
    with words_for(target):
        experiment_id = experiment_of(client, target, record.experiment, wait_s)
        with alone(target, wait_s):
            runs = tagged(client, experiment_id, RECORD_TAG, record.record_id)
            opened = _opened(client, experiment_id, run_id, journal)
            if done := settled(map(SeenRun.of, runs), remarks):
                for other in opened:
                    client.delete_run(other.info.run_id)
                return MirrorResult(done.run_id, experiment_id, "unchanged")
            run, outcome = _choose(client, _active(runs), opened)
            if outcome == "unchanged":
                if run.data.tags.get(REMARKS_TAG) != remarks.mark:
                    _remark(client, run, payload)
                    outcome = "updated"
            else:
                run = run or _create(client, experiment_id, record, payload)
                _send(client, target, run, folder, files, payload)
                runs = tagged(client, experiment_id, RECORD_TAG, record.record_id)
                run = min(_active(runs), key=_age, default=run)
            for other in [*_active(runs), *opened]:
                if other.info.run_id != run.info.run_id:
                    client.delete_run(other.info.run_id)
            if payload.retracted:
                client.delete_run(run.info.run_id)
                outcome = "created" if outcome == "created" else "updated"
    return MirrorResult(run.info.run_id, experiment_id, outcome)


def experiment_of(client: Any, target: Target, name: str, wait_s: float) -> str:
    """Its id; made where there is none, brought back where it was deleted, as a mirror shows all records."""
    from mlflow.exceptions import MlflowException

    known = client.get_experiment_by_name(name)
    if known is None:
        with alone(target, wait_s):
            known = client.get_experiment_by_name(name)
            if known is None:
                location = None if target.is_http else (Path(target.artifact_root) / name).as_uri()
                try:
                    return str(client.create_experiment(name, artifact_location=location))
                except MlflowException:
                    known = client.get_experiment_by_name(name)  # another host was first
                    if known is None:
                        raise
    if known.lifecycle_stage != "active":
        client.restore_experiment(known.experiment_id)
    return str(known.experiment_id)


def tagged(client: Any, experiment_id: str, tag: str, value: str) -> list[Any]:
    """Every run that carries the tag, deleted ones too, page by page."""
    from mlflow.entities import ViewType

    runs: list[Any] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment_id],
            filter_string=f"tags.`{tag}` = '{value}'",
            run_view_type=ViewType.ALL,
            max_results=PAGE,
            page_token=token,
        )
        runs += page
        token = page.token
        if not token:
            return runs


def _active(runs: list[Any]) -> list[Any]:
    return [run for run in runs if run.info.lifecycle_stage == "active"]


def _opened(client: Any, experiment_id: str, run_id: str | None, journal: str | None) -> list[Any]:
    """Runs that were opened for this record and never got further; somebody else's run is never taken."""
    from mlflow.exceptions import MlflowException

    runs = tagged(client, experiment_id, JOURNAL_TAG, journal) if journal and journal.isalnum() else []
    if run_id and run_id not in [run.info.run_id for run in runs]:
        try:
            runs.append(client.get_run(run_id))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
    return [
        run
        for run in runs
        if run.info.experiment_id == experiment_id
        and run.info.lifecycle_stage == "active"
        and run.data.tags.get(MIRROR_TAG) == OPEN
    ]


def _choose(client: Any, found: list[Any], opened: list[Any]) -> tuple[Any, Literal["created", "updated", "unchanged"]]:
    """The run to go on with, and what that makes of it; None where one must be created."""
    if not found:
        return (min(opened, key=_age), "updated") if opened else (None, "created")
    run = min(found, key=_age)
    state = run.data.tags.get(MIRROR_TAG)
    if state == COMPLETE:
        return run, "unchanged"
    if state in (BEGUN, OPEN):
        return run, "updated"
    client.delete_run(run.info.run_id)  # of another mapping: its parameters can't be changed, so it is made anew
    found.remove(run)
    return _choose(client, found, opened)


def _create(client: Any, experiment_id: str, record: Record, payload: Payload) -> Any:
    return client.create_run(
        experiment_id,
        start_time=payload.started_ms,
        run_name=record.run_name,
        tags={RECORD_TAG: record.record_id, MIRROR_TAG: BEGUN, "mlflow.source.name": "perfdb"},
    )


def _send(client: Any, target: Target, run: Any, folder: Path, files: list[Path], payload: Payload) -> None:
    """Everything of the record; sent twice, it is the same as sent once."""
    from mlflow.entities import Metric, Param, RunTag

    run_id = run.info.run_id
    artifacts = artifacts_at(target, run.info.artifact_uri)
    client.log_batch(
        run_id,
        metrics=[Metric(p.key, p.value, payload.ended_ms, p.step) for p in payload.points],
        params=[Param(key, value) for key, value in payload.params.items()],
        tags=[RunTag(key, value) for key, value in {MIRROR_TAG: BEGUN, **payload.tags}.items()],
    )
    for file in files:
        below = file.parent.relative_to(folder).as_posix()
        artifacts.log_artifact(str(file), None if below == "." else below)
    client.set_terminated(run_id, status=payload.status, end_time=payload.ended_ms)
    client.set_tag(run_id, MIRROR_TAG, COMPLETE)


def _remark(client: Any, run: Any, payload: Payload) -> None:
    """What is said about the record now, in place of what the run says; the mark last, which says that all is there."""
    from mlflow.entities import RunTag

    run_id, mark = run.info.run_id, payload.tags.get(REMARKS_TAG)
    said = [RunTag(key, value) for key, value in payload.remarks.items() if key != REMARKS_TAG]
    client.log_batch(run_id, tags=said)
    stale = [key for key in run.data.tags if is_remarked(key) and key not in payload.tags]
    for key in sorted(stale, key=lambda key: key == REMARKS_TAG):
        client.delete_tag(run_id, key)
    if mark is not None:
        client.set_tag(run_id, REMARKS_TAG, mark)


def artifacts_at(target: Target, uri: str) -> Any:
    """Where a run's files go.

    An experiment made through the local server names a place behind that server, which the database alone can't reach;
    that place is in our own artifact folder, so it is reached there.
    """
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    proxied = urlsplit(uri)
    if proxied.scheme == "mlflow-artifacts" and not target.is_http:
        parts = [part for part in proxied.path.split("/") if part not in ("", ".", "..")]
        uri = Path(target.artifact_root, *parts).as_uri()
    return get_artifact_repository(uri, tracking_uri=target.uri)


def _age(run: Any) -> tuple[int, str]:
    return run.info.start_time, run.info.run_id

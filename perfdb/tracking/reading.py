"""Every run of an MLflow, whoever wrote it: page by page, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from perfdb.errors import TrackingError, UsageError
from perfdb.tracking.faults import SYNC_HINT, shown, trouble
from perfdb.tracking.process import IMPORT_LIMIT_S, MirrorProcess, TooLate
from perfdb.tracking.target import Target

PAGE = 200
REQUEST_TIMEOUT_S = 60
WAIT_S = 60.0
# One run may have many metrics, each asked for by itself; this is for a server that never ends.
STEP_S = 600.0
AGAIN_HINT = "Once it works, import again: what came in already stays, and comes in only once"
_ALL = 3  # ViewType.ALL: what was deleted too


def read_runs(target: Target) -> Iterator[dict[str, Any]]:
    """Every run, active or deleted, of every experiment.

    Yields:
        run_id, experiment (its name), name, status, user, started_ms, ended_ms, deleted, deleted_ms (None: MLflow does not
        tell), params and tags (text by name), metrics (by name, all points as [ms since 1970, step, value]).

    Raises:
        UsageError: there is no such database.
        TrackingError: MLflow can't be reached, or failed on the way.
    """
    if target.database is not None and not target.database.is_file():
        # MLflow would make an empty one.
        raise UsageError(
            f"there is no database at {shown(target.uri)}. Give the tracking URI of an MLflow that is there."
        )
    child = MirrorProcess(target, request_timeout_s=REQUEST_TIMEOUT_S, retries=2)
    try:
        for stage in ("alive", "ready"):
            if stage not in (answer := child.read(IMPORT_LIMIT_S)):
                raise _told(answer["error"])
        child.send({"do": "runs", "limit_s": None, "wait_s": WAIT_S, "queue_s": None})
        while "done" not in (answer := child.read(STEP_S)):
            if "run" not in answer:
                raise _told(answer["error"])
            yield answer["run"]
    except TooLate:
        raise _told(str(trouble(target.uri, f"did not answer for {STEP_S:g} s"))) from None
    finally:
        child.kill()


def _told(paragraph: str) -> TrackingError:
    return TrackingError(paragraph.replace(SYNC_HINT, AGAIN_HINT))


def runs_of(client: Any, target: Target) -> Iterator[Mapping[str, Any]]:
    """What `read_runs` yields, asked of an `MlflowClient`; in the child."""
    from perfdb.tracking.door import words_for

    with words_for(target):
        for experiment in _pages(client.search_experiments, view_type=_ALL):
            search = {"experiment_ids": [experiment.experiment_id], "run_view_type": _ALL}
            for run in _pages(client.search_runs, **search, order_by=["attributes.start_time ASC"]):
                yield _plain(client, run, experiment)


def _pages(ask: Any, **arguments: Any) -> Iterator[Any]:
    token = None
    while True:
        page = ask(**arguments, max_results=PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _plain(client: Any, run: Any, experiment: Any) -> dict[str, Any]:
    info = run.info
    return {
        "run_id": info.run_id,
        "experiment": experiment.name,
        "name": info.run_name,
        "status": info.status,
        "user": info.user_id,
        "started_ms": info.start_time,
        "ended_ms": info.end_time,
        "deleted": "deleted" in (info.lifecycle_stage, experiment.lifecycle_stage),
        "deleted_ms": None,
        "params": dict(run.data.params),
        "tags": dict(run.data.tags),
        "metrics": {key: _points(client, info.run_id, key) for key in sorted(run.data.metrics)},
    }


def _points(client: Any, run_id: str, key: str) -> list[list[float]]:
    points = [[p.timestamp, p.step, p.value] for p in client.get_metric_history(run_id, key)]
    return sorted(points, key=lambda point: (point[1], point[0]))

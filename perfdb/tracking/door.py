"""The door to MLflow: the one place that imports it, quiets it and puts its failures into words."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from perfdb.errors import PerfdbError, TrackingError
from perfdb.processes.lock import Lock, LockTimeout
from perfdb.tracking.faults import move_away, plain, trouble
from perfdb.tracking.signin import how_to_sign_in
from perfdb.tracking.target import Target

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing leaves the machine but what the user asked for
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "1",
    "MLFLOW_TRUNCATE_LONG_VALUES": "false",  # it would cut without saying so; the mapping says so
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "GIT_PYTHON_REFRESH": "quiet",
}


# What its client says where it gets something else than the document it asked for.
_ODD_ANSWER = re.compile(
    r"API request to endpoint.*? (?:failed with error code (\d{3})|was successful but the response body)"
    r"|API request to .*\btoo many (\d{3}) error"
)
_DISTRUSTED = re.compile(r"certificate verify failed: (.*?)\.? \(_ssl")


def import_mlflow(target: Target, *, timeout_s: int, retries: int) -> None:
    """Import everything that talking to `target` needs, which takes seconds, so that later steps don't.

    Args:
        timeout_s: Seconds that one HTTP request may take.
        retries: How often MLflow repeats a failed HTTP request.
    """
    os.environ.update(ENVIRONMENT)
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(timeout_s)
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = str(retries)
    with words_for(target), _uncollected():
        import mlflow.tracking

        if not target.is_http:
            import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
        for name in ("mlflow", "alembic", "urllib3"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing that is imported is garbage, and looking for some among hundreds of thousands of objects takes a fifth of it all."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def connect(target: Target, *, wait_s: float) -> Any:
    """An `MlflowClient`; a fresh database is set up by one process at a time, since two at once ruin it.

    Raises:
        TrackingError: MLflow can't be reached or used.
    """
    from mlflow.tracking import MlflowClient

    with words_for(target), contextlib.nullcontext() if target.is_http else alone(target, wait_s):
        if target.database is not None and not target.database.exists():
            _make_database(target.database)
        return MlflowClient(tracking_uri=target.uri, registry_uri=target.uri)


def _make_database(database: Path) -> None:
    """Whole or not at all: one whose making was cut off half-way is refused by MLflow ever after."""
    from mlflow.tracking import MlflowClient

    database.parent.mkdir(parents=True, exist_ok=True)
    draft, whole = (database.with_name(f".{database.name}.{name}") for name in ("perfdb-draft", "perfdb-whole"))

    def sweep() -> None:
        for left in database.parent.glob(f".{database.name}.perfdb-*"):  # SQLite puts files of its own beside each
            left.unlink()

    sweep()  # what somebody left who was killed: we are alone
    uri = f"sqlite:///{draft}"
    MlflowClient(tracking_uri=uri, registry_uri=uri)
    # What MLflow still has open is the draft, so a copy takes its place.
    with contextlib.closing(sqlite3.connect(draft)) as made, contextlib.closing(sqlite3.connect(whole)) as copy:
        made.backup(copy)
    whole.replace(database)
    sweep()


def alone(target: Target, wait_s: float) -> Lock:
    """Held while something is written that two processes must not both write."""
    return Lock(Path(target.lock_path), wait_s)


def await_database(target: Target, *, queue_s: float, wait_s: float) -> None:
    """Return once a SQLite database is free to be written.

    Args:
        queue_s: Seconds to queue behind other processes of ours, which come to an end.
        wait_s: Seconds to wait for anybody else's lock, which may not.

    Raises:
        TrackingError: it stayed locked.
    """
    if target.database is None or not target.database.exists():
        return
    with words_for(target), alone(target, queue_s):
        connection = sqlite3.connect(f"{target.database.as_uri()}?mode=rw", uri=True, timeout=wait_s)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
        finally:
            connection.close()


@contextlib.contextmanager
def words_for(target: Target) -> Iterator[None]:
    """Whatever MLflow and what is below it raise, as one paragraph.

    Raises:
        TrackingError: in place of any error that is not perfdb's own.
    """
    try:
        yield
    except LockTimeout as error:
        raise trouble(target.uri, "is busy with other perfdb processes that write to it") from error
    except PerfdbError:
        raise
    except Exception as error:  # MLflow lets requests', SQLAlchemy's, alembic's and protobuf's errors through
        raise _told(target, error) from error


def _told(target: Target, error: Exception) -> TrackingError:
    text = str(error)
    if "database is locked" in text:
        return trouble(target.uri, "is locked by another process")
    if "locking protocol" in text or "disk I/O error" in text:
        return trouble(
            target.uri,
            "lies on a file system without usable locks; set PERFDB_STATE_DIR to a folder on a local disk",
        )
    if "out-of-date database schema" in text or "Can't locate revision" in text:
        what = "was written by another version of MLflow than the one that is installed here"
        return trouble(target.uri, f"{what}. {move_away(target.database)}" if target.database else what)
    if target.database and ("unable to open database file" in text or "readonly database" in text):
        what = "cannot be opened for writing: the disk may be full, or you may not write there. "
        return trouble(target.uri, f"{what}`perfdb doctor disk mlflow` says more")
    if target.database and ("malformed" in text or "is not a database" in text):
        return trouble(target.uri, f"is damaged. {move_away(target.database)}")
    if refused := _refusal(target, error, text):
        return trouble(target.uri, refused)
    if target.is_http and (distrusted := _DISTRUSTED.search(text)):
        return trouble(
            target.uri,
            f"has a certificate that is not trusted here ({plain(distrusted[1])}). Check the address; if it is "
            "right, name the file of the authority that signed it: export MLFLOW_TRACKING_SERVER_CERT_PATH=FILE",
        )
    if target.is_http and (odd := _ODD_ANSWER.search(text)):
        code = odd[1] or odd[2]
        if code and code.startswith("5"):
            return trouble(target.uri, f"is in trouble itself (status {code}): ask whoever runs it")
        what = f"answers, and not as MLflow does ({f'status {code}' if code else 'no JSON'})"
        return trouble(target.uri, f"{what}. Mend MLFLOW_TRACKING_URI: scheme, port and path")
    if "got unsupported URI" in text:
        what = "is of a kind that MLflow does not know"
        return trouble(
            target.uri, f"{what}. Set MLFLOW_TRACKING_URI to http://HOST:PORT, or unset it for the local one"
        )
    if isinstance(error, ImportError):
        return trouble(target.uri, f"needs a package that is missing here: {plain(text)}")
    return trouble(target.uri, f"failed: {plain(text) or type(error).__name__}")


def _refusal(target: Target, error: Exception, text: str) -> str | None:
    """What a server's 401 or 403 means to the person who got it, to be read after "MLflow at <uri>"; None for others."""
    if not target.is_http:
        return None
    # MLflow's own exceptions know their status; those of `requests`, by which files are sent, know the response.
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is None and hasattr(error, "get_http_status_code"):
        status = error.get_http_status_code()
    if "Invalid Host header" in text:
        return (
            "does not go by that name. Ask whoever runs it for its address, or to add this one to "
            "MLFLOW_SERVER_ALLOWED_HOSTS"
        )
    if status == HTTPStatus.UNAUTHORIZED:
        return how_to_sign_in(target.uri)
    if status == HTTPStatus.FORBIDDEN:
        said = "" if "Permission denied" in text else f" ({plain(text)})"
        return (
            f"knows this account and does not let it do that{said}. Ask whoever runs the server to make it an editor "
            "(docs/how-to/team.md says how)"
        )
    return None

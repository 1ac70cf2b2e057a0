"""The runs of any MLflow that the tracking room can reach. Which MLflow that is, and how, is handed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from perfdb.errors import UsageError
from perfdb.registry.importers.archive import read_store
from perfdb.registry.importers.definitions import MLFLOW
from perfdb.registry.importers.imported import Options, Part, Skipped
from perfdb.registry.importers.mlflow_runs import SourceRun, import_run
from perfdb.registry.importers.reading import existing

_SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql", "databricks")


def read(source: str, options: Options) -> Iterator[Part]:
    """Every run, deleted ones too; those that only show a perfdb record are skipped.

    A folder is read as a file store, which MLflow itself refuses to open.

    Raises:
        UsageError: the folder is none, or the address is nothing that MLflow tracks at.
        TrackingError: MLflow can't be reached, or failed on the way.
    """
    if "://" not in source or source.startswith("file:"):
        yield from read_store(existing(_path(source)), MLFLOW, options)
        return
    scheme = source.partition("://")[0]
    if scheme.partition("+")[0] not in _SCHEMES:
        # Only the scheme is shown: behind it may stand a password.
        raise UsageError(
            f"SOURCE begins with {scheme[:50]!r}, where MLflow knows {', '.join(_SCHEMES)}. "
            "Give a tracking URI such as http://127.0.0.1:5000, or the folder of a file store."
        )
    assert options.fetch is not None
    shown = published(source)
    for run in options.fetch(source):
        try:
            source_run = _run(run, shown)
        except (KeyError, TypeError, ValueError):
            yield Skipped(f"{shown}, run {str(run.get('run_id'))[:40]}", "MLflow tells less of it than of a run")
            continue
        yield import_run(MLFLOW, source_run, options)


def _path(source: str) -> str:
    """A folder as it is typed, or as a `file:` address spells it.

    Raises:
        UsageError: the address is another machine's.
    """
    if not source.startswith("file:"):
        return source
    rest = source.removeprefix("file:")
    if rest.startswith("//"):
        host, slash, below = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise UsageError(
                f"SOURCE names the machine {host[:50]!r}, and files of others cannot be read. Give file:///FOLDER with three "
                "slashes, or the folder alone."
            )
        rest = slash + below
    return unquote(rest)


def published(uri: str) -> str:
    """A tracking URI without what nobody else can use or may know: credentials, a query, folders on this machine.

    Raises:
        UsageError: it is none.
    """
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        # It is not shown: it may hold a password.
        raise UsageError(f"SOURCE is no address: {error}. Give a tracking URI such as http://127.0.0.1:5000.") from None
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
    return f"{parts.scheme or 'file'}:{parts.path.rstrip('/').rpartition('/')[2]}"


def _run(run: Mapping[str, Any], shown: str) -> SourceRun:
    return SourceRun(
        address=f"{shown}#run/{run['run_id']}",
        run_id=str(run["run_id"]),
        experiment=str(run["experiment"]),
        name=str(run["name"] or run["run_id"]),
        status=str(run["status"]),
        started_ms=int(run["started_ms"]),
        ended_ms=None if run["ended_ms"] is None else int(run["ended_ms"]),
        params={str(key): str(value) for key, value in run["params"].items()},
        metrics={
            str(key): [(int(ms), int(step), float(value)) for ms, step, value in points]
            for key, points in run["metrics"].items()
        },
        tags={str(key): str(value) for key, value in run["tags"].items()},
        users=(str(run["user"] or ""),),
        deleted=bool(run["deleted"]),
        deleted_ms=None if run["deleted_ms"] is None else int(run["deleted_ms"]),
    )

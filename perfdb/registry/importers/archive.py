"""An MLflow file store, read as the plain files it consists of; needs no MLflow.

<store>/<experiment id>/meta.yaml
                        <run id>/meta.yaml
                                 params/<name>      the value
                                 metrics/<name>     lines of: milliseconds, value, step
                                 tags/<name>        the value
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from perfdb.errors import UsageError
from perfdb.registry.importers.definitions import PARSL_PERF
from perfdb.registry.importers.flat_yaml import flat_mapping
from perfdb.registry.importers.imported import Options, Part, Skipped
from perfdb.registry.importers.mlflow_runs import Point, SourceRun, import_run, is_run_id
from perfdb.registry.importers.reading import Unreadable, existing, files_below, text_of

_META = "meta.yaml"
_LARGEST_META = 256 * 1024
_LARGEST_VALUE = 1024 * 1024
_LARGEST_METRIC = 64 * 1024 * 1024
_MOST_FILES = 10_000
_STATUS = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}


def read(source: str, options: Options) -> Iterator[Part]:
    """Every run of a file store, or of one experiment of it.

    Raises:
        UsageError: SOURCE is neither.
    """
    yield from read_store(existing(source), PARSL_PERF, options)


def read_store(root: Path, kind: str, options: Options) -> Iterator[Part]:
    """As `read`, for runs that count as of `kind`.

    Raises:
        UsageError: the store cannot be read, or is none.
    """
    try:
        yield from _store(root, kind, options)
    except OSError as error:
        raise UsageError(
            f"{root.name}/ cannot be read: {error.strerror}. What came before is kept; mend that, and import again."
        ) from error


def _store(root: Path, kind: str, options: Options) -> Iterator[Part]:
    if (root / _META).is_file():
        yield from _experiment(root, root.parent, kind, options, is_deleted=False)
        return
    found = [(p.parent, False) for p in sorted(root.glob(f"*/{_META}"))]
    found += [(p.parent, True) for p in sorted(root.glob(f".trash/*/{_META}"))]
    if not found:
        raise UsageError(
            f"{root.name}/ is no MLflow file store: neither it nor a folder in it holds a {_META}. Give the store's folder, "
            "or one of its experiments'."
        )
    for folder, is_deleted in found:
        yield from _experiment(folder, root.parent, kind, options, is_deleted=is_deleted)


def _experiment(folder: Path, above: Path, kind: str, options: Options, *, is_deleted: bool) -> Iterator[Part]:
    where = folder.relative_to(above).as_posix()
    if folder.is_symlink():
        yield Skipped(where, "it is a link, which is not followed")
        return
    try:
        name = flat_mapping(text_of(folder / _META, _LARGEST_META)).get("name")
    except Unreadable as error:
        # Its runs still say all that matters.
        yield Skipped(f"{where}/{_META}", str(error))
        name = None
    for run in sorted(folder.iterdir()):
        address = run.relative_to(above).as_posix()
        if run.is_symlink():
            yield Skipped(address, "it is a link, which is not followed")
        elif run.is_dir() and is_run_id(run.name):
            try:
                source_run = _run(run, address, name or folder.name, is_deleted=is_deleted)
            except Unreadable as error:
                yield Skipped(address, str(error))
                continue
            yield import_run(kind, source_run, options)


def _run(folder: Path, address: str, experiment: str, *, is_deleted: bool) -> SourceRun:
    try:
        meta = flat_mapping(text_of(folder / _META, _LARGEST_META))
    except Unreadable as error:
        raise Unreadable(f"{_META}: {error}") from error
    if (meta.get("run_id") or meta.get("run_uuid")) != folder.name:
        raise Unreadable(f"{_META}: its run_id is not the folder's name")
    started = _milliseconds(meta, "start_time")
    if started is None:
        raise Unreadable(f"{_META}: it has no start_time")
    tags = _values(folder, "tags")
    return SourceRun(
        address=address,
        run_id=folder.name,
        experiment=experiment,
        name=meta.get("run_name") or tags.get("mlflow.runName") or folder.name,
        status=_STATUS.get(meta.get("status") or "", meta.get("status") or ""),
        started_ms=started,
        ended_ms=_milliseconds(meta, "end_time"),
        params=_values(folder, "params"),
        metrics=_metrics(folder),
        tags=tags,
        users=(meta.get("user_id") or "",),
        deleted=is_deleted or meta.get("lifecycle_stage") == "deleted",
        deleted_ms=_milliseconds(meta, "deleted_time"),
    )


def _milliseconds(meta: dict[str, str | None], name: str) -> int | None:
    text = meta.get(name)
    if text is None or text == "None":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Unreadable(f"{_META}: {name} is no number of milliseconds")
    return int(text)


def _named_files(folder: Path) -> Iterator[tuple[str, Path]]:
    try:
        is_link = stat.S_ISLNK(folder.lstat().st_mode)
    except FileNotFoundError:
        return  # git carries no empty folder
    except OSError as error:
        raise Unreadable(f"{folder.name}: it cannot be read: {error.strerror}") from error
    if is_link:
        raise Unreadable(f"{folder.name}: it is a link, which is not followed")
    for count, (path, why) in enumerate(files_below(folder)):
        if count >= _MOST_FILES:
            raise Unreadable(f"{folder.name}: more than {_MOST_FILES} files")
        if why is not None:
            raise Unreadable(f"{path.relative_to(folder.parent).as_posix()}: {why}")
        yield path.relative_to(folder).as_posix(), path  # `Train/Loss` lies in a folder `Train`


def _values(folder: Path, kind: str) -> dict[str, str]:
    found = {}
    for name, path in _named_files(folder / kind):
        try:
            found[name] = text_of(path, _LARGEST_VALUE).rstrip("\n")
        except Unreadable as error:
            raise Unreadable(f"{kind}/{name}: {error}") from error
    return found


def _metrics(folder: Path) -> dict[str, list[Point]]:
    found = {}
    for name, path in _named_files(folder / "metrics"):
        try:
            lines = text_of(path, _LARGEST_METRIC).splitlines()
            found[name] = [_point(line, number) for number, line in enumerate(lines, start=1)]
        except Unreadable as error:
            raise Unreadable(f"metrics/{name}: {error}") from error
        if not found[name]:
            raise Unreadable(f"metrics/{name}: it is empty")
    return found


def _point(line: str, number: int) -> Point:
    fields = line.split()
    try:
        milliseconds, value, *rest = fields
        return int(milliseconds[:20]), int(rest[0][:20]) if rest else 0, float(value)
    except ValueError as error:
        raise Unreadable(f"line {number} is not milliseconds, value and step") from error

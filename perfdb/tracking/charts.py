"""Charts beside a record's run in MLflow: which runs lack them, and how they get there.

They are drawn elsewhere and after the record's run is complete. The tag `perfdb.charts` says how many there are, and is
set last, so that a sending that was cut off is done again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from perfdb.tracking.door import words_for
from perfdb.tracking.mapping import COMPLETE, MIRROR_TAG, RECORD_TAG
from perfdb.tracking.mirror import artifacts_at
from perfdb.tracking.target import Target

CHARTS_TAG = "perfdb.charts"
# Part of the tag: raise it when charts look otherwise, and they are drawn and sent anew.
CHARTS_VERSION = 1
FOLDER = "charts"
_PAGE = 1000
_ASKED = f"""
    SELECT id.value, run.run_uuid, run.artifact_uri, charts.value
    FROM runs AS run JOIN tags AS id ON id.run_uuid = run.run_uuid AND id.key = '{RECORD_TAG}'
    JOIN tags AS mirror ON mirror.run_uuid = run.run_uuid AND mirror.key = '{MIRROR_TAG}' AND mirror.value = '{COMPLETE}'
    LEFT JOIN tags AS charts ON charts.run_uuid = run.run_uuid AND charts.key = '{CHARTS_TAG}'
    WHERE run.lifecycle_stage = 'active' ORDER BY run.start_time DESC, run.run_uuid LIMIT ?
"""  # noqa: S608 our own constants


@dataclass(frozen=True)
class Bare:
    """A complete run without all of its charts."""

    record_id: str
    run_id: str


def bare_in(target: Target, database: Path, newest: int | None, *, wait_s: float) -> list[Bare]:
    """Which of the newest runs in MLflow's SQLite database lack charts, newest first: without MLflow, in milliseconds.

    Charts that somebody removed from the disk are lacking too.

    Args:
        newest: Look at so many; None for all.

    Raises:
        sqlite3.Error: it can't be read.
    """
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=wait_s)) as connection:
        rows = connection.execute(_ASKED, [-1 if newest is None else newest]).fetchall()
    return [
        Bare(record_id, run_id)
        for record_id, run_id, uri, tag in rows
        if not _has_all(tag) or _on_disk(target, uri) not in (None, _count(tag))
    ]


def bare_over(client: Any, target: Target, newest: int | None) -> list[Bare]:
    """The same, asked of any MLflow; by the tag alone."""
    with words_for(target):
        experiments = [each.experiment_id for each in _pages(client.search_experiments)]
        search = {
            "experiment_ids": experiments,
            "filter_string": f"tags.`{MIRROR_TAG}` = '{COMPLETE}'",
            "order_by": ["attributes.start_time DESC"],
        }
        found = []
        for seen, run in enumerate(_pages(client.search_runs, **search) if experiments else ()):
            if newest is not None and seen == newest:
                break
            if not _has_all(run.data.tags.get(CHARTS_TAG)):
                found.append(Bare(run.data.tags.get(RECORD_TAG, ""), run.info.run_id))
    return found


def send_charts(client: Any, target: Target, run_id: str, files: Sequence[Path]) -> None:
    """Put a run's charts beside it.

    Raises:
        TrackingError: MLflow did not take them; another call does it all again.
    """
    with words_for(target):
        artifacts = artifacts_at(target, client.get_run(run_id).info.artifact_uri)
        for file in files:
            artifacts.log_artifact(str(file), FOLDER)
        client.set_tag(run_id, CHARTS_TAG, f"{CHARTS_VERSION}:{len(files)}")


def _has_all(tag: str | None) -> bool:
    return tag is not None and tag.startswith(f"{CHARTS_VERSION}:")


def _count(tag: str) -> int:
    return int(tag.partition(":")[2])


def _on_disk(target: Target, uri: str) -> int | None:
    """How many charts lie there; None where that is not on this disk."""
    place = urlsplit(uri)
    if place.scheme == "mlflow-artifacts":
        folder = Path(target.artifact_root, *(part for part in place.path.split("/") if part not in ("", ".", "..")))
    elif place.scheme == "file":
        folder = Path(unquote(place.path))
    else:
        return None
    return sum(1 for _ in (folder / FOLDER).glob("*.svg"))


def _pages(ask: Any, **arguments: Any) -> Iterator[Any]:
    token = None
    while True:
        page: Iterable[Any] = ask(**arguments, max_results=_PAGE, page_token=token)
        yield from page
        token = getattr(page, "token", None)
        if not token:
            return

"""Records' charts into MLflow: drawn by one process, sent by another, after every record is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perfdb.report.charts.drawer import Drawer
from perfdb.runner.lab import Observer
from perfdb.settings import Settings
from perfdb.tracking import ReadyProcess, Target
from perfdb.tracking.charting import chart_runs

# A tenth of a second a chart: of a registry that was just cloned, only so many runs get theirs unasked.
NEWEST = 100
TOLD_EVERY = 10


def chart_records(
    settings: Settings, observer: Observer, folders: Sequence[Path], process: ReadyProcess, *, every: bool = False
) -> int:
    """See that the newest runs in MLflow have their charts; how many got them now.

    Args:
        folders: Of the records.
        process: What talks to MLflow.
        every: Not the newest alone.

    Raises:
        TrackingError: MLflow failed; what is missing is sent by the next call.
    """
    known = {folder.name: folder for folder in folders}
    drawer: Drawer | None = None

    def draw(record_id: str) -> list[Path] | None:
        nonlocal drawer
        if record_id not in known:
            return None  # somebody else's record, on a server that is shared
        drawer = drawer or Drawer()
        return drawer.draw(known[record_id])

    def told(done: int, total: int) -> None:
        if done % TOLD_EVERY == 0 or done == total:
            observer.progress(f"{done} of {total}", "runs' charts seen to")

    try:
        return chart_runs(Target.of(settings), None if every else NEWEST, draw, told, process)
    finally:
        if drawer is not None:
            drawer.close()

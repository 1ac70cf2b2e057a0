"""Charts for the runs that lack them, drawn by whoever asks for it, sent by a process of its own."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from perfdb.errors import TrackingError
from perfdb.tracking.charts import Bare, bare_in
from perfdb.tracking.faults import trouble
from perfdb.tracking.process import MirrorProcess, TooLate
from perfdb.tracking.ready import ReadyProcess
from perfdb.tracking.target import Target

WAIT_S = 60.0
STEP_S = 120.0
GLANCE_S = 1.0
FAILURES_IN_A_ROW = 2


def chart_runs(
    target: Target,
    newest: int | None,
    draw: Callable[[str], Sequence[Path] | None],
    on_step: Callable[[int, int], None] | None = None,
    process: ReadyProcess | None = None,
) -> int:
    """Put charts beside the newest runs that lack them; done again, it changes nothing.

    Where none of a local database's lacks them, MLflow is not even imported.

    Args:
        newest: Look at so many runs; None for all.
        draw: The files of a record's charts, by its id; None where they can't be drawn, which leaves its run as it is.
        on_step: Hears how many are done, of how many.
        process: What talks to MLflow, where the caller sent records by it; by default one of its own.

    Returns:
        How many runs got charts.

    Raises:
        TrackingError: MLflow can't be reached, or failed twice in a row.
    """
    bare: list[Bare] | None = None
    if target.database is not None:
        try:
            bare = bare_in(target, target.database, newest, wait_s=GLANCE_S)
        except sqlite3.Error:
            return 0  # the sync before this one has told what is wrong with it
        if not bare:
            return 0
    try:
        with contextlib.nullcontext(process) if process else ReadyProcess(target) as ready:
            child = ready.child()
            return _sent(child, bare if bare is not None else _asked(child, newest), draw, on_step)
    except TooLate:
        raise trouble(target.uri, f"did not answer for {STEP_S:g} s") from None


def _asked(child: MirrorProcess, newest: int | None) -> list[Bare]:
    child.send({"do": "bare", "newest": newest, "limit_s": None, "wait_s": WAIT_S, "queue_s": None})
    bare = []
    while "done" not in (answer := child.read(STEP_S)):
        if "error" in answer:
            raise TrackingError(answer["error"])
        bare.append(Bare(**answer))
    return bare


def _sent(
    child: MirrorProcess,
    bare: Sequence[Bare],
    draw: Callable[[str], Sequence[Path] | None],
    on_step: Callable[[int, int], None] | None,
) -> int:
    sent = failures = 0
    for number, run in enumerate(bare, start=1):
        files = draw(run.record_id)
        if files is not None:
            job = {"do": "charts", "run_id": run.run_id, "files": [str(file) for file in files]}
            child.send({**job, "limit_s": None, "wait_s": WAIT_S, "queue_s": None})
            answer = child.read(STEP_S)
            failures = failures + 1 if "error" in answer else 0
            sent += "done" in answer
            if failures == FAILURES_IN_A_ROW:
                raise TrackingError(answer["error"])
        if on_step:
            on_step(number, len(bare))
    return sent

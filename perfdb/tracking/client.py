"""What a run says to MLflow, without importing it and without ever waiting long for it."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from perfdb.errors import TrackingError
from perfdb.registry.remarks import NO_REMARKS, remarks_of
from perfdb.tracking.faults import trouble
from perfdb.tracking.mapping import JOURNAL_TAG
from perfdb.tracking.mirror import MirrorResult, SyncItem, SyncStep
from perfdb.tracking.process import IMPORT_LIMIT_S, MirrorProcess, TooLate
from perfdb.tracking.ready import ReadyProcess
from perfdb.tracking.seen import SeenRun, glance, settled
from perfdb.tracking.target import Target

SYNC_WAIT_S = 60.0
# How long a run that is over may queue behind others on this state folder, or work on a database that nobody locks.
QUEUE_S = 30.0
# A database that is locked for longer than this is not looked into first: the sync itself waits for it.
GLANCE_S = 1.0
# One step of a sync may upload a large file; this is for a server that takes bytes and never ends.
SYNC_STEP_S = 600.0


class Budget:
    """The seconds that a run may still lose to an MLflow that does not answer."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def charge(self, seconds: float) -> None:
        """So much was lost."""
        self.left = max(0.0, self.left - seconds)


class MirrorSession:
    """One run's dealings with MLflow: opened before the measurement, mirrored after it.

    Nothing here raises for MLflow's sake: what failed is in `warning`, once, as a paragraph. The child that imported
    MLflow is kept for the second step, asleep on a pipe, so that a run pays for one import; it uses no CPU meanwhile.

        with MirrorSession(target, budget_s=4.0) as session:
            session.start_open(...)     # returns at once
            ...                         # load the config
            session.opened()            # the run, or None; nothing is sent from here on
            ...                         # measure, save the record
            session.mirror(folder)
    """

    def __init__(self, target: Target, budget_s: float) -> None:
        self.target = target
        self.budget = Budget(budget_s)
        self.warning: str | None = None
        self.run: MirrorResult | None = None
        self._budget_s = budget_s
        self._queue_s = budget_s
        self._child: MirrorProcess | None = None
        self._ready = False
        self._open_job: dict[str, Any] | None = None
        self._journal: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start_open(
        self, *, experiment: str, run_name: str, started_at: datetime, journal: str, tags: Mapping[str, str]
    ) -> None:
        """Begin to open a run; `opened` tells what came of it.

        Args:
            journal: The run's uuid; finds the run again should its id get lost.
            tags: What is known already, such as family and machine.
        """
        self._journal = journal
        self._open_job = {
            "do": "open",
            "experiment": experiment,
            "run_name": run_name,
            "started_ms": int(started_at.timestamp() * 1000),
            "tags": {**tags, JOURNAL_TAG: journal},
        }
        self._start()
        self._send(self._open_job)

    def opened(self) -> MirrorResult | None:
        """The opened run, or None where MLflow did not take it in time. Waits no longer than the budget."""
        if self._open_job is not None and self.run is None and self._child is not None:
            self.run = self._answer()
        return self.run

    def mirror(self, folder: Path, run_id: str | None = None) -> MirrorResult | None:
        """Show a saved record in MLflow; None where that failed, and `perfdb sync` is for later.

        Args:
            folder: The record's, in the registry.
            run_id: The run to go on with, where another process opened it.
        """
        if self._child is not None and self._child.ended:
            self.close()  # somebody ended it while we measured: begin again
        if self._child is None:
            # A database of our own that was late is slow to be made here, not silent; now nothing waits for it.
            if self.budget.left <= 0 and self.target.database is None:
                self._give_up(str(trouble(self.target.uri, f"used up the {self._budget_s:g} s that it may cost a run")))
                return None
            self._start()
        self._queue_s = QUEUE_S  # nothing waits for us any more
        known = run_id or (self.run.run_id if self.run else None)
        job = {"do": "mirror", "folder": str(folder), "registry": str(folder.parents[3])}
        self._send({**job, "run_id": known, "journal": self._journal})
        return self._answer()

    def send_charts(self, run: MirrorResult, files: Sequence[Path]) -> bool:
        """Put a mirrored record's charts beside its run; what is left undone is for `perfdb sync`, without a warning."""
        if self._child is None:
            return False
        self._send({"do": "charts", "run_id": run.run_id, "files": [str(file) for file in files]})
        local = self.target.database is not None
        try:
            answer = self._child.read(self.budget.left + (self._queue_s if local else 0.0))
            if "begun" in answer:
                answer = self._child.read(self._queue_s + self._budget_s)
        except TooLate:
            return False
        return "done" in answer

    def close(self) -> None:
        """End the child. A run opened and never mirrored stays RUNNING until `perfdb sync` finds its record."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _start(self) -> None:
        self._ready = False
        try:
            self._child = MirrorProcess(self.target, request_timeout_s=max(1, math.ceil(self._budget_s)), retries=1)
        except OSError as error:
            self._give_up(str(trouble(self.target.uri, f"was not contacted: {error.strerror}")))

    def _send(self, job: dict[str, Any]) -> None:
        if self._child is None:
            return
        # A wait ends a little before we do, so that its reason can be told from a silent MLflow.
        limits = {"limit_s": self._budget_s, "wait_s": 0.9 * self.budget.left, "queue_s": None}
        if self.target.database is not None:
            # A database of our own is never silent: it is free or locked. Behind our own kind we queue, uncharged.
            limits |= {"limit_s": None, "queue_s": self._queue_s}
        self._child.send({**job, **limits})

    def _answer(self) -> MirrorResult | None:
        if self._child is None:
            return None
        started = time.monotonic()
        try:
            while not self._ready:
                answer = self._child.read(IMPORT_LIMIT_S)
                if "error" in answer:
                    self.budget.charge(float(answer.get("spent_s", 0.0)))
                    self._give_up(answer["error"])
                    return None
                self._ready = "ready" in answer
                started = time.monotonic()
            answer = self._child.read(self.budget.left + (self._queue_s if self.target.database is not None else 0.0))
            if "begun" in answer:
                answer = self._child.read(self._queue_s + self._budget_s)
                started = time.monotonic()  # queueing and a slow machine are no fault of MLflow's
        except TooLate:
            answer = {"error": str(trouble(self.target.uri, f"did not do its work within {self._budget_s:g} s"))}
            self.close()
        self.budget.charge(time.monotonic() - started)
        if "error" in answer:  # the child stays, if it lives: another try then costs no second import
            self.warning = self.warning or answer["error"]
            return None
        return MirrorResult(**answer)

    def _give_up(self, paragraph: str) -> None:
        self.warning = self.warning or paragraph
        self.close()


@dataclass(frozen=True)
class SyncReport:
    """What a sync did, record by record; those after `stopped` were not tried."""

    steps: tuple[SyncStep, ...]
    stopped: str | None = None

    def count(self, outcome: str) -> int:
        """How many records ended as `created`, `updated` or `unchanged`."""
        return sum(1 for step in self.steps if step.result and step.result.outcome == outcome)

    @property
    def failed(self) -> tuple[SyncStep, ...]:
        """The records that MLflow still lacks, each with the reason."""
        return tuple(step for step in self.steps if step.error)

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why MLflow lacks them, a paragraph each; what is the same for several records is told once."""
        said: dict[str, list[str]] = {}
        for step in self.failed:
            said.setdefault(str(step.error), []).append(step.record_id)
        more = {error: f" and {len(ids) - 1} more" if len(ids) > 1 else "" for error, ids in said.items()}
        return tuple(f"{ids[0]}{more[error]}: {error}" for error, ids in said.items())


def sync_records(
    target: Target,
    registry: Path,
    folders: Sequence[Path],
    journal_runs: Mapping[str, str],
    on_step: Callable[[SyncStep], None] | None = None,
    process: ReadyProcess | None = None,
) -> SyncReport:
    """Make MLflow hold every one of these records, once; done again, it changes nothing.

    A record that is in a local database already is not read, and where all are, MLflow is not even imported.

    Args:
        registry: Where the records and the remarks on them are.
        folders: The records', below it.
        journal_runs: Record id -> the run that was opened for it, where one is known.
        on_step: Called after each record.
        process: What talks to MLflow, where the caller has more to send; by default one of its own.

    Raises:
        TrackingError: MLflow can't be reached at all.
    """
    there = _known(target, registry)
    steps: list[SyncStep] = []

    def tell(step: SyncStep) -> None:
        steps.append(step)
        if on_step:
            on_step(step)

    items = []
    for record_id, folder in {folder.name: folder for folder in folders}.items():
        if known := there.get(record_id):
            tell(SyncStep(record_id, MirrorResult(known.run_id, known.experiment_id, "unchanged")))
        else:
            items.append(SyncItem(record_id, folder.parents[2].name, str(folder), journal_runs.get(record_id)))
    if not items:
        return SyncReport(tuple(steps))
    wanted = len(steps) + len(items)
    try:
        with contextlib.nullcontext(process) if process else ReadyProcess(target) as ready:
            child = ready.child()
            limits = {"limit_s": None, "wait_s": SYNC_WAIT_S, "queue_s": None}
            child.send({"do": "sync", "registry": str(registry), "items": [vars(item) for item in items], **limits})
            while "done" not in (answer := child.read(SYNC_STEP_S)):
                if "record_id" not in answer:
                    raise TrackingError(answer["error"])
                result = MirrorResult(**answer["result"]) if answer["result"] else None
                tell(SyncStep(answer["record_id"], result, answer["error"]))
    except TooLate:
        raise trouble(target.uri, f"did not answer for {SYNC_STEP_S:g} s") from None
    return SyncReport(tuple(steps), steps[-1].error if len(steps) < wanted else None)


def _known(target: Target, registry: Path) -> dict[str, SeenRun]:
    """The records that a local database holds, with all that is said about them; empty where it can't be asked."""
    if target.database is None:
        return {}
    try:
        seen = glance(target.database, wait_s=GLANCE_S)
    except sqlite3.Error:
        return {}  # MLflow finds the words for it
    said = remarks_of(registry)
    done = {record_id: settled(runs, said.get(record_id, NO_REMARKS)) for record_id, runs in seen.items()}
    return {record_id: run for record_id, run in done.items() if run}

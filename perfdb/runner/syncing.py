"""Everything that `perfdb sync` does: killed runs become records, records become MLflow runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfdb.errors import PerfdbError
from perfdb.registry import Journal, Registry
from perfdb.registry.journal import abandoned_journals, all_journals, waits
from perfdb.runner.charting import chart_records
from perfdb.runner.lab import Observer
from perfdb.runner.leftovers import end_left
from perfdb.runner.mirroring import MLFLOW_FILE
from perfdb.runner.recover import recover
from perfdb.settings import Settings
from perfdb.tracking import ReadyProcess, SyncStep, Target, address, sync_records
from perfdb.units import counted

# Progress is told once a batch: a line a record would be ten thousand lines.
TOLD_EVERY = 25


@dataclass
class SyncOutcome:
    """What a sync did.

    Attributes:
        recovered: Ids of the records that were made of killed runs.
        sent: Records that MLflow lacked, in whole or in part.
        unchanged: Records that MLflow had.
        charted: Runs that got their charts.
        waiting: Runs that were interrupted, which the command that began them goes on with.
        elsewhere: Runs in progress, or killed, on other hosts that share this state folder.
        troubles: What did not work, a paragraph each.
    """

    recovered: list[str] = field(default_factory=list)
    sent: int = 0
    unchanged: int = 0
    charted: int = 0
    waiting: int = 0
    elsewhere: int = 0
    troubles: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return dict(vars(self))

    def sentence(self) -> str:
        """For people."""
        parts = [
            f"{counted(len(self.recovered), 'killed run')} filed"
            + (f" ({', '.join(self.recovered)})" if self.recovered else ""),
            f"{counted(self.sent, 'record')} sent to MLflow",
            f"{self.unchanged} there already",
        ]
        if self.charted:
            parts.append(f"charts drawn for {counted(self.charted, 'run')}")
        if self.waiting:
            told = counted(self.waiting, "run")
            parts.append(
                f"{told} of an interrupted sweep, bisection or run wait: the same command goes on, `perfdb sweep --drop` files them"
            )
        if self.elsewhere:
            parts.append(f"{self.elsewhere} runs belong to other hosts: `perfdb sync` there sees to them")
        return "; ".join(parts) + "."


def sync_all(settings: Settings, observer: Observer, *, with_mlflow: bool, every_chart: bool = False) -> SyncOutcome:
    """Recover, then mirror. What fails is told and does not keep the rest from being done."""
    outcome = SyncOutcome()
    outcome.troubles.extend(end_left(settings.state_path, observer.say))
    finished: dict[str, Journal] = {}
    for found in recover(settings):
        if found.record_id is None:
            outcome.troubles.append(str(found.trouble))
            continue
        finished[found.record_id] = found.journal
        if found.filed:
            outcome.recovered.append(found.record_id)
            observer.say(f"filed the killed run {found.journal.run[:8]} as record {found.record_id}")
    outcome.elsewhere = sum(
        1 for j in all_journals(settings.state_path) if (o := j.owner) is not None and not o.is_here
    )
    outcome.waiting = sum(waits(journal, settings.state_path) for journal in abandoned_journals(settings.state_path))
    if with_mlflow:
        mirror(
            settings, observer, finished, outcome, Registry(settings.registry_path).folders(), every_chart=every_chart
        )
    return outcome


def mirror(
    settings: Settings,
    observer: Observer,
    finished: Mapping[str, Journal],
    outcome: SyncOutcome,
    folders: Sequence[Path],
    *,
    every_chart: bool = False,
) -> None:
    """Have those records shown in MLflow, then their charts; a journal whose record is there is removed.

    Args:
        finished: Journals by the id of their record.
        every_chart: Draw those of all runs that lack them, not of the newest alone.
    """
    registry = settings.registry_path
    there = address(settings.tracking_uri)
    opened = {r: j.read(MLFLOW_FILE) for r, j in finished.items()}
    runs = {record: str(run["run_id"]) for record, run in opened.items() if run and address(run["uri"]) == there}
    done = 0

    def told(step: SyncStep) -> None:
        nonlocal done
        done += 1
        if step.error is None and step.record_id in finished:
            finished[step.record_id].remove()
        if (step.result is None or step.result.outcome != "unchanged") and (
            done % TOLD_EVERY == 0 or done == len(folders)
        ):
            observer.progress(f"{done} of {len(folders)}", "records seen to")

    with ReadyProcess(Target.of(settings)) as process:
        try:
            report = sync_records(Target.of(settings), registry, folders, runs, told, process)
        except PerfdbError as error:
            outcome.troubles.append(str(error))
            return
        outcome.sent = report.count("created") + report.count("updated")
        outcome.unchanged = report.count("unchanged")
        outcome.troubles.extend(report.troubles)
        if not report.failed:
            try:
                outcome.charted = chart_records(settings, observer, folders, process, every=every_chart)
            except PerfdbError as error:
                outcome.troubles.append(str(error))

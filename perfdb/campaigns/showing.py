"""What a campaign measured, shown in MLflow."""

from __future__ import annotations

from collections.abc import Sequence

from perfdb.campaigns.sitting import Place
from perfdb.runner.lab import Observer
from perfdb.runner.syncing import SyncOutcome, mirror
from perfdb.settings import Settings


def show(places: Sequence[Place], settings: Settings, observer: Observer) -> None:
    """Bring the records over. What MLflow will not take stays in the journal for `perfdb sync`."""
    outcomes = {p.outcome.record.record_id: p for p in places if p.outcome is not None}
    told = SyncOutcome()
    folders = [p.outcome.folder for p in outcomes.values() if p.outcome is not None]
    mirror(settings, observer, {record: p.journal for record, p in outcomes.items()}, told, folders)
    for trouble in told.troubles:
        observer.say(f"warning: {trouble}")

"""A sitting from its plan to MLflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from perfdb.campaigns.plan import Plan, forget, put_by
from perfdb.campaigns.sitting import Place, take_turns
from perfdb.errors import ConfigError, UsageError
from perfdb.registry import Registry
from perfdb.runner.lab import Observer
from perfdb.runner.syncing import SyncOutcome, mirror
from perfdb.settings import Settings


def carry_out(
    plan: Plan,
    settings: Settings,
    observer: Observer,
    *,
    kept: Callable[[list[Place]], None] | None = None,
    to_go_on: str | None = None,
) -> list[Place]:
    """Measure, keep the records, show them.

    Args:
        kept: Called once all records are kept, before the plan is forgotten.
        to_go_on: What to type after an interruption, for people; None where such a sitting is not gone on with, and what was
            measured until then becomes records.

    Raises:
        Interrupted, PerfdbError: as `take_turns`.
    """
    Registry(settings.registry_path).check_writable()
    if to_go_on is not None:
        put_by(plan, settings.state_path)
    try:
        places = take_turns(plan, settings, observer, to_go_on=to_go_on)
    except (ConfigError, UsageError):  # none of them can be measured: there is nothing to go on with
        forget(plan, settings.state_path)
        raise
    if kept is not None:
        kept(places)
    forget(plan, settings.state_path)
    _show(places, settings, observer)
    return places


def _show(places: Sequence[Place], settings: Settings, observer: Observer) -> None:
    """Bring the records over. What MLflow will not take stays in the journal for `perfdb sync`."""
    measured = {p.outcome.record.record_id: (p.journal, p.outcome.folder) for p in places if p.outcome is not None}
    told = SyncOutcome()
    journals = {record_id: journal for record_id, (journal, _) in measured.items()}
    mirror(settings, observer, journals, told, [folder for _, folder in measured.values()])
    for trouble in told.troubles:
        observer.say(f"warning: {trouble}")

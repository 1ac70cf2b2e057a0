"""What the Tab key offers after options and arguments. Each answer reads names of files, or what is known already: no record."""

from __future__ import annotations

from collections.abc import Iterable


def complete_metric(incomplete: str) -> list[str]:
    """Those of the families, and those that records were last seen to have."""
    from perfdb.families import FAMILIES
    from perfdb.registry.index import Index
    from perfdb.settings import load_settings

    settings = load_settings()
    columns = Index(settings.registry_path, settings.state_path).known_columns()
    seen = {name.removeprefix("metric.") for name in columns if name.startswith("metric.")}
    return _beginning(incomplete, seen.union(*(family.metrics for family in FAMILIES.values())))


def complete_machine(incomplete: str) -> list[str]:
    """Machines that have records here."""
    return _beginning(incomplete, (parent.split("/")[1] for parent in _parents()))


def complete_experiment(incomplete: str) -> list[str]:
    """Experiments that have records here."""
    return _beginning(incomplete, (parent.split("/")[0] for parent in _parents()))


def complete_status(incomplete: str) -> list[str]:
    """What may become of a run."""
    from typing import get_args

    from perfdb.record.model import Status

    return _beginning(incomplete, get_args(Status))


def complete_family(incomplete: str) -> list[str]:
    """Kinds of experiment."""
    from perfdb.families import FAMILIES

    return _beginning(incomplete, FAMILIES)


def complete_cluster(incomplete: str) -> list[str]:
    """This user's pocket clusters."""
    from perfdb.platforms.pocket import Places

    return _beginning(incomplete, (places.name for places in Places.all()))


def _parents() -> Iterable[str]:
    from perfdb.registry.index.listing import record_parents
    from perfdb.settings import load_settings

    return record_parents(load_settings().registry_path)


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in set(names) if name.startswith(incomplete))

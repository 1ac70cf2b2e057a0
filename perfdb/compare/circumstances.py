"""Records of like circumstances together: those that may stand in one series. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from perfdb.compare.dimensions import dimensions_of
from perfdb.compare.settings import PREFIX
from perfdb.record import Record, Scalar, fingerprint

_ALWAYS = ("family", "origin", "machine", "config")


@dataclass(frozen=True)
class Group:
    """Records that differ in nothing but version, date and what those bring.

    Attributes:
        key: Its own among all groups.
        circumstances: What the records share, by dimension.
        records: In the order of time.
    """

    key: str
    family: str
    circumstances: dict[str, Scalar]
    records: tuple[Record, ...]


def grouped(records: Iterable[Record]) -> list[Group]:
    """The groups of records, given in the order of time.

    Two sources of one config's name are one set-up if they ever gave the same parameters, as after a changed comment. A
    record whose config never loaded joins the groups with which it took turns, where they lack its version.
    """
    together: dict[str, list[tuple[Record, dict[str, Scalar]]]] = {}
    strays = []
    for record in records:
        if record.config is None and record.origin.kind == "measured" and record.status != "ok":
            strays.append(record)
        else:
            shared = _circumstances(record)
            together.setdefault(fingerprint(shared), []).append((record, shared))
    groups = []
    for key, members in together.items():
        shared = members[0][1]
        set_ups = _set_ups([record for record, _ in members])
        for set_up, its in set_ups.items():
            told = {"config_source": set_up[:8]} if len(set_ups) > 1 else {}
            groups.append(Group(f"{key}-{set_up}", its[0].family, {**shared, **told}, tuple(its)))
    return [_with_strays(group, strays) for group in groups] if strays else groups


def _circumstances(record: Record) -> dict[str, Scalar]:
    dimensions = dimensions_of(record)
    always = ("spec.", "override.", PREFIX)
    prefixes = always if record.config is not None else (*always, "param.", "scheduler")
    kept = {name: value for name, value in dimensions.items() if name in _ALWAYS or name.startswith(prefixes)}
    return {"experiment": record.experiment, **kept}


def _set_ups(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Records of one config's name by set-up, which is named by its newest source."""
    fingerprints: dict[str, set[str]] = {}
    for record in records:
        if record.config is not None:
            fingerprints.setdefault(record.config.source_sha256, set()).add(record.config.fingerprint)
    merged: list[tuple[set[str], set[str]]] = []
    for source, seen in fingerprints.items():
        alike = [each for each in merged if each[1] & seen]
        merged = [each for each in merged if not each[1] & seen]
        merged.append(({source}.union(*(s for s, _ in alike)), seen.union(*(f for _, f in alike))))
    chosen = {source: number for number, (sources, _) in enumerate(merged) for source in sources}
    found: dict[int, list[Record]] = {}
    for record in records:
        found.setdefault(chosen[record.config.source_sha256] if record.config else -1, []).append(record)
    return {its[-1].config.source_sha256 if its[-1].config else "": its for its in found.values()}


def _with_strays(group: Group, strays: Sequence[Record]) -> Group:
    first = group.records[0]
    if first.config is None:
        return group
    sittings = {record.sitting.uuid for record in group.records if record.sitting}
    there = {_which(record) for record in group.records}
    joining = [
        stray
        for stray in strays
        if stray.sitting
        and stray.sitting.uuid in sittings
        and _which(stray) not in there
        and (stray.family, stray.experiment, stray.environment.machine)
        == (first.family, first.experiment, first.environment.machine)
        and _spec(stray) == _spec(first)
    ]
    if not joining:
        return group
    records = sorted((*group.records, *joining), key=lambda record: (record.started_at, record.record_id))
    return Group(group.key, group.family, group.circumstances, tuple(records))


def _which(record: Record) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    return record.sitting.uuid if record.sitting else None, tuple(sorted(record.code.measured.items()))


def _spec(record: Record) -> dict[str, Scalar]:
    return {name: value for name, value in _circumstances(record).items() if name.startswith("spec.")}

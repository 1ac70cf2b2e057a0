"""The order of records in a series: by version or by date, and after which new baselines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from perfdb.record import Annotation, Metric, Record

if TYPE_CHECKING:
    from packaging.version import Version

# Longer ones are no version that anybody released.
LONGEST_VERSION = 200


@dataclass(frozen=True)
class Taking:
    """A record on its way into a series.

    Attributes:
        place: Where its version stands among versions; None without one.
        epoch: How many new baselines it is measured against.
    """

    record: Record
    metric: Metric | None
    place: tuple[int, Version, str, str] | None
    epoch: int

    @property
    def began(self) -> datetime:
        """When its run began, in UTC."""
        return self.record.started_at


def version_of(record: Record) -> tuple[str | None, str | None]:
    """The version of what was measured, and the commit or address where that was no release."""
    measured = dict(record.code.measured)
    source = measured.pop("parsl_source", None)
    version = measured.get("parsl") or (next(iter(measured.values())) if len(measured) == 1 else None)
    return version, source


def place_of(record: Record) -> tuple[int, Version, str, str] | None:
    """Where its version stands in the order: known ones by number first, others by text; None without a version."""
    from packaging.version import InvalidVersion, Version

    version, source = version_of(record)
    if version is None:
        return None
    try:
        if len(version) <= LONGEST_VERSION:
            return 0, Version(version), "", source or ""
    except InvalidVersion:
        pass
    return 1, Version("0"), version, source or ""


def epochs_of(records: Sequence[Record], annotations: Sequence[Annotation]) -> dict[str, int]:
    """Of each record, how many new baselines it follows.

    What began before the first record of one does not follow it, unless they took turns: then they follow it alike.
    """
    known = {record.record_id: record for record in records}
    found = dict.fromkeys(known, 0)
    for annotation in annotations:
        if not annotation.resets_baseline:
            continue
        first = min((known[i] for i in annotation.record_ids if i in known), key=lambda record: record.started_at)
        for record in records:
            in_turns = record.sitting is not None and first.sitting is not None
            alike = in_turns and record.sitting.uuid == first.sitting.uuid  # type: ignore[union-attr]
            found[record.record_id] += record.started_at >= first.started_at or alike
    return found


# Those that make one point together, in order; and those that count for none, with the reason.
Sorted = tuple[list[list[Taking]], list[tuple[Taking, str]]]


def by_version(takings: Sequence[Taking]) -> Sorted:
    """Those of one version together, versions in their order, commits after the release they are built on."""
    versions: dict[object, list[Taking]] = {}
    for taking in takings:
        versions.setdefault(taking.place, []).append(taking)
    together, older = [], []
    for each in versions.values():
        newest = max(taking.epoch for taking in each)
        together.append([taking for taking in each if taking.epoch == newest])
        older += [(taking, "before a new baseline") for taking in each if taking.epoch < newest]
    return sorted(together, key=lambda each: version_order(each[0])), older


def version_order(taking: Taking) -> tuple[object, ...]:
    """What sorts by version, a release before commits that are built on it, then by time. It has a place."""
    assert taking.place is not None
    known, version, text, source = taking.place
    return known, version, text, bool(source), taking.began


def by_date(takings: Sequence[Taking]) -> Sorted:
    """Each by itself. A sitting is one moment: of several versions that took turns in it, the newest stands for it."""
    newest: dict[str, tuple[object, ...]] = {}
    for taking in takings:
        if taking.record.sitting is not None and taking.place is not None:
            sitting, place = taking.record.sitting.uuid, version_order(taking)[:4]
            newest[sitting] = max(newest.get(sitting, place), place)
    together, older = [], []
    for taking in takings:
        sitting_ = taking.record.sitting.uuid if taking.record.sitting else None
        if sitting_ in newest and taking.place is not None and version_order(taking)[:4] < newest[sitting_]:
            older.append((taking, "an older version of the same sitting"))
        else:
            together.append([taking])
    return together, older

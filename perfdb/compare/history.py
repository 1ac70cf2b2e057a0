"""From records to series of one metric, with their changes. Pure; the models are in `perfdb.compare.series`."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from perfdb.compare.changes import Edge, point_edges, told, turn_edges
from perfdb.compare.circumstances import Group, grouped
from perfdb.compare.median import median
from perfdb.compare.ordering import Taking, by_date, by_version, epochs_of, place_of, version_of, version_order
from perfdb.compare.series import NO_VERSION, By, History, LeftOut, Mark, Point, Series
from perfdb.compare.settings import PREFIX, telling
from perfdb.record import Annotation, Record, Scalar

SHOWN = ("family", "experiment", "machine", "config")


class Past:
    """Records of any kind, ready to be looked at metric by metric.

    Args:
        records: In any order.
        withdrawn: The ids of those that do not count.
        annotations: On any records, oldest first.
    """

    def __init__(
        self, records: Iterable[Record], withdrawn: Collection[str] = (), annotations: Sequence[Annotation] = ()
    ) -> None:
        self._groups = grouped(sorted(records, key=lambda record: (record.started_at, record.record_id)))
        self._withdrawn = frozenset(withdrawn)
        self._annotations = tuple(annotations)

    def metrics(self) -> list[str]:
        """The names of all metrics that a record has for its whole run, in order."""
        return sorted({m.name for group in self._groups for r in group.records for m in r.metrics if m.step is None})

    def of(self, metric: str, by: By = "version") -> History:
        """One metric's series; none where no record has it."""
        units = [(group, unit) for group in self._groups for unit in _units(group, metric)]
        shown = _telling([group for group, _ in units])
        series = [
            self._series(group, metric, unit, by, {name: group.circumstances.get(name) for name in shown[group.key]})
            for group, unit in units
        ]
        newest = sorted(series, key=_newest, reverse=True)
        return History(metric=metric, by=by, series=tuple(newest))

    def _series(self, group: Group, metric: str, unit: str, by: By, circumstances: dict[str, Scalar]) -> Series:
        named = {record.record_id for record in group.records}
        annotations = [each for each in self._annotations if not named.isdisjoint(each.record_ids)]
        epochs = epochs_of(group.records, annotations)
        takings, left_out = [], []
        for record in group.records:
            found = record.metric(metric)
            taking = Taking(record, found, place_of(record), epochs[record.record_id])
            if found is not None and found.unit != unit:
                continue
            if (why := _why_not(record, self._withdrawn, by, taking)) is not None:
                left_out.append((taking, why))
            elif found is not None:
                takings.append(taking)
        sort = by_version if by == "version" else by_date
        together, older = sort(takings)
        left_out += older
        points = [_point(each) for each in together]
        marks = _marks(points, annotations)
        stretches = _stretches(together, points, marks)
        return Series(
            circumstances=circumstances,
            unit=unit,
            direction=next(m.direction for r in reversed(group.records) if (m := r.metric(metric)) and m.unit == unit),
            points=tuple(points),
            stretches=stretches,
            changes=tuple(
                change.model_copy(update={"at": change.at + low})
                for low, high in itertools.pairwise((*stretches, len(points)))
                for change in told([p.value for p in points[low:high]], _edges(points[low:high]))
            ),
            marks=marks,
            left_out=tuple(_left_out(*each, together, by) for each in left_out),
            remarks=_remarks(takings),
        )


def history(
    records: Iterable[Record],
    metric: str,
    *,
    by: By = "version",
    withdrawn: Collection[str] = (),
    annotations: Sequence[Annotation] = (),
) -> History:
    """One metric's series under like circumstances, with their changes; see `Past`."""
    return Past(records, withdrawn, annotations).of(metric, by)


def _units(group: Group, metric: str) -> list[str]:
    return list(dict.fromkeys(found.unit for record in group.records if (found := record.metric(metric))))


def _telling(groups: Sequence[Group]) -> Mapping[str, list[str]]:
    """By group: the circumstances to show, those that every reader wants and those that tell it from another group."""
    values: dict[tuple[str, str], set[Scalar]] = {}
    names = sorted({name for group in groups for name in group.circumstances})
    for group in groups:
        for name in names:
            values.setdefault((group.family, name), set()).add(group.circumstances.get(name))
    settings = {
        family: {PREFIX + name for name in telling([_settings(g) for g in groups if g.family == family])}
        for family in {group.family for group in groups}
    }
    return {
        group.key: [
            *(name for name in SHOWN if group.circumstances.get(name) is not None),
            *(
                name
                for name in names
                if name not in SHOWN
                and (name.startswith("override.") or len(values[group.family, name]) > 1)
                and (not name.startswith(PREFIX) or name in settings[group.family])
                and group.circumstances.get(name) is not None
            ),
        ]
        for group in groups
    }


def _settings(group: Group) -> dict[str, Scalar]:
    return {n.removeprefix(PREFIX): value for n, value in group.circumstances.items() if n.startswith(PREFIX)}


def _why_not(record: Record, withdrawn: Collection[str], by: By, taking: Taking) -> str | None:
    if record.record_id in withdrawn:
        return "withdrawn"
    if record.status != "ok":
        return record.status
    return NO_VERSION if by == "version" and taking.place is None and taking.metric is not None else None


def _point(together: Sequence[Taking]) -> Point:
    records = [taking.record for taking in together]
    values = [taking.metric.all_values for taking in together if taking.metric is not None]
    medians = tuple(median(each) for each in values)
    sittings = {record.sitting.uuid if record.sitting else None for record in records}
    version, source = version_of(records[0])
    return Point(
        value=median(medians),
        medians=medians,
        repetitions=tuple(itertools.chain.from_iterable(values)),
        records=tuple(record.record_id for record in records),
        version=version,
        source=source,
        first_at=records[0].started_at,
        last_at=records[-1].started_at,
        sitting=next(iter(sittings)) if len(sittings) == 1 else None,
        turns=tuple(sorted(t for r in records if r.sitting for t in r.sitting.turns)) if len(sittings) == 1 else (),
    )


def _marks(points: Sequence[Point], annotations: Sequence[Annotation]) -> tuple[Mark, ...]:
    places = {record: at for at, point in enumerate(points) for record in point.records}
    found = []
    for each in annotations:
        if there := [places[record] for record in each.record_ids if record in places]:
            found.append(Mark(at=min(there), uuid=each.uuid, note=each.note, resets_baseline=each.resets_baseline))
    return tuple(sorted(found, key=lambda mark: mark.at))


def _stretches(together: Sequence[Sequence[Taking]], points: Sequence[Point], marks: Sequence[Mark]) -> tuple[int, ...]:
    """Where a baseline ends: between records before it and after it, and, among those of one sitting, at its mark."""
    cuts = {at for at in range(1, len(points)) if together[at][0].epoch != together[at - 1][0].epoch}
    for mark in marks:
        if mark.resets_baseline and mark.at and points[mark.at - 1].is_of_a_sitting_with(points[mark.at]):
            cuts.add(mark.at)
    return (0, *sorted(cuts)) if points else ()


def _edges(points: Sequence[Point]) -> dict[int, Edge]:
    """Between points that took turns their repetitions decide, between all others the points."""
    by_points = point_edges([point.value for point in points])
    edges = {at: edge for at, edge in by_points.items() if not points[at - 1].took_turns_with(points[at])}
    low = 0
    while low < len(points):
        high = low + 1
        while high < len(points) and points[high - 1].took_turns_with(points[high]):
            high += 1
        if high - low > 1:
            found = turn_edges([point.repetitions for point in points[low:high]])
            edges |= {low + at: edge for at, edge in found.items()}
        low = high
    return edges


def _left_out(taking: Taking, why: str, together: Sequence[Sequence[Taking]], by: By) -> LeftOut:
    record = taking.record
    if by == "date":
        before = sum(each[0].began <= taking.began for each in together)
    elif taking.place is None:
        before = len(together)
    else:
        before = sum(version_order(each[0]) <= version_order(taking) for each in together)
    return LeftOut(
        record=record.record_id,
        why=why,
        reason=record.reason,
        version=version_of(record)[0],
        started_at=record.started_at,
        value=median(taking.metric.all_values) if taking.metric else None,
        before=before,
    )


def _remarks(takings: Sequence[Taking]) -> tuple[str, ...]:
    remarks = []
    machines = {t.record.environment.machine_fingerprint for t in takings} - {None}
    if len(machines) > 1:
        remarks.append(f"the machine's hardware, system or kernel changed: {len(machines)} fingerprints.")
    set_ups: dict[object, set[str]] = {}
    for taking in takings:
        if taking.record.config is not None:
            set_ups.setdefault(taking.place, set()).add(taking.record.config.fingerprint)
    if any(len(each) > 1 for each in set_ups.values()):
        remarks.append("its config's parameters differ between records of one version.")
    return tuple(remarks)


def _newest(series: Series) -> tuple[bool, datetime | None, int]:
    return bool(series.points), max((p.last_at for p in series.points), default=None), len(series.points)


__all__ = ["By", "History", "LeftOut", "Mark", "Past", "Point", "Series", "history", "version_of"]

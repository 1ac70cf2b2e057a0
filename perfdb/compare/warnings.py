"""What makes a comparison weaker than it looks, a sentence each. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise

from perfdb.compare.comparison import Values
from perfdb.compare.pairing import Pair
from perfdb.compare.sample import Sample, sittings_of, take_turns
from perfdb.compare.sides import Counted
from perfdb.compare.stability import instability, two_groups
from perfdb.record import Direction, Record
from perfdb.units import counted, quantity

_MOST_PLACES = 3
_MOST_LOST = 0.1
# A load that differs by a tenth of the CPUs, and by half a process at least, is not the same load.
_LOAD_PER_CPU = 0.1
_LOAD = 0.5


class Warnings:
    """Collects what is noticed: each sentence once, with the cases that it is about."""

    def __init__(self, sides: Sequence[Counted]) -> None:
        self._found: dict[str, dict[str, None]] = {}
        for side in sides:
            lost = sum(len(runs) for why, runs in side.left_out.items() if why != "withdrawn")
            if lost >= _MOST_LOST * (lost + len(side.runs)):
                self._add(
                    f"{lost} of {counted(lost + len(side.runs), 'run')} of {side.name} did not end well and are left out: "
                    "those that are left may be the luckier ones"
                )
            if any(run.record.origin.kind == "imported" for run in side.runs):
                self._add(f"{side.name} holds imported records: how they were measured is their source's word")
        versions = {run.record.code.perfdb_version for side in sides for run in side.runs}
        if len(versions) > 1:
            self._add(
                f"perfdb {' and '.join(sorted(versions))} measured: what a metric means may have changed in between"
            )

    def of_case(self, pair: Pair, case: str) -> None:
        """What the records of both sides say about how they were measured.

        Args:
            case: What to call it; empty where there is only one.
        """
        for name, records in zip(pair.names, (pair.baseline, pair.other), strict=True):
            for record in records:
                for sentence, detail in _missing(record, name):
                    self._add(sentence, case, detail)
        for sentence, detail in (*_apart(pair), *_load(pair), *_unequal(pair), *_copies(pair)):
            self._add(sentence, case, detail)

    def of_meanings(self, metric: str, meanings: Sequence[tuple[str, Direction]], case: str) -> None:
        """A metric that is not one thing in all the records."""
        told = " and ".join(f"in {unit or 'no unit'} with {direction} better" for unit, direction in meanings)
        self._add(f"the definition of {metric} changed, so it is not compared: there are values {told}", case)

    def of_one_side(self, metric: str, lacking: str, case: str) -> None:
        """A metric that one side has no value of."""
        self._add(f"{metric} is not compared: no record of {lacking} has it", case)

    def of_sample(self, metric: str, unit: str, pair: Pair, case: str, sample: Sample) -> None:
        """What the values themselves say."""
        if sample.beside:
            beside = counted(len(sample.beside), "record")
            self._add("records that took no turns with the other side are not used", case, beside)
        if sample.unit == "repetition" and sample.baseline.n != sample.other.n:
            self._add(f"unequal repetitions of {metric}", case, f"{sample.baseline.n} against {sample.other.n}")
        if min(*sample.baseline.values, *sample.other.values) <= 0:
            self._add(f"{metric} has values that are zero or below, so it has no ratio", case)
        sides = ((sample.baseline, pair.baseline), (sample.other, pair.other))
        for name, (values, records) in zip(pair.names, sides, strict=True):
            for group in _groups(metric, sample, values, records):
                if why := instability(group):
                    self._add(f"{metric} of {name} is unstable", case, why)
                if found := two_groups(group):
                    self._add(
                        f"{metric} of {name} falls into two groups, as if two series that ran under unlike conditions were "
                        "spliced together",
                        case,
                        " and ".join(
                            f"{count} from {quantity(low, unit)} to {quantity(high, unit)}"
                            for low, high, count in (found.low, found.high)
                        ),
                    )

    def all(self) -> tuple[str, ...]:
        """Every sentence, in the order in which they were noticed."""
        return tuple(sentence + _places(list(places)) for sentence, places in self._found.items())

    def _add(self, sentence: str, case: str = "", detail: str = "") -> None:
        place = ": ".join(filter(None, (case, detail)))
        self._found.setdefault(sentence, {}).update({place: None} if place else {})


Told = Iterator[tuple[str, str]]


def _apart(pair: Pair) -> Told:
    one, other = pair.names
    records = (*pair.baseline, *pair.other)
    if any(record.origin.kind == "imported" and record.started_at == record.ended_at for record in records):
        yield (
            f"nobody can tell when the runs of {one} and {other} took place, nor whether they took turns: dates were given at "
            "an import, not measured",
            "",
        )
        return
    mine, others = sittings_of(pair.baseline), sittings_of(pair.other)
    shared = [uuid for uuid in mine if uuid in others]
    if any(take_turns(mine[uuid], others[uuid]) for uuid in shared):
        return
    if shared:
        yield f"{one} and {other} share a sitting but took no turns there: one ran after the other", ""
        return
    order = sorted((record.started_at, side) for side in (0, 1) for record in (pair.baseline, pair.other)[side])
    changes = sum(before[1] != after[1] for before, after in pairwise(order))
    if changes < min(len(pair.baseline), len(pair.other)) or changes == 1:
        yield (
            f"{one} and {other} were measured {'apart' if changes == 1 else 'mostly apart'} in time, not in turns: whatever "
            "else changed in between is in the ratio too",
            f"{_days(pair.baseline)} against {_days(pair.other)}",
        )


def _days(records: Sequence[Record]) -> str:
    first, last = (f"{record.started_at:%Y-%m-%d %H:%M}" for record in (records[0], records[-1]))
    return first if first == last else f"{first} to {last}"


def _load(pair: Pair) -> Told:
    loads = []
    for records in (pair.baseline, pair.other):
        known = [record.environment.load_at_start.one for record in records if record.environment.load_at_start]
        if not known:
            return
        loads.append(statistics.median(known))
    hosts = [record.environment.submit_host for record in (*pair.baseline, *pair.other)]
    cpus = min((host.cpu_usable or host.cpu_count or 1 for host in hosts if host), default=1)
    if abs(loads[0] - loads[1]) >= max(_LOAD, _LOAD_PER_CPU * cpus):
        yield (
            f"unequal load when the runs of {pair.names[0]} and {pair.names[1]} began",
            f"{loads[0]:.1f} against {loads[1]:.1f} runnable processes",
        )


def _unequal(pair: Pair) -> Told:
    one, other = pair.names
    if len(pair.baseline) != len(pair.other):
        yield f"unequal numbers of records of {one} and {other}", f"{len(pair.baseline)} against {len(pair.other)}"
    counts = [sorted({_repetitions(record) for record in records}) for records in (pair.baseline, pair.other)]
    if counts[0] != counts[1]:
        told = " against ".join(" or ".join(map(str, found)) for found in counts)
        yield f"unequal counts of values in the records of {one} and {other}", told


def _missing(record: Record, name: str) -> Told:
    asked, done = record.spec.get("reps"), _repetitions(record)
    if isinstance(asked, int) and 0 < done < asked:
        yield f"repetitions of {name} are missing", f"record {record.record_id} has {done} of {asked}"
    for finding in record.findings:
        if finding.name == "jobs_missing":
            yield f"jobs of {name} are missing: whoever lost them looks better for it", finding.evidence


def _repetitions(record: Record) -> int:
    return max((len(metric.all_values) for metric in record.metrics if metric.step is None), default=0)


def _copies(pair: Pair) -> Told:
    seen: dict[object, str] = {}
    for record in (*pair.baseline, *pair.other):
        values = tuple(sorted((m.name, m.step or 0, m.repetition or 0, m.all_values) for m in record.metrics))
        before = seen.setdefault(values, record.record_id)
        if values and before != record.record_id:
            yield (
                "records have the very same values: one may be a copy of the other",
                f"{before} and {record.record_id}",
            )


def _groups(metric: str, sample: Sample, values: Values, records: Sequence[Record]) -> Iterator[Sequence[float]]:
    """The sets of values that should each be one thing measured several times."""
    if sample.unit == "repetition":
        yield from ((block[0] if values is sample.baseline else block[1]) for block in sample.blocks)
        return
    yield values.values
    found = (record.metric(metric) for record in records)
    yield from (one.values for one in found if one is not None and one.values is not None)


def _places(places: Sequence[str]) -> str:
    if not places:
        return ""
    more = len(places) - _MOST_PLACES
    return f" ({'; '.join(places[:_MOST_PLACES])}{f'; and {more} more' if more > 0 else ''})"

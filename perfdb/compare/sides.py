"""What is compared: sides, which of their records count, and what they differ in. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from perfdb.compare.comparison import Difference, Side
from perfdb.compare.dimensions import EVERY_PARAM, GROUPS, Dimensions, covered, dimensions_of, group_of, spelled
from perfdb.record import Record, Scalar

Key = frozenset[tuple[str, object]]
# Of what each side has alone, the nearest pair is looked for among so many.
_MOST_NEAR = 50


@dataclass(frozen=True)
class Chosen:
    """One side as it was asked for.

    Attributes:
        label: What to call it.
        records: All that were found, whatever their status.
        compared: The dimensions that whoever asked has named, such as `machine`, `parsl_version` or
            `param.provider.max_blocks`; empty where records were named one by one.
        withdrawn: Ids of records that are retracted.
    """

    label: str
    records: Sequence[Record]
    compared: tuple[str, ...] = ()
    withdrawn: Collection[str] = ()


@dataclass(frozen=True)
class Run:
    """A record and its dimensions, worked out once."""

    record: Record
    dimensions: Dimensions


@dataclass(frozen=True)
class Counted:
    """A side's records that count, and those that do not, by why; `name` is what sentences call it."""

    label: str
    name: str
    runs: tuple[Run, ...]
    left_out: Mapping[str, tuple[Run, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, chosen: Chosen) -> Counted:
        """Each record once, oldest first."""
        runs = []
        left_out: dict[str, list[Run]] = {}
        records = {record.record_id: record for record in chosen.records}
        for record in sorted(records.values(), key=lambda r: (r.started_at, r.record_id)):
            run = Run(record, dimensions_of(record))
            why = "withdrawn" if record.record_id in chosen.withdrawn else record.status
            if why == "ok":
                runs.append(run)
            else:
                left_out.setdefault(why, []).append(run)
        return cls(
            chosen.label, chosen.label, tuple(runs), {why: tuple(found) for why, found in sorted(left_out.items())}
        )

    @property
    def side(self) -> Side:
        """As the comparison tells it."""
        return Side(
            label=self.label,
            name=self.name,
            records=tuple(run.record.record_id for run in self.runs),
            left_out={why: tuple(run.record.record_id for run in runs) for why, runs in self.left_out.items()},
        )

    @cached_property
    def values(self) -> dict[str, frozenset[Scalar]]:
        """Of each dimension that any counted record has, every value; None where a record lacks it."""
        names = dict.fromkeys(name for run in self.runs for name in run.dimensions)
        return {name: frozenset(run.dimensions.get(name) for run in self.runs) for name in names}


def named(sides: Sequence[Counted], compared: Sequence[str]) -> list[Counted]:
    """The sides under short names: the value of what is compared, where each has just one, all different."""
    for dimension in compared:
        values = [side.values.get(dimension, frozenset()) for side in sides]
        names = [str(next(iter(found))) for found in values if len(found) == 1]
        if len(set(names)) == len(sides):
            return [replace(side, name=name) for side, name in zip(sides, names, strict=True)]
    return list(sides)


@dataclass(frozen=True)
class Rules:
    """Which dimensions must be alike."""

    compared: tuple[str, ...]
    ignored: frozenset[str]

    def must_be_alike(self, run: Run) -> dict[str, Scalar]:
        """The dimensions of a run that its counterpart must share."""
        free = self._free(run)
        return {name: value for name, value in run.dimensions.items() if name not in free}

    def may_differ_within(self, run: Run) -> frozenset[str]:
        """What is compared and what comes along with it: the same in all of a side's runs of one case."""
        return self._free(run) - covered(self.ignored, run.dimensions)

    def _free(self, run: Run) -> frozenset[str]:
        names = (*self.compared, *self.ignored)
        if "parsl_version" in self.compared and "config_source" in run.dimensions:
            # A release that knows other options says other things of the same file.
            return covered(names, run.dimensions) | covered(EVERY_PARAM, run.dimensions)
        return covered(names, run.dimensions)


def differing(sides: Sequence[Counted]) -> list[str]:
    """The dimensions whose values are not the same set on every side, in their own order."""
    nothing = frozenset([None])
    names = dict.fromkeys(name for side in sides for name in side.values)
    return [name for name in names if len({side.values.get(name, nothing) for side in sides}) > 1]


def differences(sides: Sequence[Counted], names: Collection[str]) -> tuple[Difference, ...]:
    """Those of the dimensions in which the sides differ, with each side's values as text."""
    return tuple(
        Difference(dimension=name, values=tuple(shown(side.values.get(name, frozenset([None]))) for side in sides))
        for name in differing(sides)
        if name in names
    )


def shown(values: Collection[Scalar]) -> tuple[str, ...]:
    """Values as text, in order."""
    return tuple(sorted(spelled(value) for value in values))


@dataclass(frozen=True)
class Cluster:
    """A side's runs that are alike in all that must be alike."""

    alike: dict[str, Scalar]
    runs: tuple[Run, ...]

    @property
    def records(self) -> tuple[Record, ...]:
        """Oldest first."""
        return tuple(run.record for run in self.runs)


def clusters(side: Counted, rules: Rules) -> dict[Key, Cluster]:
    """A side's runs by what must be alike."""
    found: dict[Key, list[Run]] = {}
    for run in side.runs:
        found.setdefault(same_key(rules.must_be_alike(run)), []).append(run)
    return {key: Cluster(rules.must_be_alike(runs[0]), tuple(runs)) for key, runs in found.items()}


def unlike_within(cluster: Cluster, rules: Rules) -> dict[str, tuple[str, ...]]:
    """The dimensions in which runs of one side differ that were to be pooled, with their values."""
    names = sorted(set().union(*(rules.may_differ_within(run) for run in cluster.runs)))
    values = {name: {run.dimensions.get(name) for run in cluster.runs} for name in names}
    return {name: shown(found) for name, found in values.items() if len(found) > 1}


def nearest(mine: Sequence[Cluster], others: Sequence[Cluster]) -> tuple[tuple[str, ...], Cluster, Cluster]:
    """The pair that differs in the fewest groups of dimensions, then in the fewest of them, and in which it differs.

    Args:
        mine: At least one.
        others: At least one.
    """
    pairs = ((one, other) for one in mine[:_MOST_NEAR] for other in others[:_MOST_NEAR])
    found = ((tuple(_unlike(one.alike, other.alike)), one, other) for one, other in pairs)
    return min(found, key=lambda pair: (len({group_of(name) for name in pair[0]}), len(pair[0])))


def likeliest(names: Collection[str]) -> list[str]:
    """The groups that these dimensions belong to, the likeliest to be what is compared first, without those that it
    brings along."""
    order = {group: place for place, group in enumerate(GROUPS)}
    found: list[str] = []
    for group in sorted(dict.fromkeys(map(group_of, names)), key=lambda g: order.get(g, len(order))):
        mine = {name for name in names if group_of(name) == group}
        if group == "params" and "parsl_version" in found and "config_source" not in names:
            continue  # a release that knows other options says other things of the same file
        if mine - covered(found, mine):
            found.append(group)
    return found


def _unlike(one: Dimensions, other: Dimensions) -> Iterator[str]:
    for name in dict.fromkeys([*one, *other]):
        if _exact(one.get(name)) != _exact(other.get(name)):
            yield name


def same_key(alike: Dimensions) -> Key:
    """What equal dimensions have in common."""
    return frozenset((name, _exact(value)) for name, value in alike.items())


def _exact(value: Scalar) -> object:
    """Python takes True for 1, and a config does not."""
    return (type(value) is bool, value)

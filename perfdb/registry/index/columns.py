"""What a record's row has: the names that a query may use, and what kind of value stands under each. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from perfdb.errors import UsageError

PREFIXES = ("metric", "param", "spec", "scheduler_settings", "tag", "measured", "check")
MOST_NEAR = 3
LEAST_WITHIN = 3
FURTHER = ", ".join(f"{prefix}.NAME" for prefix in PREFIXES)


class Kind(Enum):
    """What stands in a column: the parts that it is kept in, in the order by which its values sort.

    A part is one type of value: `n` numbers, `b` true or false, `t` text, `v` version keys, `i` microseconds since 1970.
    """

    TEXT = "t"
    NUMBER = "n"
    FLAG = "b"
    INSTANT = "i"
    VERSION = "vt"
    TAG = "nt"
    SCALAR = "nbt"

    @property
    def parts(self) -> tuple[str, ...]:
        """The types of its parts."""
        return tuple(self.value)


class Key(NamedTuple):
    """One stored column: a type of value under a name, in a unit if it is a metric."""

    name: str
    type: str
    unit: str = ""


@dataclass(frozen=True)
class Column:
    """One column as people name it.

    Attributes:
        name: `started_at`, `param.provider.max_blocks`, …
        kind: What stands in it.
        unit: Of a metric, else empty.
        keys: The stored columns behind it, by type; a type that no record here has is not among them.
    """

    name: str
    kind: Kind
    unit: str
    keys: Mapping[str, Key]


BUILT_IN: Mapping[str, Kind] = {
    "record_id": Kind.TEXT,
    "family": Kind.TEXT,
    "experiment": Kind.TEXT,
    "name": Kind.TEXT,
    "machine": Kind.TEXT,
    "status": Kind.TEXT,
    "started_at": Kind.INSTANT,
    "ended_at": Kind.INSTANT,
    "duration_s": Kind.NUMBER,
    "repetitions": Kind.NUMBER,
    "parsl_version": Kind.VERSION,
    "perfdb_version": Kind.VERSION,
    "config": Kind.TEXT,
    "fingerprint": Kind.TEXT,
    "machine_fingerprint": Kind.TEXT,
    "scheduler": Kind.TEXT,
    "scheduler_version": Kind.VERSION,
    "origin": Kind.TEXT,
    "source_kind": Kind.TEXT,
    "sitting": Kind.TEXT,
    "reproduces": Kind.TEXT,
    "folder": Kind.TEXT,
    "retracted": Kind.FLAG,
}
_KINDS = {
    "metric": Kind.NUMBER,
    "param": Kind.SCALAR,
    "spec": Kind.SCALAR,
    "scheduler_settings": Kind.TAG,
    "tag": Kind.TAG,
    "measured": Kind.VERSION,
    "check": Kind.FLAG,
}


class Catalogue:
    """The columns of one registry.

    Args:
        counts: How many values each stored column has.
    """

    def __init__(self, counts: Mapping[Key, int]) -> None:
        found: dict[str, dict[str, Key]] = {name: {} for name in BUILT_IN}
        units = _main_units(counts)
        for key in counts:
            # The unit that most records have a metric in goes without saying; numbers in another are never mixed in.
            name = key.name if units.get(key.name, key.unit) == key.unit else f"{key.name}[{key.unit}]"
            found.setdefault(name, {})[key.type] = key
        self.columns: dict[str, Column] = {
            name: Column(name, kind_of(name), next((key.unit for key in keys.values()), ""), keys)
            for name, keys in sorted(found.items(), key=lambda item: _place(item[0]))
        }
        # A name with its unit stays what it is when another unit becomes the one that most records have.
        with_unit = {f"{name}[{column.unit}]": name for name, column in self.columns.items() if column.unit}
        self._named = {**with_unit, **{name: name for name in self.columns}}

    def resolve(self, name: str) -> Column:
        """The column that is meant by a name, with or without its prefix.

        Raises:
            UsageError: none is, or several are.
        """
        meant = [full for full in (name, *(f"{prefix}.{name}" for prefix in PREFIXES)) if full in self._named]
        if meant and (len(meant) == 1 or meant[0] == name):
            return self.columns[self._named[meant[0]]]
        if meant:
            raise UsageError(f"{name!r} may be {' or '.join(meant)}: type it with its prefix.")
        near = self._near(name[:200])
        hint = f"The closest are {', '.join(near)}." if near else f"There are {', '.join(BUILT_IN)}, and {FURTHER}."
        raise UsageError(f"no record here has a value named {name[:200]!r}. {hint}")

    def _near(self, name: str) -> list[str]:
        """The columns that may have been meant: spelled much like it, or with it in their names."""
        short = {name: name for name in self.columns}
        short |= {full.partition(".")[2]: full for full in self.columns if "." in full}
        alike = [short[n] for n in difflib.get_close_matches(name, short, n=MOST_NEAR, cutoff=0.6)]
        within = [full for full in self.columns if len(name) >= LEAST_WITHIN and name.lower() in full.lower()]
        return list(dict.fromkeys([*alike, *within]))[:MOST_NEAR]


def kind_of(name: str) -> Kind:
    """What stands in a column of that name."""
    return BUILT_IN[name] if name in BUILT_IN else _KINDS[name.partition(".")[0]]


def _main_units(counts: Mapping[Key, int]) -> dict[str, str]:
    """Of each metric, the unit that most of its records have it in."""
    ranked = sorted(counts.items(), key=lambda item: (item[1], [-ord(sign) for sign in item[0].unit]))
    return {key.name: key.unit for key, _ in ranked}


def _place(name: str) -> tuple[int, str]:
    builtin = list(BUILT_IN)
    if name in BUILT_IN:
        return builtin.index(name), ""
    return len(builtin) + PREFIXES.index(name.partition(".")[0]), name


def added(counts: Iterable[Mapping[Key, int]]) -> dict[Key, int]:
    """The counts of several together."""
    total: dict[Key, int] = {}
    for each in counts:
        for key, count in each.items():
            total[key] = total.get(key, 0) + count
    return total

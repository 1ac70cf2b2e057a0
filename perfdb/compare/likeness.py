"""Whether the runs of two versions are alike in all that may move a number, but for the version. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from perfdb.compare.dimensions import dimensions_of, group_of
from perfdb.compare.settings import SETTINGS
from perfdb.record import Record, Scalar

# A version brings its packages; what else a series may hold was settled when its records were put together.
_SETTLED = frozenset({"packages", "parsl_version", "config", "params", "overrides", "spec", SETTINGS})


class Likeness:
    """Looks records up by their ids; each is looked at once, however many series it is in."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        self._records = records
        self._known: dict[str, dict[str, Scalar]] = {}

    def differing(self, *sides: Sequence[str]) -> tuple[str, ...]:
        """The dimensions in which records differ that should not: in everything between sides, in packages within one.

        Args:
            sides: Ids of the records of each version.
        """
        every = [self._of(record_id) for side in sides for record_id in side]
        found = {name: None for name in _unlike(every) if not _is_settled(name)}
        for side in sides:
            packages = (name for name in _unlike([self._of(i) for i in side]) if group_of(name) == "packages")
            found |= dict.fromkeys(packages)
        # What the machine's fingerprint sums up tells more than it.
        if any(group_of(name) == "machine" and name != "machine_fingerprint" for name in found):
            found.pop("machine_fingerprint", None)
        return tuple(found)

    def _of(self, record_id: str) -> dict[str, Scalar]:
        if record_id not in self._known:
            self._known[record_id] = dimensions_of(self._records[record_id])
        return self._known[record_id]


def _unlike(every: Sequence[Mapping[str, Scalar]]) -> list[str]:
    first = every[0]
    return sorted({name for other in every for name in {*first, *other} if first.get(name) != other.get(name)})


def _is_settled(name: str) -> bool:
    return group_of(name) in _SETTLED or name.startswith("measured.")

"""The words in which unlike runs are refused. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from perfdb.compare.brief import SUMMED_UP, in_lines
from perfdb.compare.comparison import Difference
from perfdb.compare.dimensions import MACHINE, covers, group_of
from perfdb.errors import UnlikeRunsError

# Before the options that let unlike runs be compared.
ANYWAY = "compare them anyway with "
_MANY = 3


def unlike_runs(differences: Sequence[Difference]) -> UnlikeRunsError:
    """The error that names the unlike dimensions with each side's values, the first of many, and what to type."""
    told = without_fingerprint(differences)
    lines = "\n".join(in_lines(told, to_see_more="; --json lists them once they are ignored"))
    return UnlikeRunsError(
        f"these runs differ in more than what is compared:\n{lines}\n{ANYWAY}{to_ignore([d.dimension for d in told])}"
    )


def unlike_within_side(label: str, differences: Sequence[Difference]) -> UnlikeRunsError:
    """The error for a side whose own runs are no set of alike ones."""
    told = without_fingerprint(differences)
    lines = "\n".join(in_lines(told, to_see_more=""))
    return UnlikeRunsError(
        f"the runs of {label} are unlike one another and cannot be pooled:\n{lines}\n"
        f"narrow it down with a query, or pool them anyway with {to_ignore([d.dimension for d in told])}"
    )


def without_fingerprint(differences: Sequence[Difference]) -> list[Difference]:
    """Without the machine's fingerprint where the facts that it sums up are told themselves."""
    explained = any(d.dimension in MACHINE - {"machine_fingerprint", "workers"} for d in differences)
    return [d for d in differences if not (explained and d.dimension == "machine_fingerprint")]


def to_ignore(dimensions: Collection[str]) -> str:
    """The options that take these dimensions out of the way, as few as will do."""
    many = Counter(group_of(name) for name in dimensions)
    names = dict.fromkeys(
        group if (group := group_of(name)) in SUMMED_UP and many[group] >= _MANY else name for name in dimensions
    )
    kept = [name for name in names if not any(covers(other)(name) for other in names if other != name)]
    return " ".join(f"--ignore {name if name.replace('.', '').isidentifier() else repr(name)}" for name in kept)

"""Like with like: the cases that a baseline and another side share, and what each has alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perfdb.compare.brief import values_in_words
from perfdb.compare.comparison import Difference, FailedCase
from perfdb.compare.dimensions import covered, group_of, spelled
from perfdb.compare.refusal import to_ignore, unlike_runs, unlike_within_side, without_fingerprint
from perfdb.compare.settings import SETTINGS
from perfdb.compare.sides import Cluster, Counted, Rules, Run, clusters, nearest, same_key, shown, unlike_within
from perfdb.errors import UnlikeRunsError
from perfdb.record import Record, Scalar

# What a run that never got to its workers, or whose config did not start, cannot tell of itself.
_UNTOLD = frozenset({"machine", "scheduler", SETTINGS, "params", "packages"})
_BROKEN = ("failed", "invalid", "timeout")
# What a case is called by, before whatever else tells it from the others.
_FIRST = ("family", "machine", "config", "parsl_version", "scheduler")


@dataclass(frozen=True)
class Pair:
    """The runs of a baseline and of another side that are alike but for what is compared.

    Attributes:
        place: Of the other side, from 1.
        names: What both sides are called.
        alike: The dimensions that they share.
    """

    place: int
    names: tuple[str, str]
    alike: dict[str, Scalar]
    baseline: tuple[Record, ...]
    other: tuple[Record, ...]


@dataclass(frozen=True)
class Pairing:
    """All pairs of one side with the baseline, what either has alone, and in how many cases a side only failed.

    `broken` are those of them that the other side no longer runs.
    """

    place: int
    pairs: tuple[Pair, ...]
    unmatched: tuple[str, ...]
    failed: int
    broken: tuple[FailedCase, ...] = ()


def pair_up(baseline: Counted, other: Counted, place: int, rules: Rules) -> Pairing:
    """The pairs of a side with the baseline.

    Raises:
        UnlikeRunsError: there is none.
    """
    mine, others = clusters(baseline, rules), clusters(other, rules)
    every = [cluster.alike for cluster in (*mine.values(), *others.values())]
    told_by = {same_key(alike): label for alike, label in zip(every, case_labels(every, rules), strict=True)}
    pairs, told = [], []
    refused: UnlikeRunsError | None = None
    for key in (key for key in mine if key in others):
        unlike = [(side.name, unlike_within(found[key], rules)) for side, found in ((baseline, mine), (other, others))]
        if any(names for _, names in unlike):
            label, names = next((label, names) for label, names in unlike if names)
            refused = refused or unlike_within_side(
                label, [Difference(dimension=n, values=(v,)) for n, v in names.items()]
            )
            told.append(f"{_named(told_by[key])}: left out, for {label} has unlike runs of it ({', '.join(names)})")
            continue
        pairs.append(Pair(place, (baseline.name, other.name), mine[key].alike, mine[key].records, others[key].records))
    alone = [(baseline, other, mine[key], others) for key in mine if key not in others]
    alone += [(other, baseline, others[key], mine) for key in others if key not in mine]
    if not pairs:
        raise refused or _refusal(list(mine.values()), list(others.values()))
    failed = 0
    broken = []
    for side, counterpart, cluster, candidates in alone:
        circumstances = told_by[same_key(cluster.alike)]
        counts = _failures(cluster, counterpart, rules)
        failed += bool(counts)
        ended = {why: counts[why] for why in _BROKEN if why in counts}
        if ended and side is baseline:
            broken.append(FailedCase(alike=circumstances, other=place, statuses=ended))
        found = ", ".join(f"{count} {why}" for why, count in counts.items())
        why = f" that counts: of {counterpart.name} there is {found}" if found else ""
        told.append(
            f"{side.name} alone has {_named(circumstances)}{why or _nearest(cluster, list(candidates.values()))}"
        )
    return Pairing(place, tuple(pairs), tuple(told), failed, tuple(broken))


def case_labels(alike: Sequence[Mapping[str, Scalar]], rules: Rules) -> list[dict[str, Scalar]]:
    """For each case the dimensions to call it by: what people ask first, and what tells it from the others.

    Args:
        alike: Of each case, what its runs share.
    """
    names = [name for name in _FIRST if name not in covered(rules.compared, [name])]
    varying = {n: None for one in alike for n in one if len({repr(other.get(n)) for other in alike}) > 1}
    apart = len({_label(one, names) for one in alike})
    for name in varying:
        more = len({_label(one, [*names, name]) for one in alike})
        if more > apart:
            names, apart = [*names, name], more
    return [{name: one[name] for name in names if name in one} for one in alike]


def case_names(labels: Sequence[Mapping[str, Scalar]]) -> list[str]:
    """For each pair's label what tells it from the others, in short; empty where it is the only case."""
    names = dict.fromkeys(name for label in labels for name in label)
    telling = [name for name in names if len({repr(label.get(name)) for label in labels}) > 1]
    return [", ".join(str(label[name]) for name in telling if name in label) for label in labels]


def _label(alike: Mapping[str, Scalar], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(repr(alike.get(name)) for name in names)


def _refusal(mine: Sequence[Cluster], others: Sequence[Cluster]) -> UnlikeRunsError:
    names, one, other = nearest(mine, others)
    return unlike_runs([_difference(name, one, other) for name in names])


def _nearest(cluster: Cluster, candidates: Sequence[Cluster]) -> str:
    if not candidates:
        return ""
    names, one, other = nearest([cluster], candidates)
    told = without_fingerprint([_difference(name, one, other) for name in names])
    if len(told) > 3:
        return ""
    values = "; ".join(f"{d.dimension}: {values_in_words(d)}" for d in told)
    return f" (the nearest differs in {values}; {to_ignore([d.dimension for d in told])} compares them)"


def _failures(cluster: Cluster, counterpart: Counted, rules: Rules) -> dict[str, int]:
    """Where the counterpart did run this, and nothing of it counts: how often it ended how."""
    counts = {why: sum(1 for run in runs if _is_of(run, cluster, rules)) for why, runs in counterpart.left_out.items()}
    return {why: count for why, count in counts.items() if count}


def _is_of(run: Run, cluster: Cluster, rules: Rules) -> bool:
    """Whether a run that does not count was of this case: alike in all that it tells, and it tells all it was asked."""
    told = rules.must_be_alike(run)
    lacking = [name for name in cluster.alike if name not in told]
    known = {name: value for name, value in cluster.alike.items() if name in told}
    return same_key(known) == same_key(told) and all(group_of(name) in _UNTOLD for name in lacking)


def _difference(name: str, one: Cluster, other: Cluster) -> Difference:
    return Difference(dimension=name, values=(shown([one.alike.get(name)]), shown([other.alike.get(name)])))


def _named(label: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{name} {spelled(value)}" for name, value in label.items()) or "such runs"

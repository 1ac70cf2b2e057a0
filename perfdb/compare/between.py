"""Sides against a baseline: like with like, by the right unit, with a verdict for each metric. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from perfdb.compare.comparison import Case, Comparison, MetricComparison, Verdict
from perfdb.compare.dimensions import covered, group_of
from perfdb.compare.median import median
from perfdb.compare.ordering import place_of
from perfdb.compare.pairing import Pair, case_labels, case_names, pair_up
from perfdb.compare.refusal import unlike_runs
from perfdb.compare.remedies import remedies
from perfdb.compare.sample import Sample, sample_of
from perfdb.compare.settings import SETTINGS
from perfdb.compare.sides import Chosen, Counted, Rules, clusters, differences, differing, likeliest, named, nearest
from perfdb.compare.statistics import (
    blocked_cliffs_delta,
    blocked_mann_whitney_p,
    blocked_ratio_interval,
    false_discovery,
)
from perfdb.compare.summary import summaries
from perfdb.compare.verdict import BAND, FEWEST_UNITS, verdict
from perfdb.compare.warnings import Warnings
from perfdb.errors import UsageError
from perfdb.record import Direction, Record, Scalar

CONFIDENCE = 0.95
__all__ = ["Chosen", "compare"]


@dataclass(frozen=True)
class _Draft:
    """A metric of a case before all the metrics are corrected together."""

    metric: str
    unit: str
    direction: Direction
    sample: Sample
    p: float | None


def compare(
    sides: Sequence[Chosen],
    *,
    headlines: Mapping[str, Sequence[str]],
    metrics: Sequence[str] = (),
    ignore: Collection[str] = (),
    band: float = BAND,
    defaults: Mapping[str, Mapping[str, Scalar]] | None = None,
) -> Comparison:
    """What the sides differ in, and by how much, each against the first.

    Args:
        sides: At least two; the first is the baseline.
        headlines: The metrics to compare where none are named, by family and by kind of source.
        metrics: These instead.
        ignore: Dimensions, or groups of them such as `packages`, in which runs may differ.
        band: How far from 1 a ratio may be without mattering.
        defaults: Of each family's spec, so that a command need not say them.

    Raises:
        UnlikeRunsError: some side has nothing that is like the baseline but for what is compared and ignored.
        UsageError: a side has no record that counts, shares one with another side, or a metric or dimension is unknown.
    """
    counted = [Counted.of(chosen) for chosen in sides]
    _check(counted, ignore)
    rules = Rules(_compared(sides, counted, ignore), frozenset(ignore))
    counted = named(counted, rules.compared)
    pairings = [pair_up(counted[0], other, place, rules) for place, other in enumerate(counted[1:], 1)]
    warnings = Warnings(counted)
    pairs = [pair for pairing in pairings for pair in pairing.pairs]
    pairs.sort(key=_by_age)
    labels = case_labels([pair.alike for pair in pairs], rules)
    wanted = _known_metrics(metrics, counted)
    drafts = [
        (pair, alike, _drafts(pair, name, wanted or _headline(pair, headlines), warnings))
        for pair, alike, name in zip(pairs, labels, case_names(labels), strict=True)
    ]
    cases = _judged(drafts, band)
    met = _met(counted, pairs)
    return Comparison(
        sides=tuple(side.side for side in counted),
        compared=rules.compared,
        came_along=differences(met, _along(met, rules)),
        ignored=differences(met, covered(rules.ignored, differing(met))),
        warnings=warnings.all(),
        cases=cases,
        unmatched=tuple(told for pairing in pairings for told in pairing.unmatched),
        summaries=summaries(cases, {pairing.place: pairing.failed for pairing in pairings}),
        remedies=remedies(pairs, cases, rules, defaults or {}),
        failed=tuple(failed for pairing in pairings for failed in pairing.broken),
        band=band,
    )


def _check(counted: Sequence[Counted], ignore: Collection[str]) -> None:
    seen: dict[str, str] = {}
    for side in counted:
        if not side.runs:
            out = ", ".join(f"{len(runs)} {why}" for why, runs in side.left_out.items()) or "none at all"
            raise UsageError(
                f"the side {side.label} has no record that counts ({out}): nothing can be compared with it. "
                "`perfdb list` shows the records there are."
            )
        for run in side.runs:
            before = seen.setdefault(run.record.record_id, side.label)
            if before != side.label:
                raise UsageError(
                    f"record {run.record.record_id} is on two sides, {before} and {side.label}: "
                    "narrow them so that they share none."
                )
    names = {name for side in counted for name in side.values}
    groups = {group_of(name) for name in names}
    for name in ignore:
        if name not in names | groups and not covered([name], names):
            near = difflib.get_close_matches(name, sorted(names | groups), n=3, cutoff=0.5)
            differ = ", ".join(near or differing(counted)[:20]) or "none: there is nothing to ignore"
            raise UsageError(f"--ignore {name}: these runs have no such dimension. They have {differ}.")


def _compared(sides: Sequence[Chosen], counted: Sequence[Counted], ignore: Collection[str]) -> tuple[str, ...]:
    """What whoever asked has named and differs; else the one group of dimensions in which like runs differ.

    Raises:
        UnlikeRunsError: nothing is named, and several differ.
    """
    differ = differing(counted)
    named = dict.fromkeys(name for side in sides for name in side.compared)
    told = tuple(name for name in named if covered([name], differ))
    if told:
        return told
    every = Rules((), frozenset(ignore))
    found = [list(clusters(side, every).values()) for side in counted]
    unlike = dict.fromkeys(name for other in found[1:] for name in nearest(found[0], other)[0])
    groups = likeliest(unlike)
    if groups == [SETTINGS] and len(unlike) == 1:
        return tuple(unlike)
    if len(groups) <= 1:
        return tuple(groups)
    beside = [name for name in unlike if name not in covered([groups[0]], unlike)]
    raise unlike_runs(differences(counted, beside))


def _by_age(pair: Pair) -> tuple[Any, ...]:
    """The oldest first; of one sitting the oldest version."""
    first = pair.baseline[0]
    version = place_of(first)
    return (first.started_at, version is None, version or (), first.record_id, pair.place)


def _met(counted: Sequence[Counted], pairs: Sequence[Pair]) -> list[Counted]:
    """The sides without the runs that nothing is compared with: what differs in those moves no number here."""
    ids = {record.record_id for pair in pairs for record in (*pair.baseline, *pair.other)}
    return [replace(side, runs=tuple(run for run in side.runs if run.record.record_id in ids)) for side in counted]


def _along(counted: Sequence[Counted], rules: Rules) -> set[str]:
    """What differs because of what is compared."""
    differ = set(differing(counted))
    free = {name for side in counted for run in side.runs for name in rules.may_differ_within(run)}
    return (differ & free) - set(rules.compared)


def _known_metrics(metrics: Sequence[str], counted: Sequence[Counted]) -> tuple[str, ...]:
    known = {m.name for side in counted for run in side.runs for m in run.record.metrics if m.step is None}
    for name in metrics:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5) or sorted(known)[:20]
            raise UsageError(f"--metric {name}: no record here has a metric of that name. There is {', '.join(near)}.")
    return tuple(dict.fromkeys(metrics))


def _headline(pair: Pair, headlines: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The family's headline; every metric of a whole run that has a direction where nobody knows one."""
    records = [*pair.baseline, *pair.other]
    kind = records[0].origin.source_kind if records[0].origin.kind == "imported" else records[0].family
    own = dict.fromkeys(m.name for r in records for m in r.metrics if m.step is None and m.direction != "none")
    known = [name for name in headlines.get(kind or "", ()) if name in own]
    return tuple(known or own)


def _drafts(pair: Pair, case: str, metrics: Sequence[str], warnings: Warnings) -> list[_Draft]:
    warnings.of_case(pair, case)
    found = []
    for name in metrics:
        meanings = _meanings(name, [*pair.baseline, *pair.other])
        if len(meanings) > 1:
            warnings.of_meanings(name, meanings, case)
            continue
        sample = sample_of(name, pair.baseline, pair.other, FEWEST_UNITS)
        if sample is None:
            if meanings:
                has = any(record.metric(name) for record in pair.baseline)
                warnings.of_one_side(name, pair.names[has], case)
            continue
        ((unit, direction),) = meanings
        warnings.of_sample(name, unit, pair, case, sample)
        p = blocked_mann_whitney_p(sample.blocks) if sample.fewest >= FEWEST_UNITS else None
        found.append(_Draft(name, unit, direction, sample, p))
    return found


def _meanings(name: str, records: Sequence[Record]) -> list[tuple[str, Direction]]:
    """The units and directions in which records have a metric."""
    metrics = (record.metric(name) for record in records)
    return list(dict.fromkeys((metric.unit, metric.direction) for metric in metrics if metric is not None))


def _judged(cases: Sequence[tuple[Pair, dict[str, Scalar], list[_Draft]]], band: float) -> tuple[Case, ...]:
    tested = [draft for _, _, drafts in cases for draft in drafts if draft.p is not None]
    adjusted = dict(zip(map(id, tested), false_discovery([d.p for d in tested if d.p is not None]), strict=True))
    return tuple(
        Case(
            alike=alike,
            other=pair.place,
            metrics=tuple(_compared_metric(draft, adjusted.get(id(draft)), band) for draft in drafts),
        )
        for pair, alike, drafts in cases
    )


def _compared_metric(draft: _Draft, p_adjusted: float | None, band: float) -> MetricComparison:
    sample = draft.sample
    interval = blocked_ratio_interval(sample.blocks, CONFIDENCE)
    ratio = interval.ratio if interval else _ratio_of_medians(sample)
    same = {value for block in sample.blocks for side in block for value in side}
    if sample.fewest < FEWEST_UNITS:
        found: Verdict = "too few"
    elif len(same) == 1:
        found = "equivalent"
    else:
        found = verdict(interval, p_adjusted, draft.direction, band)
    return MetricComparison(
        metric=draft.metric,
        unit=draft.unit,
        direction=draft.direction,
        unit_of_analysis=sample.unit,
        baseline=sample.baseline,
        other=sample.other,
        ratio=ratio,
        interval=interval,
        p=draft.p,
        p_adjusted=p_adjusted,
        cliffs_delta=blocked_cliffs_delta(sample.blocks),
        verdict=found,
    )


def _ratio_of_medians(sample: Sample) -> float | None:
    mine, others = median(sample.baseline.values), median(sample.other.values)
    ratio = others / mine if mine > 0 and others > 0 else None
    return ratio if ratio is not None and 0 < ratio < float("inf") else None

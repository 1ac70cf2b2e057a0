"""What keeps schedulers from being compared, each with its evidence in figures. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from perfdb.families.schedulers.analysis.case import Case
from perfdb.families.schedulers.analysis.warnings.absent import absent
from perfdb.families.schedulers.analysis.warnings.apart import apart
from perfdb.families.schedulers.analysis.warnings.at_once import at_once
from perfdb.families.schedulers.analysis.warnings.caveat import Caveat
from perfdb.families.schedulers.analysis.warnings.definitions import changed_definition, undated
from perfdb.families.schedulers.analysis.warnings.load import unequal_load
from perfdb.families.schedulers.analysis.warnings.spliced import spliced

__all__ = ["Caveat", "warnings_of"]


def warnings_of(cases: Sequence[Case]) -> tuple[Caveat, ...]:
    """Everything that is wrong with setting these against one another, and what nobody can tell of them."""
    return tuple(_warnings(cases))


def _warnings(cases: Sequence[Case]) -> Iterator[Caveat]:
    for together in _comparisons(cases):
        for look in (spliced, absent, apart, unequal_load, at_once):
            yield from (_placed(caveat, together) for caveat in look(together))
    yield from changed_definition(cases)
    yield from undated(cases)


def _placed(caveat: Caveat, cases: Sequence[Case]) -> Caveat:
    runs = dict.fromkeys(case.of for case in cases if case.scheduler in caveat.of)
    return replace(caveat, runs=tuple(runs))


def _comparisons(cases: Sequence[Case]) -> Iterator[list[Case]]:
    """The cases that are set against one another: of one run, or of others' runs that had an experiment in common."""
    ours: dict[str, list[Case]] = {}
    strangers: list[list[Case]] = []
    for case in cases:
        if case.made != "imported":
            ours.setdefault(case.of, []).append(case)
            continue
        alike = [group for group in strangers if any(_belong(case, other) for other in group)]
        strangers = [group for group in strangers if all(group is not other for other in alike)]
        strangers.append([*(other for group in alike for other in group), case])
    yield from ours.values()
    yield from strangers


def _belong(one: Case, other: Case) -> bool:
    return one.experiment == other.experiment or one.of == other.of

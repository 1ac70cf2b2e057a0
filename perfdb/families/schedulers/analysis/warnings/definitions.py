"""One name for two things. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from perfdb.families.schedulers.analysis.case import SUBMISSION_TO_END, TOTAL, Case
from perfdb.families.schedulers.analysis.warnings.caveat import Caveat, mean_s
from perfdb.units import counted


def changed_definition(cases: Sequence[Case]) -> Iterator[Caveat]:
    """`changed_definition`: what a source calls total_time is not from submission to end, as it is of all others."""
    for of, definition in dict.fromkeys((case.of, case.definition) for case in cases):
        if definition == SUBMISSION_TO_END:
            continue
        mine = [case for case in cases if (case.of, case.definition) == (of, definition)]
        totals = [value for case in mine for value in case.values(TOTAL)]
        whole = [s for case in mine for row in case.rows if (s := row.submission_to_end_s) is not None]
        against = (
            f"; from submission to end it is {mean_s(whole)}" if whole else "; when they were submitted is not told"
        )
        yield Caveat(
            "changed_definition",
            tuple(sorted({case.scheduler for case in mine})),
            f"total_time is {definition}: {mean_s(totals)} over {counted(len(totals), 'job')}{against}",
            (of,),
        )


def undated(cases: Sequence[Case]) -> Iterator[Caveat]:
    """`instants_unknown`: what cannot be looked for, since nobody says when anything was submitted."""
    for of in dict.fromkeys(case.of for case in cases if case.made == "imported" and not case.is_dated):
        mine = [case for case in cases if case.of == of]
        yield Caveat(
            "instants_unknown",
            tuple(sorted({case.scheduler for case in mine})),
            f"{sum(len(case.rows) for case in mine)} durations and not one instant, so where an arm stopped and "
            "went on, and whether arms were measured in turns, cannot be told",
            (of,),
        )

"""All that is known of a run when it is judged. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from perfdb.families.schedulers.events import Batch
from perfdb.families.schedulers.listing import Listed
from perfdb.families.schedulers.outcome import ArmRun
from perfdb.families.schedulers.samples import LONGEST_S, Told
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.workload.job import WorkJob

# Of a submission: so late, or so large a share of the time in which jobs arrive, up to a bound, and one tick of the
# scheduler's clock more.
LATE_S, LATE_SHARE, LATEST_S = 0.25, 0.02, 5.0


# Between two children of a run lie fractions of a second: what is longer was an interruption.
PAUSE_S = 10.0


class Pause(NamedTuple):
    """A run lay still after the child of that name."""

    after: str
    lasted_s: float


def late_s(span_s: float) -> float:
    """How late a job may be, of a list that arrives over so many seconds; a clock that ticks has a tick more."""
    return max(LATE_S, min(LATEST_S, LATE_SHARE * span_s))


@dataclass(frozen=True)
class Run:
    """What was asked for, and what the children said.

    Attributes:
        listed: The list that every arm was to get; without jobs where it is not known.
        told: What each child said, in the order in which they ran; `seen`: the same of those that came to their end.
        last_words: By iteration and arm, of its child, for those that say nothing themselves.
        pauses: While nothing of it was measured, a child that was cut off and run again among them.
    """

    spec: SchedulersSpec
    listed: Listed
    told: Sequence[Told]
    seen: Sequence[ArmRun]
    last_words: Mapping[tuple[int, int], str] = field(default_factory=dict)
    pauses: Sequence[Pause] = ()

    @property
    def jobs(self) -> tuple[WorkJob, ...]:
        """Of the list."""
        return self.listed.jobs

    def told_of(self, one: ArmRun) -> Told:
        """What its child said."""
        return self._by_turn[one.iteration, one.arm]

    @cached_property
    def _by_turn(self) -> dict[tuple[int, int], Told]:
        return {(told.iteration, told.arm): told for told in self.told}

    @cached_property
    def span_s(self) -> float:
        """From the first arrival to the last."""
        return max((job.arrival_s for job in self.jobs), default=0.0)

    def tolerance_s(self, told: Told) -> float:
        """How far from its planned arrival a job may be submitted."""
        resolution_s = told.begin.clock.resolution_s if told.begin is not None else 0.0
        return late_s(self.span_s) + resolution_s

    def lateness_s(self, one: ArmRun) -> Iterator[tuple[tuple[int, int], float]]:
        """Of each job that was submitted, by batch and number: how long after its planned arrival; negative where before."""
        begins = _batch_begins(self.told_of(one))
        for outcome in one.outcomes:
            if outcome.submitted_s is not None and outcome.batch in begins:
                planned_s = begins[outcome.batch] + outcome.work.arrival_s
                yield (outcome.batch, outcome.work.job), outcome.submitted_s - planned_s


def _batch_begins(told: Told) -> dict[int, float]:
    begin = told.begin
    if begin is None:
        return {}
    later = {a.batch: (a.ns - begin.ns) / 1e9 for a in told.answers if isinstance(a, Batch)}
    return {1: 0.0, **{batch: s for batch, s in later.items() if abs(s) <= LONGEST_S}}

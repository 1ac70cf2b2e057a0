"""The oracle of a bisection: sittings of real arms, judged by comparisons."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from perfdb.campaigns.bisect import Change, Ends, Side
from perfdb.campaigns.carry_out import carry_out
from perfdb.campaigns.memory import Memory, Sitting
from perfdb.campaigns.plan import Arm, forget, plan_for, waiting
from perfdb.campaigns.relation import Relation, relation_of, side_of
from perfdb.campaigns.sitting import Place
from perfdb.compare.between import Chosen, compare
from perfdb.compare.comparison import Comparison, MetricComparison
from perfdb.errors import UsageError
from perfdb.record import Record
from perfdb.runner.lab import Observer
from perfdb.settings import Settings
from perfdb.units import counted, duration

# What stays undecided after so many sittings is undecided: each doubles the price of the one before.
MOST_SITTINGS = 4
# A difference that surely is at most a quarter of that between the ends, on the logarithm, leaves no doubt which one is
# nearer. It costs a change so much smaller than another one its own mention, and saves most of the time.
NEAR = 0.25
# An invalid run may be bad luck once.
MOST_INVALID = 2
_COMPARED = ("parsl_version", "parsl_source")


@dataclass(frozen=True)
class Step:
    """A question, and all that its answer rests on.

    Attributes:
        names: The places that took turns, oldest first.
        candidate: Which of them was asked about; None where it was whether the ends differ.
        answer: A Side for a candidate, else a Relation, or `broken`.
        records: Ids by name.
        comparisons: Each pair that was compared, the earlier one as the baseline.
    """

    names: tuple[str, ...]
    candidate: str | None
    answer: str
    records: dict[str, tuple[str, ...]]
    comparisons: tuple[Comparison, ...]


@dataclass
class Bench:
    """See `perfdb.campaigns.bisect.Oracle`.

    Attributes:
        row: The names of all places.
        arm_of: The arm of a name, its Parsl installed.
        metric: What is compared.
        why_broken: Reasons by place.
    """

    row: Sequence[str]
    arm_of: Callable[[str], Arm]
    metric: str
    settings: Settings
    observer: Observer
    memory: Memory
    steps: list[Step] = field(default_factory=list)
    why_broken: dict[int, str] = field(default_factory=dict)
    _looks_left: int = 0
    _took_s: list[float] = field(default_factory=list)

    def estimate(self, looks: int) -> None:
        """Heard before each question."""
        self._looks_left = looks

    def ends(self, first: int, last: int) -> Ends:
        """Measure the two in turns until they surely differ or surely are alike."""
        relation: Relation = "undecided"
        for _ in self._sittings((first, last)):
            broken = frozenset(place for place in (first, last) if self._is_broken(place))
            if broken:
                self._note((first, last), None, "broken")
                return Ends("undecided", broken)
            relation = self._relation(first, last)
            if relation != "undecided":
                break
        self._note((first, last), None, relation)
        return Ends(relation)

    def look(self, candidate: int, first: int, last: int) -> Side:
        """Measure a candidate in turns with two that differ until it is clear what it is like."""
        places = tuple(sorted((candidate, first, last)))
        side: Side = "undecided"
        for _ in self._sittings(places):
            if self._is_broken(candidate):
                side = "broken"
                break
            relations = (
                self._or_near(self._relation(first, candidate), (first, candidate), (first, last)),
                self._or_near(self._relation(candidate, last), (candidate, last), (first, last)),
            )
            side = side_of(*relations)
            if "undecided" not in relations:
                break
        self._note(places, candidate, side)
        return side

    def comparison(self, change: Change) -> Comparison | None:
        """The two sides of a change against each other, measured together if they never were."""
        if not self._shared(change.before, change.after):
            self.ends(change.before, change.after)
        return self._compared(change.before, change.after)

    def metric_of(self, comparison: Comparison | None) -> MetricComparison | None:
        """The one metric of the one case there is."""
        found = [metric for case in (comparison.cases if comparison else ()) for metric in case.metrics]
        return found[0] if len(found) == 1 else None

    def _sittings(self, places: Sequence[int]) -> Iterator[int]:
        """Have these measured together once, and once more each time that the next is asked for."""
        names = {self.row[place] for place in places}
        for number in range(1, MOST_SITTINGS + 1):
            if sum(set(sitting.records) == names for sitting in self.memory.sittings) < number:
                self._sit(places, number)
            yield number

    def _sit(self, places: Sequence[int], number: int) -> None:
        names = [self.row[place] for place in places]
        again = f", sitting {number} of at most {MOST_SITTINGS}, for it is not clear yet" if number > 1 else ""
        self.observer.say(f"{' against '.join(map(short, names))}{again}{self._left()}")
        begun = time.monotonic()
        plan = plan_for([self.arm_of(name) for name in names], self.settings)
        for other in waiting(self.settings.state_path):
            if other.key == plan.key and self.memory.knows(other.uuid):
                forget(other, self.settings.state_path)  # cut off between the two last steps below
            elif other.key == plan.key:
                plan = other

        def remember(finished: list[Place]) -> None:
            self.memory.add(plan.uuid, dict(zip(names, finished, strict=True)))

        again = "Type the same command again to go on from there."
        carry_out(plan, self.settings, self.observer, kept=remember, to_go_on=again)
        self._took_s.append(time.monotonic() - begun)
        self._check_metric(self.memory.sittings[-1])

    def _left(self) -> str:
        if not self._took_s or not self._looks_left:
            return ""
        per_sitting_s = sum(self._took_s) / len(self._took_s)
        per_question = max(1.0, len(self._took_s) / max(1, len(self.steps)))
        left_s = math.ceil(self._looks_left * per_question) * per_sitting_s
        return f"; about {counted(self._looks_left, 'question')} left, {duration(round(left_s))}"

    def _check_metric(self, sitting: Sitting) -> None:
        """A metric that a run has once, and not once a repetition, could never be told apart."""
        ok = [record for record in sitting.records.values() if record.status == "ok"]
        if not ok or any(len(metric.all_values) > 1 for record in ok if (metric := record.metric(self.metric))):
            return
        own = sorted({m.name for record in ok for m in record.metrics if m.step is None and len(m.all_values) > 1})
        raise UsageError(
            f"--metric {self.metric}: these runs have no value of it for each repetition. They have {', '.join(own)}."
        )

    def _is_broken(self, place: int) -> bool:
        found = [s.records[self.row[place]] for s in self.memory.sittings if self.row[place] in s.records]
        invalid = [record for record in found if record.status == "invalid"]
        failed = [record for record in found if record.status in ("failed", "timeout")]
        if any(record.status == "ok" for record in found) or not (failed or len(invalid) >= MOST_INVALID):
            return False
        worst = (failed or invalid)[-1]
        self.why_broken[place] = worst.reason or worst.status
        return True

    def _relation(self, one: int, other: int) -> Relation:
        found = self.metric_of(self._compared(one, other))
        if found is None or found.verdict == "too few":
            return "undecided"
        return "alike" if found.verdict == "equivalent" else relation_of(found.interval, found.p_adjusted)

    def _or_near(self, relation: Relation, pair: tuple[int, int], ends: tuple[int, int]) -> Relation:
        """What is undecided, and in any case small beside the difference of the ends, is as good as alike."""
        found, whole = (self.metric_of(self._compared(*places)) for places in (pair, ends))
        if relation != "undecided" or not (found and found.interval and whole and whole.interval):
            return relation
        edges = (found.interval.low, found.interval.high)
        if min(edges) <= 0 or max(abs(math.log(edge)) for edge in edges) > NEAR * abs(math.log(whole.interval.ratio)):
            return relation
        return "alike"

    def _compared(self, one: int, other: int) -> Comparison | None:
        """The earlier of the two as the baseline, over every sitting that both had a valid run in."""
        earlier, later = (self.row[place] for place in sorted((one, other)))
        shared = self._shared(one, other)
        if not shared:
            return None
        sides = [Chosen(name, [s.records[name] for s in shared], _COMPARED) for name in (earlier, later)]
        return compare(sides, headlines={}, metrics=[self.metric])

    def _shared(self, one: int, other: int) -> list[Sitting]:
        def counts(record: Record | None) -> bool:
            return record is not None and record.status == "ok" and record.metric(self.metric) is not None

        return [
            sitting
            for sitting in self.memory.sittings
            if all(counts(sitting.records.get(self.row[place])) for place in (one, other))
        ]

    def _note(self, places: Sequence[int], candidate: int | None, answer: str) -> None:
        names = tuple(self.row[place] for place in places)
        records = {
            name: tuple(s.records[name].record_id for s in self.memory.sittings if name in s.records) for name in names
        }
        pairs = [(one, other) for one in places for other in places if one < other]
        comparisons = tuple(found for one, other in pairs if (found := self._compared(one, other)))
        asked = None if candidate is None else self.row[candidate]
        together = " against ".join(map(short, names))
        self.steps.append(Step(names, asked, answer, records, comparisons))
        self.observer.say(f"{together}: {_WORDS[answer].format(short(asked or ''))}")


def short(name: str) -> str:
    """A name as people read it: twelve digits are enough of a commit."""
    return name[:12]


_WORDS = {
    "differ": "they differ",
    "alike": "they are alike",
    "undecided": "it stays undecided",
    "broken": "one does not run",
    "first": "{0} is like the earlier side",
    "last": "{0} is like the later side",
    "neither": "{0} is like neither",
}

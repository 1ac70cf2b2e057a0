"""What a record says of its arms beyond its metrics, held against its samples, which a stranger may have made. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import ValidationError

from perfdb.families.schedulers.arms import Arm
from perfdb.families.schedulers.judge.checks import STAMPS_OFF_S, UNCERTAIN_S
from perfdb.families.schedulers.judge.run import late_s
from perfdb.families.schedulers.measures.spans import is_as_planned, stamps_off
from perfdb.families.schedulers.outcome import ArmRun, Outcome
from perfdb.families.schedulers.reading import read
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.record import Record
from perfdb.units import duration

# Samples do not say in which steps a scheduler's clock counts: a log has milliseconds, whoever has no log whole seconds.
_LOG_STEP_S, _STEP_S = 0.001, 1.0


def contradictions(record: Record, samples: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """What of the record its samples contradict, a sentence each.

    Every check that is said to have passed must follow from them as far as they tell, and of a record that is ok all of them must.

    Raises:
        KeyError: a column is not there.
        ValueError: a row is none that a run could have.
    """
    try:
        spec = SchedulersSpec.model_validate(record.spec)
    except ValidationError:
        yield "its spec is none that a run can be asked for"
        return
    given = _Given(spec, read(samples), tuple(_batches(samples)))
    yield from _not_asked_for(given)
    passed = {check.name for check in record.checks if check.passed}
    for name, look in _CHECKS.items():
        if record.status == "ok" or name in passed:
            yield from (f"by its checks and status {name} holds, and by its samples {found}" for found in look(given))
    if record.status == "ok" and not any(o.submitted_s is not None for run in given.runs for o in run.outcomes):
        yield "its status is ok, and by its samples no job was submitted"


class _Batch(NamedTuple):
    """The row of a batch: when it began, how its child came to an end, and how well its clock is known."""

    iteration: int
    batch: int
    arm: int
    arrival_s: float | None
    state: str
    uncertainty_s: float | None


@dataclass(frozen=True)
class _Given:
    """What was asked for, and what the samples have; `batches` in the order of their rows."""

    spec: SchedulersSpec
    runs: Sequence[ArmRun]
    batches: Sequence[_Batch]

    @cached_property
    def arms(self) -> tuple[Arm, ...]:
        return self.spec.parsed

    @cached_property
    def by_turn(self) -> Mapping[tuple[int, int], Sequence[_Batch]]:
        found: dict[tuple[int, int], list[_Batch]] = {}
        for one in self.batches:
            found.setdefault((one.iteration, one.arm), []).append(one)
        return found

    def of(self, run: ArmRun) -> Sequence[_Batch]:
        return self.by_turn[run.iteration, run.arm]

    def step_s(self, run: ArmRun) -> float:
        """How finely the arm's clock tells, at worst."""
        arm = self.arms[run.arm - 1] if run.arm <= len(self.arms) else None
        has_log = arm is not None and arm.kind != "kubernetes" and not (arm.kind == "slurm" and arm.name)
        return _LOG_STEP_S if has_log else _STEP_S


def _batches(samples: Mapping[str, Sequence[Any]]) -> Iterator[_Batch]:
    for place, job in enumerate(samples["job"]):
        if job == 0:
            yield _Batch(*(samples[name][place] for name in _Batch._fields))


def _not_asked_for(given: _Given) -> Iterator[str]:
    """Whatever became of the run, it can't be more, or another one, than was asked for."""
    labels = {place: arm.label for place, arm in enumerate(given.arms, start=1)}
    for place, label in sorted({(run.arm, run.label) for run in given.runs}):
        if labels.get(place) != label:
            yield f"arm {place} is {labels.get(place, 'none')} by its spec, and {label} by its samples"
    last = max((run.iteration for run in given.runs), default=0)
    if last > given.spec.iters:
        yield f"its spec asks for {given.spec.iters} iterations, and its samples have number {last}"
    most = max((one.batch for one in given.batches), default=0)
    if most > given.spec.batches:
        yield f"its spec asks for {given.spec.batches} batches, and its samples have number {most}"


def _incomplete(given: _Given) -> Iterator[str]:
    for one in given.batches:
        if one.state not in ("ALL", "TIMEOUT"):
            yield f"arm {one.arm} in iteration {one.iteration} came to the end {one.state or 'of nothing'}"
            return


def _out_of_turn(given: _Given) -> Iterator[str]:
    expected = [(i, place) for i in range(1, given.spec.iters + 1) for place, _ in given.spec.order(i)]
    ran = [*given.by_turn]
    if ran != expected:
        wrong = next((n for n, (is_, due) in enumerate(zip(ran, expected, strict=False)) if is_ != due), len(ran))
        what = "nobody's" if wrong >= len(ran) else "of arm {1} in iteration {0}".format(*ran[wrong])
        yield f"of {len(expected)} turns number {wrong + 1} is {what}"


def _unequal(given: _Given) -> Iterator[str]:
    whole = [*range(1, given.spec.batches + 1)]
    for run in given.runs:
        begins = {one.batch: one.arrival_s for one in given.of(run)}
        if [*begins] != whole:
            yield f"{_name(run)} had {len(begins)} of {len(whole)} batches"
            return
        span_s = max((outcome.work.arrival_s for outcome in run.outcomes), default=0.0)
        most_s = late_s(span_s) + given.step_s(run)
        for outcome in run.outcomes:
            begun_s = begins[outcome.batch]
            if outcome.submitted_s is None:
                yield f"{_job(run, outcome)} was not submitted"
                return
            off_s = 0.0 if begun_s is None else abs(outcome.submitted_s - begun_s - outcome.work.arrival_s)
            if off_s > most_s:
                yield f"{_job(run, outcome)} was submitted {duration(off_s)} off its time"
                return


def _not_planned(given: _Given) -> Iterator[str]:
    for run in given.runs:
        # What a scheduler leaves lying until patience is over is a result of its.
        was_patient = all(one.state == "TIMEOUT" for one in given.of(run))
        for outcome in run.outcomes:
            if not is_as_planned(outcome) and not (outcome.is_censored and was_patient):
                yield f"{_job(run, outcome)} is {outcome.state or 'not known'}"
                return


def _unclocked(given: _Given) -> Iterator[str]:
    for one in given.batches:
        if one.uncertainty_s is None or one.uncertainty_s > UNCERTAIN_S:
            yield f"the clock of arm {one.arm} in iteration {one.iteration} is known no better"
            return


def _on_other_nodes(given: _Given) -> Iterator[str]:
    for run in given.runs:
        if run.nodes != given.spec.nodes:
            yield f"{_name(run)} had {run.nodes} nodes, where {given.spec.nodes} were asked for"
            return


def _apart(given: _Given) -> Iterator[str]:
    for run in given.runs:
        uncertainty_s = max(one.uncertainty_s or 0.0 for one in given.of(run))
        most_s = given.step_s(run) + STAMPS_OFF_S
        for outcome in run.outcomes:
            off_s = stamps_off(outcome, uncertainty_s)
            if off_s > most_s:
                yield f"the stamps of {_job(run, outcome)} are {duration(off_s)} out of order"
                return


# Of the checks that a run makes, those of which samples tell.
_CHECKS: Mapping[str, Callable[[_Given], Iterator[str]]] = {
    "arms_complete": _incomplete,
    "same_iterations": _out_of_turn,
    "equal_load": _unequal,
    "jobs_as_planned": _not_planned,
    "clock_known": _unclocked,
    "nodes_up": _on_other_nodes,
    "stamps_agree": _apart,
}


def _name(run: ArmRun) -> str:
    return f"arm {run.arm} in iteration {run.iteration}"


def _job(run: ArmRun, outcome: Outcome) -> str:
    return f"job {outcome.work.job} of {_name(run)}"

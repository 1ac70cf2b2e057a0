"""What a record says of its arms, against its samples: an honest one agrees, and whatever is altered in either is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from perfdb.cli.known import rules
from perfdb.families.schedulers import FAMILY
from perfdb.families.schedulers.judge.agreement import contradictions
from perfdb.record import Check, Environment, Record
from perfdb.registry.validator.content import check_samples
from perfdb.registry.validator.report import Findings
from tests.families.schedulers.turns import (
    FIFO,
    SPEC,
    happened,
    job,
    listed,
    ns,
    runs,
    turn,
    unended,
    with_first,
)

Samples = dict[str, list[Any]]
WHEN = datetime(2026, 11, 22, tzinfo=UTC)


def measured(children: list[Any] | None = None, **changes: Any) -> tuple[Record, Samples]:
    """What a run of two arms, two iterations each, made; `changes` of its record."""
    found = FAMILY.assemble(SPEC, None, runs() if children is None else children)
    fields: dict[str, Any] = {
        "family": "schedulers",
        "experiment": "schedulers",
        "run_name": "run",
        "status": found.status,
        "reason": found.reason,
        "started_at": WHEN,
        "ended_at": WHEN,
        "duration_s": 0.0,
        "spec": SPEC.model_dump(mode="json"),
        "checks": found.checks,
        "environment": Environment(machine="hopper"),
        "params": {},
        "metrics": found.metrics,
        "code": {"perfdb_version": "0.1.0"},
    }
    return Record.seal(**{**fields, **changes}), {name: [*column] for name, column in found.samples.items()}


def told(record: Record, samples: Samples) -> str:
    return "; ".join(contradictions(record, samples))


def test_an_honest_record_agrees_with_its_samples() -> None:
    record, samples = measured()
    assert record.status == "ok"
    assert told(record, samples) == ""


@pytest.mark.parametrize(
    "children",
    [
        runs()[:3],
        with_first([*happened(FIFO)[:2], unended(3, 2.0)], end={"outcome": "timeout"}),
        with_first([*happened(FIFO)[:2], unended(3, 2.0)], end={"outcome": "stopped"}),
        with_first(happened(FIFO), nodes=3),
        with_first([*happened(FIFO)[:2], job(3, 2.4, 15, 20)]),
        with_first([*happened(FIFO)[:2], job(3, 2, 15, 20, inside_began=ns(1), inside_ended=ns(18))]),
        with_first([*happened(FIFO)[:2], job(3, 2, 15, 20, state="NODE_FAIL")], clock={"uncertainty_s": 0.5}),
        [listed(), turn(2), turn(1), turn(3), turn(4)],
    ],
)
def test_so_does_one_that_says_itself_what_is_wrong_with_it(children: list[Any]) -> None:
    record, samples = measured(children)
    assert told(record, samples) == ""


def put(column: str, value: Any, where: Callable[[dict[str, Any]], bool]) -> Callable[[Samples], None]:
    """Change that of every row of such a kind."""

    def change(samples: Samples) -> None:
        for row in range(len(samples["job"])):
            if where({name: of[row] for name, of in samples.items()}):
                samples[column][row] = value

    return change


def of_arm(place: int) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["arm"] == place


def of_job(number: int) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["job"] == number


def without_the_last_turn(samples: Samples) -> None:
    for column in samples.values():
        del column[-4:]


def in_another_order(samples: Samples) -> None:
    for column in samples.values():
        column[:] = [*column[4:8], *column[:4], *column[8:]]


ALTERED = {
    "a simulated arm by a measured one's name": (
        put("arm_name", "slurm:backfill", of_arm(2)), "arm 2 is simulated:easy by its spec, and slurm:backfill by its samples"
    ),
    "an arm that nobody asked for": (put("arm", 3, of_arm(2)), "arm 3 is none by its spec"),
    "an iteration too many": (put("iteration", 3, lambda row: row["iteration"] == 2), "its samples have number 3"),
    "a batch too many": (put("batch", 2, lambda row: True), "asks for 1 batches, and its samples have number 2"),
    "a turn that is missing": (without_the_last_turn, "of 4 turns number 4 is nobody's"),
    "turns in another order": (in_another_order, "of 4 turns number 1 is of arm 2 in iteration 1"),
    "jobs that met no limit of theirs": (put("state", "TIMEOUT", of_job(3)), "job 3 of arm 1 in iteration 1 is TIMEOUT"),
    "a job that came late": (put("submitted_s", 2.5, of_job(3)), "submitted 500 ms off its time"),
    "a job that never came": (put("submitted_s", None, of_job(3)), "job 3 of arm 1 in iteration 1 was not submitted"),
    "no job at all": (put("submitted_s", None, lambda row: row["job"] > 0), "no job was submitted"),
    "a job that ended before it began": (put("inside_ended_s", -50.0, of_job(3)), "job 3 of arm 1 in iteration 1 are"),
    "a job given back before its end": (put("released_s", 6.0, of_job(3)), "job 3 of arm 1 in iteration 1 are 14 s out"),
    "a clock that nobody knows": (put("uncertainty_s", 0.2, of_job(0)), "the clock of arm 1 in iteration 1"),
    "a clock of which nothing is said": (put("uncertainty_s", None, of_job(0)), "the clock of arm 1 in iteration 1"),
    "other nodes": (put("size", 5, of_job(0)), "had 5 nodes, where 4 were asked for"),
    "an arm that failed": (put("state", "FAILED", of_job(0)), "arm 1 in iteration 1 came to the end FAILED"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), ALTERED.values(), ids=ALTERED)
def test_samples_that_were_altered_are_told(change: Callable[[Samples], None], words: str) -> None:
    record, samples = measured()
    change(samples)
    assert words in told(record, samples)


def test_a_job_left_lying_is_none_of_an_arm_that_ended_all() -> None:
    record, samples = measured(with_first([*happened(FIFO)[:2], unended(3, 2.0)], end={"outcome": "timeout"}))
    put("state", "ALL", of_job(0))(samples)
    assert "job 3 of arm 1 in iteration 1 is PENDING" in told(record, samples)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"iters": 1000}, "of 2000 turns number 5"),
        ({"arms": "slurm:backfill,slurm:builtin"}, "arm 1 is slurm:backfill by its spec, and mini-slurm by its samples"),
        ({"batches": 2}, "had 1 of 2 batches"),
        ({"nodes": 8}, "had 4 nodes, where 8 were asked for"),
        ({"arms": "<b>"}, "its spec is none"),
    ],
)  # fmt: skip
def test_a_spec_that_was_altered_is_told(spec: dict[str, Any], words: str) -> None:
    record, samples = measured(spec={**SPEC.model_dump(mode="json"), **spec})
    assert words in told(record, samples)


def test_a_check_that_is_said_to_have_passed_is_held_against_samples_whatever_the_status() -> None:
    invalid: dict[str, Any] = {"status": "invalid", "reason": "fresh: it had seen jobs before"}
    passed = Check(name="stamps_agree", passed=True, detail="fine")
    change = put("inside_ended_s", -50.0, of_job(3))
    for checks, is_told in (((passed,), True), ((passed.model_copy(update={"passed": False}),), False), ((), False)):
        record, samples = measured(checks=checks, **invalid)
        change(samples)
        assert ("stamps_agree" in told(record, samples)) is is_told


def test_a_record_that_is_ok_is_held_against_them_without_its_checks() -> None:
    record, samples = measured(checks=())
    put("state", "TIMEOUT", of_job(3))(samples)
    assert "jobs_as_planned" in told(record, samples)


@pytest.mark.parametrize(("label", "off_s", "is_told"), [("mini-slurm", 0.5, True), ("slurm=here", 0.5, False), ("slurm=here", 1.5, True)])  # fmt: skip
def test_a_clock_of_whole_seconds_is_given_one(label: str, off_s: float, is_told: bool) -> None:
    record, samples = measured(spec={**SPEC.model_dump(mode="json"), "arms": f"{label},simulated:easy"})
    put("arm_name", label, of_arm(1))(samples)
    put("inside_ended_s", 20.0 + off_s, lambda row: row["job"] == 3 and row["arm"] == 1)(samples)
    assert ("stamps_agree" in told(record, samples)) is is_told


def test_what_samples_contradict_is_a_fault_of_the_record() -> None:
    record, samples = measured()
    for change, codes in (
        (lambda _: None, set()),
        (put("state", "TIMEOUT", of_job(0)), set()),
        (in_another_order, {"samples-disagree"}),
    ):
        change(samples)
        findings = Findings()
        check_samples(findings, "record.json", record, samples, rules()["schedulers"])
        assert {fault.code for fault in findings.faults} == codes

"""Samples read as what became of jobs; and what no run could have written is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.schedulers.events import read_answers
from perfdb.families.schedulers.outcome import Outcome
from perfdb.families.schedulers.reading import read
from perfdb.families.schedulers.samples import COLUMNS, MILESTONES, Told, columns
from perfdb.families.schedulers.workload.job import WorkJob
from perfdb.processes.log import Line
from tests.families.schedulers.turns import BEGIN_NS, EASY, FIFO, JOBS, happened, lines

Samples = dict[str, list[Any]]


def told(iteration: int, arm: int, label: str, said: list[str]) -> Told:
    return Told(iteration, arm, label, read_answers(tuple(Line(0.0, "stdout", line) for line in said)))


def samples() -> Samples:
    return columns(
        JOBS,
        1,
        [
            told(1, 1, "mini-slurm", lines("mini-slurm", happened(FIFO))),
            told(1, 2, "simulated:easy", lines("simulated:easy", happened(EASY))),
        ],
    )


def test_what_was_told_is_read_again() -> None:
    first, second = read(samples())
    assert (first.iteration, first.arm, first.label, first.nodes) == (1, 1, "mini-slurm", 4)
    assert second.label == "simulated:easy"
    assert [outcome.work for outcome in first.outcomes] == list(JOBS)
    assert first.outcomes[2] == Outcome(
        JOBS[2], 1, 2.0, 2.0, 15.0, 15.0, 20.0, 20.0, None, None, "COMPLETED", "3", None
    )


_Seconds = st.none() | st.integers(-(10**6), 10**9).map(lambda us: us / 1e6)


@given(st.lists(st.tuples(st.lists(_Seconds, min_size=8, max_size=8), st.sampled_from(["", "PENDING", "RUNNING", "COMPLETED", "FAILED"])), min_size=1, max_size=4))  # fmt: skip
def test_any_outcome_comes_back_as_it_was(drawn: list[tuple[list[float | None], str]]) -> None:
    jobs = [JOBS[0].model_copy(update={"job": number}) for number in range(1, len(drawn) + 1)]
    said = [
        {
            "kind": "job",
            "job": number,
            "state": state,
            **{
                name: None if s is None else BEGIN_NS + round(s * 1e9)
                for name, s in zip(MILESTONES, stamps, strict=True)
            },
        }
        for number, (stamps, state) in enumerate(drawn, start=1)
    ]
    (one,) = read(columns(jobs, 1, [told(1, 1, "mini-slurm", lines("mini-slurm", said))]))
    for outcome, (stamps, state) in zip(one.outcomes, drawn, strict=True):
        found = [getattr(outcome, f"{name}_s") for name in MILESTONES]
        assert found == [s if s is None else pytest.approx(s, abs=1e-6) for s in stamps]
        assert outcome.state == state
        assert outcome.is_censored == (state not in ("COMPLETED", "FAILED") or stamps[4] is None)


def test_no_samples_are_no_arms() -> None:
    assert read({}) == ()


def changed(column: str, row: int, value: Any) -> Samples:
    found = samples()
    found[column][row] = value
    return found


@pytest.mark.parametrize(
    ("column", "row", "value", "words"),
    [
        ("iteration", 1, 0, "of no iteration"),
        ("iteration", 1, 1.0, "of no iteration"),
        ("iteration", 1, True, "of no iteration"),
        ("arm", 1, 7, "of no iteration"),
        ("arm", 1, 6, "arm 6 was not begun"),
        ("batch", 1, 2, "came before its batch"),
        ("job", 2, 1, "job 1 is another one"),
        ("job", 1, 0, "begun twice"),
        ("size", 1, 2, "job 1 is another one"),
        ("size", 0, 0, "begun twice, or on other nodes"),
        ("user", 1, 5, "job 1 is another one"),
        ("user", 1, None, "job 1 is none that a list could have"),
        ("experiment", 1, "../x", "job 1 is none"),
        ("arrival_s", 1, -1.0, "job 1 is none"),
        ("run_s", 1, float("inf"), "job 1 is none"),
        ("arm_name", 1, "another", "arm 1 is two"),
        ("arm_name", 0, "", "an arm has no name"),
        ("arm_name", 0, "a\nb", "an arm has no name"),
        ("arm_name", 0, 1, "an arm has no name"),
        ("arm_name", 0, "<img src=x onerror=alert(1)>", "an arm has no name"),
        ("arm_name", 0, "slurm", "an arm has no name"),
        ("arm_name", 0, "mini-slurm,slurm:backfill", "an arm has no name"),
        ("arm_name", 0, "mini-slurm,", "an arm has no name"),
        ("started_s", 1, float("nan"), "a stamp that is no time"),
        ("started_s", 1, "1", "a stamp that is no time"),
        ("released_s", 1, 1e10, "a stamp that is no time"),
        ("state", 1, "completed", "a state is no word"),
        ("state", 1, "PENDING", "and censored, or neither"),
        ("ended_s", 1, None, "and censored, or neither"),
        ("censored", 1, True, "and censored, or neither"),
        ("censored", 1, 0, "nobody says how long"),
        ("at_s", 1, None, "nobody says how long"),
        ("at_s", 1, 3.0, "arm 1 is two"),
        ("nodes", 1, "n0", "nodes are no ranges"),
        ("offset_s", 0, float("inf"), "a stamp that is no time"),
        ("uncertainty_s", 0, -0.1, "a stamp that is no time"),
    ],
)  # fmt: skip
def test_a_row_that_no_run_could_have_written_is_refused(column: str, row: int, value: Any, words: str) -> None:
    # The second arm's rows must not differ before the first one's are judged.
    with pytest.raises(ValueError, match=words):
        read(changed(column, row, value))


def test_a_job_that_is_there_twice_is_refused() -> None:
    found = {name: [*column[:2], column[1], *column[2:]] for name, column in samples().items()}
    with pytest.raises(ValueError, match="job 1 of arm 1 came before its batch, or twice"):
        read(found)


def test_a_batch_on_other_nodes_than_the_one_before_is_refused() -> None:
    found = {name: [column[0], *column] for name, column in samples().items()}
    found["batch"][1] = 2
    found["size"][1] = 5
    with pytest.raises(ValueError, match="batch 2 of arm 1 was begun twice, or on other nodes"):
        read(found)


@pytest.mark.parametrize("rows", [{2}, {1, 2, 3}, {7}])
def test_an_arm_without_jobs_that_others_have_is_refused(rows: set[int]) -> None:
    found = {name: [value for n, value in enumerate(column) if n not in rows] for name, column in samples().items()}
    with pytest.raises(ValueError, match="of iteration 1 lacks jobs that others have"):
        read(found)


def test_a_batch_without_jobs_that_others_have_is_refused() -> None:
    found = {name: [column[0], *column] for name, column in samples().items()}
    found["batch"][1] = 2
    found["batch"][3:5] = [2, 2]
    with pytest.raises(ValueError, match="arm 1 of iteration 1 lacks jobs that others have"):
        read(found)


def test_a_column_that_is_not_there_is_refused() -> None:
    found = samples()
    del found["state"]
    with pytest.raises(KeyError):
        read(found)


def test_the_columns_are_those_of_a_row() -> None:
    assert tuple(samples()) == COLUMNS


def test_many_rows_share_their_jobs() -> None:
    first, second = read(samples())
    assert all(isinstance(o.work, WorkJob) for o in first.outcomes)
    assert first.outcomes[0].work is second.outcomes[0].work

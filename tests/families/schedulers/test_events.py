"""Many jobs in one line of a child."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.schedulers.events import JobTold, read_answer, read_answers, row_of
from perfdb.processes.log import Line

NS = st.integers(0, 2**62)
CHAIN = ("submitted", "allocated", "started", "ended", "released")


@st.composite
def told(draw: st.DrawFn) -> JobTold:
    """A job that came as far as it came, one milestone after another."""
    stamps = dict(zip(CHAIN, sorted(draw(st.lists(NS, max_size=len(CHAIN)))), strict=False))
    return JobTold(
        kind="job",
        job=draw(st.integers(1, 1_000_000)),
        batch=3,
        eligible=stamps.get("submitted"),
        state=draw(st.sampled_from(["COMPLETED", "RUNNING", "PENDING"])),
        node_list=draw(st.sampled_from(["", "0-2,5"])),
        **stamps,
    )


def line(*rows: object) -> Line:
    return Line(0.0, "stdout", json.dumps({"kind": "jobs", "batch": 3, "rows": rows}))


@given(st.lists(told(), max_size=5))
def test_jobs_told_together_are_those_told_one_by_one(jobs: list[JobTold]) -> None:
    together = read_answers((line(*map(row_of, jobs)),))
    alone = read_answers(tuple(Line(0.0, "stdout", job.model_dump_json()) for job in jobs))
    assert together == alone == tuple(jobs)


def test_a_line_with_a_row_that_is_no_job_tells_nothing() -> None:
    good = [1, 0, 1, 1, 1, 1, "COMPLETED", "0"]
    assert len(read_answers((line(good),))) == 1
    for bad in ([0, *good[1:]], [*good[:1], -5, *good[2:]], [*good[:6], "lower", "0"], [*good[:7], "a b"], good[:7]):
        assert read_answers((line(good, bad),)) == ()


def test_one_answer_is_asked_of_a_line_and_several_are_none() -> None:
    row = [1, 0, 1, 1, 1, 1, "COMPLETED", "0"]
    assert read_answer(line(row, [2, *row[1:]]).text) is None

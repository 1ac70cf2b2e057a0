"""parsl-perf's words are taken as they are, and what is none of them is said."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from perfdb.families.base import Program
from perfdb.families.throughput import FAMILY
from perfdb.families.throughput.parse import Iteration, parse
from tests.families.throughput.outputs import CLOSING, WHOLE, iteration, lines

# As parsl-perf 2026.10.26 printed it with a HighThroughputExecutor, `--time 5 --iterate 10,13`.
TODAY = """\
==== Iteration 1 ====
Will run 10 tasks
Submitting tasks / invoking apps
All 10 tasks submitted ... waiting for completion
Submission took 0.014 seconds = 705.731 tasks/second
Runtime: actual 2.412s vs target 5.0s
Tasks per second: 4.146
==== Iteration 2 ====
Will run 13 tasks
Submitting tasks / invoking apps
All 13 tasks submitted ... waiting for completion
Submission took 0.004 seconds = 3304.803 tasks/second
Runtime: actual 0.018s vs target 5.0s
Tasks per second: 733.142
Tests complete - leaving DFK block
The end
"""
# As releases of 2023 print it.
OLD = TODAY.replace(" tasks\nSubmitting", " tasks to target 5.0 seconds runtime\nSubmitting").replace(
    "Tests complete - leaving DFK block", "Cleaning up DFK"
)


@pytest.mark.parametrize("text", [TODAY, OLD, TODAY.replace("target 5.0s", "target 120s")])
def test_the_output_of_every_release_is_understood(text):
    output = parse(lines(text.splitlines()))
    assert output.complete
    assert output.not_understood is None
    assert output.iterations == (
        Iteration(1, 10, 10 / 705.731, 10 / 4.146),
        Iteration(2, 13, 13 / 3304.803, 13 / 733.142),
    )


def test_no_output_at_all_is_nothing_and_not_complete():
    assert parse(()) == parse(lines([]))
    assert parse(()).iterations == ()
    assert not parse(()).complete


seconds = st.floats(1e-5, 1e5)
runs = st.lists(st.tuples(st.integers(1, 10**6), seconds, seconds), min_size=1, max_size=4)


def printed(parts) -> list[str]:
    return [
        text for n, (tasks, submit_s, run_s) in enumerate(parts, 1) for text in iteration(n, tasks, submit_s, run_s)
    ]


@given(runs)
def test_any_times_that_parsl_perf_may_print_are_read_back(parts):
    output = parse(lines([*printed(parts), *CLOSING]))
    assert output.complete, output
    for found, (tasks, submission_s, run_s) in zip(output.iterations, parts, strict=True):
        assert found.task_count == tasks
        assert found.run_s == pytest.approx(run_s, rel=1e-3, abs=1e-6)
        assert found.submission_s == pytest.approx(submission_s, rel=1e-3, abs=1e-6)


def test_ten_tasks_that_waited_an_hour_in_a_queue_are_no_contradiction():
    output = parse(lines(iteration(1, 10, 0.01, 3600.0)))
    assert "Tasks per second: 0.003" in iteration(1, 10, 0.01, 3600.0)
    assert output.not_understood is None
    assert output.iterations[0].run_s == 3600.0


@given(runs, st.data())
def test_any_start_of_an_output_holds_its_whole_iterations_and_no_riddles(parts, data):
    texts = [*printed(parts), *CLOSING]
    cut = data.draw(st.integers(0, len(texts)))
    output = parse(lines(texts[:cut]))
    assert output.not_understood is None
    assert len(output.iterations) == min(cut // 7, len(parts))
    assert output.complete == (cut == len(texts))


@given(st.integers(0, len(WHOLE) - 1), st.text(max_size=60))
def test_a_line_that_does_not_belong_is_reported_by_its_text(at, intruder):
    mutated = [*WHOLE]
    assume(intruder not in (mutated[at], "Cleaning up DFK", CLOSING[0]))
    mutated[at] = intruder
    output = parse(lines(mutated))
    assert output.not_understood == intruder
    assert output.expected
    assert not output.complete
    assert len(output.iterations) == min(at // 7, 3)


@given(st.integers(0, len(WHOLE)), st.sampled_from(["", "a line of a library", "Tasks per second", "The end!"]))
def test_a_line_too_many_is_reported_by_its_text(at, intruder):
    output = parse(lines([*WHOLE[:at], intruder, *WHOLE[at:]]))
    assert output.not_understood == intruder
    assert not output.complete


@given(st.integers(0, len(WHOLE) - 2))
def test_a_line_too_few_is_reported_by_the_one_in_its_place(at):
    output = parse(lines(WHOLE[:at] + WHOLE[at + 1 :]))
    assert output.not_understood == WHOLE[at + 1]


@pytest.mark.parametrize(
    ("was", "is_"),
    [
        ("==== Iteration 1 ====", "==== Iteration 2 ===="),
        ("All 10 tasks submitted", "All 11 tasks submitted"),
        ("Will run 10 tasks", "Will run 11 tasks"),
        ("Runtime: actual 2.000s", "Runtime: actual 2.100s"),
        ("Tasks per second: 5.000", "Tasks per second: 5.010"),
        ("Tasks per second: 5.000", "Tasks per second: 0.000"),
        ("Submission took 0.500", "Submission took 0.600"),
        ("= 20.000 tasks/second", "= 0.000 tasks/second"),
        ("= 20.000 tasks/second", "= 1e99 tasks/second"),
    ],
)
def test_numbers_that_contradict_one_another_are_refused(was, is_):
    text = "\n".join(WHOLE[:7])
    assert was in text
    output = parse(lines(text.replace(was, is_).splitlines()))
    assert output.iterations == ()
    assert output.not_understood.startswith("Tasks per second: ")
    assert output.expected == "numbers that fit those above it"


@pytest.mark.parametrize("number", ["nan", "inf", "-5.000", "0x5", "5_0", "\u0665", "1" * 16, "5.000 ", "1e999"])
def test_what_is_no_plain_number_is_not_understood(number):
    text = f"Tasks per second: {number}"
    assert parse(lines([*WHOLE[:6], text])).not_understood == text


def test_no_tasks_are_no_iteration():
    texts = [text.replace("10 tasks", "0 tasks") for text in iteration(1, 10, 0.5, 2.0)]
    assert parse(lines(texts)).iterations == ()


def test_cpu_time_is_told_apart_by_iteration_and_role():
    cpu: list[dict[str, float] | None] = [None] * len(WHOLE)
    cpu[0] = {"main": 1.0}
    cpu[7] = {"main": 2.0, "workers": 0.5, "interchange": 0.25}
    cpu[14] = {"main": 4.5, "workers": 3.5, "interchange": 0.25}
    cpu[21] = {"main": 5.0, "workers": 0.5}  # a pool ended and took its seconds with it
    assert [its.cpu_s for its in parse(lines(WHOLE, cpu)).iterations] == [
        {"main": 1.0, "workers": 0.5, "interchange": 0.25},
        {"main": 2.5, "workers": 3.0, "interchange": 0.0},
        {"main": 0.5},
    ]


@given(st.text() | st.sampled_from(WHOLE) | st.from_regex(r"(Tasks per second: |Will run ).{0,9}"))
def test_any_line_at_all_may_be_shown_as_progress(text):
    told = FAMILY.progress(Program("rep-1", ()))(text)
    assert told is None or told.isprintable()


def test_progress_tells_iterations_tasks_and_rates():
    hear = FAMILY.progress(Program("rep-1", ()))
    told = [hear(text) for text in WHOLE[7:14]]
    assert told == ["iteration 2", "1000 tasks", None, None, None, None, "250 tasks/s"]

"""The Standard Workload Format: exact on its 18 fields, and hostile until it is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.errors import UsageError
from perfdb.families.schedulers.workload.swf import FIELDS, Swf, SwfJob, read_swf, swf_job, write_swf

# Fields as archives have them: whole numbers, -1 for what nobody knows, and decimals of any length.
NUMBER = st.one_of(
    st.integers(-1, 10**12).map(str),
    st.just("-1"),
    st.decimals(0, 10**6, places=3).map(str),
    st.sampled_from(["0.10", "1.", "007", "+3", "-1.00", ".5"]),
)
LINE = st.lists(NUMBER, min_size=18, max_size=18)
JOB = "1 0 -1 77 1 -1 -1 1 90 -1 1 1 1 -1 1 -1 -1 -1"
BLANK = st.sampled_from([" ", "  ", "\t", "     "])


@given(st.lists(st.tuples(LINE, BLANK), max_size=20), st.lists(st.sampled_from(["; Version: 2.2", ";", ";x"])))
def test_what_was_read_is_written_again_exactly_on_all_fields(lines, comments):
    text = "".join(f"{comment}\n" for comment in comments)
    text += "".join(f" {blank.join(fields)}\n\n" for fields, blank in lines)
    trace = read_swf(text, "trace.swf")
    assert [list(job.fields) for job in trace.jobs] == [fields for fields, _ in lines]
    assert read_swf(write_swf(trace), "again.swf") == trace
    assert list(trace.comments) == comments


def test_the_archive_order_of_the_fields_is_kept():
    """The fields by their numbers in the definition, from 1."""
    numbered = SwfJob(tuple(str(number) for number in range(1, 19)))
    assert len(FIELDS) == 18
    assert [numbered.number(name) for name in ("job_number", "submit_time", "wait_time", "run_time")] == [1, 2, 3, 4]
    assert [numbered.number(name) for name in ("allocated_processors", "requested_processors", "requested_time")] == [
        5,
        8,
        9,
    ]
    assert [numbered.number(name) for name in ("status", "user_id", "think_time")] == [11, 12, 18]


def test_minus_one_is_what_nobody_knows():
    job = swf_job(job_number=1, run_time=2.5)
    assert job.fields == ("1", "-1", "-1", "2.5", *["-1"] * 14)
    assert job.known("wait_time") is None and job.known("run_time") == 2.5


@given(st.integers(0, 10**15).map(lambda microseconds: microseconds / 1e6))
def test_a_time_that_is_written_is_read_again_to_the_microsecond(seconds):
    trace = Swf((), (swf_job(run_time=seconds),))
    (job,) = read_swf(write_swf(trace), "x").jobs
    assert job.number("run_time") == pytest.approx(seconds, abs=1e-6)
    assert "e" not in job.fields[3]


def test_a_header_is_found_by_its_name():
    trace = read_swf("; MaxProcs: 128\n;MaxNodes:64\n; a comment\n", "x")
    assert (trace.header("maxprocs"), trace.header("MaxNodes"), trace.header("Computer")) == ("128", "64", None)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1 2 3", "line 2, has 3 fields"),
        (" ".join(["1"] * 19), "has 19 fields"),
        (" ".join(["1"] * 3 + ["x"] + ["1"] * 14), r"field 4 \(run_time\) is 'x'"),
        (" ".join(["1"] * 17 + ["nan"]), "field 18"),
        (" ".join(["1"] * 17 + ["1e999"]), "field 18"),
        (" ".join(["1"] * 17 + ["9" * 3000]), "field 18"),
        ("1 " * 100_000, "fields"),
    ],
)
def test_a_line_that_is_no_job_is_refused_with_its_number(line, told):
    with pytest.raises(UsageError, match=told) as refused:
        read_swf(f"; Version: 2.2\n{line}\n", "trace.swf")
    assert len(str(refused.value)) < 500


@given(st.text(max_size=200))
def test_whatever_stands_in_the_file_is_read_or_refused(text):
    try:
        read_swf(text, "trace.swf")
    except UsageError as refused:
        assert "trace.swf" in str(refused)


@pytest.mark.parametrize("sign", ["\x85", "\x0c", "\u2028"])
def test_only_ends_of_lines_end_a_line(sign):
    trace = read_swf(f"; Note: one{sign}two\r\n{JOB}\r{JOB}\n", "x.swf")
    assert trace.header("Note") == f"one{sign}two" and len(trace.jobs) == 2


def test_digits_of_other_scripts_are_no_numbers():
    with pytest.raises(UsageError, match=r"line 1: field 4 \(run_time\)"):
        read_swf(JOB.replace("77", "\u0667\u0667"), "x.swf")


def test_a_job_knows_its_line():
    assert [job.line for job in read_swf(f"; x\n{JOB}\n\n{JOB}\n", "x.swf").jobs] == [2, 4]

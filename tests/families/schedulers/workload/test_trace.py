"""Traces as lists of jobs, and lists as traces."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfdb.errors import UsageError
from perfdb.families.schedulers.workload.job import WorkJob
from perfdb.families.schedulers.workload.load import Loaded, loaded
from perfdb.families.schedulers.workload.swf import swf_job, write_swf
from perfdb.families.schedulers.workload.trace import trace_of_jobs


def line(**known: float) -> str:
    """One that can be run, unless something else is said."""
    told = {"job_number": 1, "submit_time": 0, "run_time": 60, "requested_processors": 2, "status": 1, **known}
    return " ".join(swf_job(**told).fields)


def of(tmp_path: Path, *lines: str, nodes: int = 4, jobs: int = 0, compress: float = 1.0) -> Loaded:
    path = tmp_path / "trace.swf"
    path.write_text("; MaxProcs: 128\n" + "".join(f"{each}\n" for each in lines))
    return loaded(str(path), nodes=nodes, seed=1, load=0.7, jobs=jobs, compress=compress)


def test_a_job_asks_for_what_it_asked_for_and_runs_as_long_as_it_ran(tmp_path):
    found = of(
        tmp_path,
        line(
            submit_time=1000, run_time=90, requested_processors=4, allocated_processors=3, requested_time=600, user_id=7
        ),
        line(submit_time=1030.5, run_time=12.5, requested_processors=-1, allocated_processors=1, requested_time=-1),
    )
    assert found.jobs == (
        WorkJob(job=1, arrival_s=0, nodes=4, run_s=90, limit_s=600, user=6, experiment="size-3-4"),
        WorkJob(job=2, arrival_s=30.5, nodes=1, run_s=12.5, limit_s=12.5, user=0, experiment="size-1"),
    )
    assert found.left_out == () and found.machine_nodes == 128


def test_a_job_that_ran_past_its_limit_is_not_ended_sooner_than_it_was(tmp_path):
    (job,) = of(tmp_path, line(run_time=70, requested_time=60)).jobs
    assert (job.run_s, job.limit_s) == (70, 70)


def test_jobs_that_cannot_be_run_are_counted_by_the_reason(tmp_path):
    found = of(
        tmp_path,
        line(),
        line(run_time=-1),
        line(run_time=-1, status=5),
        line(requested_processors=8),
        line(requested_processors=0),
        line(submit_time=-1),
        *[line(status=part) for part in (2, 3, 4)],
    )
    assert len(found.jobs) == 1
    assert dict(found.left_out) == {
        "no run time: it never ran": 2,
        "more than the 4 nodes there are": 1,
        "no processors": 1,
        "no submit time": 1,
        "part of a job that has a line for all of it": 3,
    }


def test_a_job_that_was_cancelled_or_failed_after_it_ran_is_run_as_long(tmp_path):
    assert len(of(tmp_path, line(status=0), line(status=5), line(status=-1)).jobs) == 3


def test_compressing_divides_arrivals_run_times_and_limits(tmp_path):
    lines = line(), line(submit_time=600, run_time=30, requested_time=120)
    _, job = of(tmp_path, *lines, compress=60).jobs
    assert (job.arrival_s, job.run_s, job.limit_s) == (10.0, 0.5, 2.0)


def test_the_first_so_many_that_can_be_run_are_taken(tmp_path):
    found = of(tmp_path, line(run_time=-1), *[line(submit_time=at) for at in (1, 2, 3)], line(run_time=-1), jobs=2)
    assert [job.arrival_s for job in found.jobs] == [0.0, 1.0] and dict(found.left_out) == {
        "no run time: it never ran": 1
    }


def test_jobs_out_of_order_are_put_in_order(tmp_path):
    found = of(tmp_path, line(submit_time=50, run_time=1), line(submit_time=20, run_time=2))
    assert [(job.job, job.arrival_s, job.run_s) for job in found.jobs] == [(1, 0, 2), (2, 30, 1)]


def test_a_trace_of_which_nothing_can_be_run_says_for_how_many_nodes_it_is(tmp_path):
    with pytest.raises(UsageError, match=r"no job of .* 1 have more than the 4 nodes there are.*--nodes 128"):
        of(tmp_path, line(requested_processors=100))
    with pytest.raises(UsageError, match="it has none"):
        of(tmp_path)


@pytest.mark.parametrize("name", ["clog", "size-2", "size-2-3", "mixed"])
def test_a_list_that_is_written_and_read_again_is_the_same_but_for_the_experiments(tmp_path, name):
    first = loaded(name, nodes=4, seed=3, load=0.7, jobs=0, compress=1.0)
    (tmp_path / "list.swf").write_text(write_swf(trace_of_jobs(first.jobs, 4)))
    again = loaded(str(tmp_path / "list.swf"), nodes=4, seed=1, load=0.7, jobs=0, compress=1.0)
    assert [job.model_copy(update={"experiment": "x"}) for job in again.jobs] == [
        job.model_copy(update={"experiment": "x"}) for job in first.jobs
    ]
    assert again.machine_nodes == 4


def test_a_job_that_a_list_cannot_have_is_told_with_its_file_and_line(tmp_path):
    with pytest.raises(UsageError, match=r"trace\.swf, line 3: run_s 1e\+17, .*less than"):
        of(tmp_path, line(), line(run_time=10**17))
    with pytest.raises(
        UsageError, match=r"trace\.swf, line 2: run_s 60000000000.0, times being divided by 1e-09: .*--compress"
    ):
        of(tmp_path, line(), compress=1e-9)

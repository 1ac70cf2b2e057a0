"""Traces as lists of jobs, and lists and what became of them as traces."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfdb.errors import UsageError
from perfdb.families.schedulers.outcome import Outcome
from perfdb.families.schedulers.workload.job import WorkJob
from perfdb.families.schedulers.workload.load import Loaded, loaded
from perfdb.families.schedulers.workload.swf import FIELDS, read_swf, swf_job, write_swf
from perfdb.families.schedulers.workload.trace import trace_of_jobs, trace_of_outcomes


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


def outcome(job: int, **times: float | str | None) -> Outcome:
    work = WorkJob(job=job, arrival_s=1.0, nodes=3, run_s=20, limit_s=60, user=4, experiment="size-3")
    names = ("submitted_s", "eligible_s", "allocated_s", "started_s", "ended_s", "released_s")
    told = {name: times.get(name) for name in (*names, "inside_began_s", "inside_ended_s", "seen_until_s")}
    return Outcome(work=work, batch=1, state=str(times.get("state", "COMPLETED")), nodes="", **told)  # type: ignore[arg-type]


def fields(trace) -> list[dict[str, str]]:
    lines = read_swf(write_swf(trace), "x").jobs
    return [{n: text for n, text in zip(FIELDS, job.fields, strict=True) if text != "-1"} for job in lines]


def test_what_became_of_jobs_is_written_with_wait_run_time_and_status():
    asked = {"requested_processors": "3", "requested_time": "60", "user_id": "5"}
    ended = outcome(1, submitted_s=1.25, started_s=4.0, inside_began_s=4.25, ended_s=24.5, inside_ended_s=24.25)
    killed = outcome(2, submitted_s=2, started_s=3, ended_s=63, state="TIMEOUT")
    cancelled = outcome(3, submitted_s=2, started_s=3, ended_s=4, state="CANCELLED")
    running = outcome(4, submitted_s=2, started_s=5, state="RUNNING", seen_until_s=90)
    never = outcome(5, state="")
    ran = {"allocated_processors": "3", **asked}
    assert fields(trace_of_outcomes([killed, ended, cancelled, running, never], 4)) == [
        {"job_number": "1", "submit_time": "1.25", "wait_time": "3", "run_time": "20", "status": "1", **ran},
        {"job_number": "2", "submit_time": "2", "wait_time": "1", "run_time": "60", "status": "0", **ran},
        {"job_number": "3", "submit_time": "2", "wait_time": "1", "run_time": "1", "status": "5", **ran},
        {"job_number": "4", "submit_time": "2", "wait_time": "3", **asked},
        {"job_number": "5", "submit_time": "1", **asked},
    ]

"""Slurm, by stand-ins that answer as Slurm 22.05 does."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfdb.platforms import Job, platforms_for
from perfdb.platforms.cancel import cancel_jobs
from perfdb.platforms.slurm import SLURM

SHOW_JOB = """\
JobId=4711 JobName=parsl.htex.block-0.1
   UserId=someone(1000) GroupId=someone(1000) MCS_label=N/A
   Priority=4294901759 Nice=0 Account=(null) QOS=(null)
   JobState=RUNNING Reason=None Dependency=(null)
   RunTime=00:00:12 TimeLimit=00:10:00 TimeMin=N/A
   SubmitTime=2026-11-21T02:28:00 EligibleTime=2026-11-21T02:28:00
   AccrueTime=2026-11-21T02:28:00
   StartTime=2026-11-21T02:28:30 EndTime=2026-11-21T02:38:30 Deadline=N/A
   SuspendTime=None SecsPreSuspend=0 LastSchedEval=2026-11-21T02:28:30 Scheduler=Main
"""


@pytest.fixture
def berlin(monkeypatch):
    """A zone that is an hour ahead of UTC in November: Slurm prints local times."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


def test_jobs_are_those_in_the_log_and_those_that_only_a_submit_script_names(stand_ins, run_dir):
    stand_ins.add("squeue", "4711\n4712\n")
    assert SLURM.jobs_of(run_dir) == ("4711", "4712")
    assert stand_ins.asked == ["squeue --noheader --format=%A --name=parsl.htex.block-0.1,parsl.htex.block-1.2"]


def test_a_slurm_that_does_not_answer_leaves_the_jobs_in_the_log(stand_ins, run_dir):
    stand_ins.add("squeue", "slurm_load_jobs error: Unable to contact slurm controller", code=1)
    assert SLURM.jobs_of(run_dir) == ("4711",)


def test_a_run_without_jobs_asks_nothing(stand_ins, tmp_path):
    stand_ins.add("squeue", "4711\n")
    assert SLURM.jobs_of(tmp_path) == ()
    assert stand_ins.asked == []


def test_times_are_slurms_own_in_utc(stand_ins, berlin):
    stand_ins.add("scontrol", SHOW_JOB)
    (job,) = SLURM.times_of(("4711",))
    assert job == Job("4711", datetime(2026, 11, 21, 1, 28, tzinfo=UTC), datetime(2026, 11, 21, 1, 28, 30, tzinfo=UTC))
    assert job.queue_wait_s == 30.0
    assert stand_ins.asked == ["scontrol show job 4711"]


@pytest.mark.parametrize(
    "answer",
    [
        SHOW_JOB.replace("StartTime=2026-11-21T02:28:30", "StartTime=Unknown"),
        SHOW_JOB.replace("StartTime=2026-11-21T02:28:30", "StartTime=None assigned"),
        SHOW_JOB.replace("StartTime=2026-11-21T02:28:30", "StartTime=0001-01-01T00:00:00"),
        "",
    ],
)
def test_a_job_that_has_not_started_has_no_wait(stand_ins, berlin, answer):
    stand_ins.add("scontrol", answer)
    (job,) = SLURM.times_of(("4711",))
    assert job.started_at is None
    assert job.queue_wait_s is None


def test_a_job_that_slurm_forgot_keeps_its_id(stand_ins):
    stand_ins.add("scontrol", "slurm_load_jobs error: Invalid job id specified", code=1)
    assert SLURM.times_of(("4711",)) == (Job("4711"),)


@pytest.mark.parametrize(
    "state", ["PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "COMPLETED\nRUNNING"]
)
def test_a_job_that_is_under_way_is_cancelled(stand_ins, state):
    stand_ins.add("squeue", state + "\n")
    stand_ins.add("scancel")
    assert SLURM.cancel(("4711",)) == ()
    assert stand_ins.asked == ["squeue --noheader --format=%T --jobs=4711", "scancel 4711"]


@pytest.mark.parametrize("state", ["COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", ""])
def test_a_job_that_is_over_is_left_alone(stand_ins, state):
    stand_ins.add("squeue", state + "\n")
    stand_ins.add("scancel", code=1)
    assert SLURM.cancel(("4711",)) == ()
    assert "scancel 4711" not in stand_ins.asked


def test_a_job_that_cannot_be_asked_about_is_cancelled_all_the_same(stand_ins):
    stand_ins.add("squeue", "slurm_load_jobs error: Socket timed out", code=1)
    stand_ins.add("scancel")
    assert SLURM.cancel(("4711",)) == ()
    assert "scancel 4711" in stand_ins.asked


def test_a_job_that_cannot_be_cancelled_is_named(stand_ins):
    stand_ins.add("squeue", "RUNNING\n")
    stand_ins.add("scancel", code=1)
    assert SLURM.cancel(("4711", "4712")) == ("4711", "4712")


def test_the_version_is_told(stand_ins):
    stand_ins.add("sinfo", "slurm 22.05.8\n")
    assert SLURM.version() == "22.05.8"


def test_without_slurms_commands_nothing_is_known_and_nothing_raised(stand_ins, run_dir):
    assert SLURM.jobs_of(run_dir) == ("4711",)
    assert SLURM.times_of(("4711",)) == (Job("4711"),)
    assert SLURM.cancel(("4711",)) == ("4711",)
    assert SLURM.version() is None


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200) | st.text("SubmitTime=Start:-T0129 \n").map(str.encode), st.sampled_from([0, 1]))
def test_garbage_is_never_raised(stand_ins, run_dir, answer, code):
    for command in ("squeue", "scontrol", "scancel", "sinfo"):
        stand_ins.add(command, answer, code)
    assert "4711" in SLURM.jobs_of(run_dir)
    assert all(job.isdigit() for job in SLURM.jobs_of(run_dir))
    assert [job.job_id for job in SLURM.times_of(("4711",))] == ["4711"]
    assert set(SLURM.cancel(("4711",))) <= {"4711"}
    SLURM.version()


def test_the_supervisors_program_cancels_what_a_killed_run_left(stand_ins, run_dir):
    stand_ins.add("squeue", "RUNNING\n")
    stand_ins.add("scancel")
    assert cancel_jobs(run_dir, ("LocalProvider", "SlurmProvider")) == ()
    assert [line for line in stand_ins.asked if line.startswith("scancel")] == ["scancel 4711"]


def test_a_local_provider_has_no_cluster_to_ask(stand_ins, run_dir):
    assert platforms_for(("LocalProvider", "AdHocProvider")) == ()
    assert cancel_jobs(run_dir, ("LocalProvider",)) == ()

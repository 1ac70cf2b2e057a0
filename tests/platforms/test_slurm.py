"""What Slurm is asked, and what its answers come to, by stand-ins that answer as Slurm 22.05 does."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfdb.platforms import Job, NodeBoot, Stamp, platforms_for
from perfdb.platforms.base import UNTOLD
from perfdb.platforms.cancel import Left, cancel_jobs, cancel_left, submitted_jobs
from perfdb.platforms.slurm import SLURM, _ask
from perfdb.platforms.slurm_show import ACCOUNTED
from tests.platforms.shown import config, job, node

QUEUE = "--format=%A|%T|%j"


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


def stamp(text, source):
    at = datetime.fromisoformat(f"2026-11-21T{text}+00:00")
    return Stamp(at=at, resolution_s=1.0, source=f"scontrol's {source}")


def test_times_are_slurms_own_in_utc(stand_ins, berlin):
    stand_ins.add("scontrol", job())
    (told,) = SLURM.times_of(("4711",))
    assert told == Job(
        job_id="4711",
        pending=stamp("01:28:00", "SubmitTime"),
        allocated=stamp("01:28:30", "LastSchedEval"),
        started=stamp("01:28:30", "StartTime"),
        state="RUNNING",
        nodes=("n0",),
    )
    assert told.queue_wait_s == 30.0
    assert stand_ins.asked == ["scontrol show job 4711"]


def test_nodes_named_in_short_are_expanded_once_for_all_jobs(stand_ins):
    stand_ins.add("scontrol", job(nodes="n[0-1]"), to="show job")
    stand_ins.add("scontrol", "n0\nn1\n", to="show hostnames n[0-1]")
    assert [told.nodes for told in SLURM.times_of(("4711", "4712"))] == [("n0", "n1")] * 2
    assert stand_ins.asked.count("scontrol show hostnames n[0-1]") == 1


def test_on_a_strange_slurm_a_boot_is_told_by_the_daemons_start(stand_ins, berlin):
    stand_ins.add("scontrol", job(start="2026-11-21T02:29:10", nodes="n[0-1]"), to="show job")
    stand_ins.add("scontrol", "n0\nn1\n", to="show hostnames")
    shown = node("n0", "MIXED+CLOUD", started="2026-11-21T02:28:50") + node(
        "n1", "MIXED", started="2026-10-01T00:00:00"
    )
    stand_ins.add("scontrol", shown, to="--oneliner show node n[0-1]")
    (told,) = SLURM.times_of(("4711",))
    assert told.boots == (NodeBoot(node="n0", registered=stamp("01:28:50", "SlurmdStartTime")),)
    assert (told.allocated.at, told.started.at) == (stamp("01:28:30", "").at, stamp("01:29:10", "").at)


def test_jobs_that_slurm_forgot_are_asked_of_accounting_all_at_once(stand_ins, berlin):
    stand_ins.add("scontrol", job(), to="show job 4711")
    row = "|2026-11-21T02:28:00|2026-11-21T02:28:05|2026-11-21T02:30:00|TIMEOUT|n7|parsl.htex.block-0.1\n"
    stand_ins.add("sacct", f"1{row}2{row}")
    told = SLURM.times_of(("1", "4711", "2", "3"))
    assert [(each.job_id, each.state, each.nodes) for each in told] == [
        ("1", "TIMEOUT", ("n7",)),
        ("4711", "RUNNING", ("n0",)),
        ("2", "TIMEOUT", ("n7",)),
        ("3", None, ()),
    ]
    assert told[0].queue_wait_s == 5.0
    assert [line for line in stand_ins.asked if line.startswith("sacct")] == [
        f"sacct --allocations --parsable2 --noheader --jobs=1,2,3 --format={ACCOUNTED}"
    ]


def test_of_an_old_id_that_is_anothers_by_now_nothing_is_told(stand_ins):
    stand_ins.add("scontrol", job(), to="show job 4711")
    row = "|2026-11-21T02:28:00|2026-11-21T02:28:05|2026-11-21T02:30:00|TIMEOUT|n7|"
    stand_ins.add("sacct", f"1{row}parsl.htex.block-0.1\n2{row}somebody.elses\n")
    ids = ("4711", "1", "2")
    assert [told.state for told in SLURM.times_of(ids, ("parsl.htex.block-0.1",))] == ["RUNNING", "TIMEOUT", None]
    assert [told.state for told in SLURM.times_of(ids, ("parsl.htex.block-1.2",))] == [None, None, None]
    assert SLURM.times_of(("2",), ("parsl.htex.block-0.1",)) == (Job(job_id="2", why=UNTOLD),)


def test_a_requeued_job_says_so(stand_ins):
    stand_ins.add("scontrol", job(state="PENDING", reason="BeginTime", restarts=1, nodes="(null)"))
    (told,) = SLURM.times_of(("4711",))
    assert (told.state, told.why, told.pending) == ("PENDING", "BeginTime; requeued 1 time", None)


def test_a_job_that_slurm_forgot_keeps_its_id(stand_ins):
    stand_ins.add("scontrol", "slurm_load_jobs error: Invalid job id specified", code=1)
    assert SLURM.times_of(("4711",)) == (Job(job_id="4711", why=UNTOLD),)


def queue(stand_ins, *rows):
    stand_ins.add("squeue", "".join(f"{row}\n" for row in rows), to=QUEUE)


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "CONFIGURING", "SUSPENDED"])
def test_jobs_that_are_under_way_are_cancelled_all_at_once(stand_ins, state):
    queue(stand_ins, f"4711|{state}|a", f"4712|{state}|b", f"9|{state}|someone.else")
    stand_ins.add("scancel")
    assert SLURM.cancel(("4711", "4712", "4713")) == ()
    assert stand_ins.asked == [f"squeue --noheader {QUEUE} --user={os.getuid()}", "scancel 4711 4712"]


@pytest.mark.parametrize("state", ["COMPLETED", "CANCELLED", "COMPLETING", "TIMEOUT", "NODE_FAIL"])
def test_a_job_that_is_over_or_ends_is_left_alone(stand_ins, state):
    queue(stand_ins, f"4711|{state}|a")
    stand_ins.add("scancel", code=1)
    assert SLURM.cancel(("4711",)) == ()
    assert len(stand_ins.asked) == 1


def test_no_jobs_ask_nothing(stand_ins):
    queue(stand_ins)
    assert SLURM.cancel(()) == ()
    assert SLURM.over(())
    assert SLURM.times_of(()) == ()
    assert stand_ins.asked == []


def test_a_job_of_just_now_that_cannot_be_asked_about_is_cancelled_all_the_same(stand_ins):
    stand_ins.add("squeue", "slurm_load_jobs error: Socket timed out", code=1)
    stand_ins.add("scancel")
    assert SLURM.cancel(("4711",)) == ()
    assert "scancel 4711" in stand_ins.asked


def test_an_id_that_somebody_elses_job_has_by_now_is_left_alone(stand_ins):
    queue(stand_ins, "4711|RUNNING|somebody.elses|job", "4712|RUNNING|parsl.htex.block-1.2")
    stand_ins.add("scancel")
    assert SLURM.cancel(("4711", "4712"), ("parsl.htex.block-0.1", "parsl.htex.block-1.2")) == ()
    assert stand_ins.asked[1:] == ["scancel 4712"]


def test_old_ids_are_not_cancelled_blindly(stand_ins):
    stand_ins.add("squeue", "slurm_load_jobs error: Socket timed out", code=1)
    stand_ins.add("scancel")
    assert SLURM.cancel(("4711",), ("parsl.htex.block-0.1",)) == ("4711",)
    assert "scancel 4711" not in stand_ins.asked


def test_only_jobs_that_are_still_there_after_a_refusal_are_named(stand_ins):
    queue(stand_ins, "4711|RUNNING|a", "4712|RUNNING|b")
    stand_ins.add("scancel", code=1)
    assert SLURM.cancel(("4711", "4712", "4713")) == ("4711", "4712")


def test_a_dead_controller_is_asked_no_more_often_than_needed(stand_ins):
    for command in ("squeue", "scancel"):
        stand_ins.add(command, "Unable to contact slurm controller", code=1)
    assert SLURM.cancel(("1", "2", "3")) == ("1", "2", "3")
    assert len(stand_ins.asked) == 2


def test_jobs_are_over_when_none_is_listed_not_even_as_completing(stand_ins):
    queue(stand_ins, "4712|COMPLETING|b", "4713|COMPLETED|c")
    assert SLURM.over(("4711", "4713"))
    assert not SLURM.over(("4711", "4712"))
    stand_ins.add("squeue", "slurm_load_jobs error: Socket timed out", code=1, to=QUEUE)
    assert SLURM.over(("4712",))  # nobody can tell: there is nothing to wait for


NODES = node("n0", "IDLE+CLOUD") + node("n1", "IDLE+CLOUD+POWERED_DOWN") + node("n2", "IDLE", partitions="a,always")


@pytest.mark.parametrize(
    ("config_", "up"),
    [
        (config(resume="(null)"), None),
        (config(), ("n0", "n2")),
        (config(kept="n2"), ("n0",)),
        (config(kept_partitions="other,always"), ("n0",)),
    ],
)
def test_nodes_up_are_those_that_power_saving_would_power_down(stand_ins, config_, up):
    stand_ins.add("scontrol", config_, to="show config")
    stand_ins.add("scontrol", NODES, to="show node")
    assert SLURM.nodes_up() == up


def test_nodes_of_a_slurm_that_does_not_answer_are_unknown(stand_ins):
    assert SLURM.nodes_up() is None
    stand_ins.add("scontrol", config(), to="show config")
    assert SLURM.nodes_up() is None


def test_a_cluster_whose_configuration_is_gone_is_not_waited_for(stand_ins, monkeypatch, tmp_path):
    queue(stand_ins, "4711|RUNNING|a")
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "gone.conf"))
    assert SLURM.cancel(("4711",)) == ("4711",)
    assert SLURM.over(("4711",))
    assert stand_ins.asked == []


def test_a_users_own_settings_of_the_commands_change_nothing(stand_ins, monkeypatch):
    said = {
        "SQUEUE_STATES": "PENDING",
        "SLURM_TIME_FORMAT": "relative",
        "SCANCEL_INTERACTIVE": "1",
        "SLURM_CONF": "/dev/null",
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    spy = Path(os.environ["PATH"]) / "squeue"
    spy.write_text("#!/bin/sh\nexport -p >&1\n")
    spy.chmod(0o755)
    code, text = _ask("squeue")
    assert code == 0
    assert "SLURM_CONF" in text
    assert not [name for name in said if name != "SLURM_CONF" and name in text]


def test_the_version_is_told(stand_ins):
    stand_ins.add("sinfo", "slurm 23.11.4\n")
    assert SLURM.version() == "23.11.4"
    stand_ins.add("sinfo", "slurm-wlm 22.05.8\n")  # Debian's
    assert SLURM.version() == "22.05.8"
    stand_ins.add("sinfo", "")
    assert SLURM.version() is None


def test_without_slurms_commands_nothing_is_known_and_nothing_raised(stand_ins, run_dir):
    assert SLURM.jobs_of(run_dir) == ("4711",)
    assert SLURM.times_of(("4711",)) == (Job(job_id="4711", why=UNTOLD),)
    assert SLURM.cancel(("4711",)) == ("4711",)
    assert SLURM.version() is None


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200) | st.text("SubmitTime=Start:-T0129 \n").map(str.encode), st.sampled_from([0, 1]))
def test_garbage_is_never_raised(stand_ins, run_dir, answer, code):
    for command in ("squeue", "scontrol", "scancel", "sinfo", "sacct"):
        stand_ins.add(command, answer, code)
    assert "4711" in SLURM.jobs_of(run_dir)
    assert all(job.isdigit() for job in SLURM.jobs_of(run_dir))
    assert [job.job_id for job in SLURM.times_of(("4711",))] == ["4711"]
    assert set(SLURM.cancel(("4711",))) <= {"4711"}
    SLURM.version(), SLURM.nodes_up(), SLURM.over(("4711",))


def test_the_supervisors_program_cancels_what_a_killed_run_left(stand_ins, run_dir):
    queue(stand_ins, "4711|RUNNING|parsl.htex.block-0.1")
    stand_ins.add("scancel")
    assert cancel_jobs(submitted_jobs(run_dir, ("LocalProvider", "SlurmProvider"))) == ()
    assert [line for line in stand_ins.asked if line.startswith("scancel")] == ["scancel 4711"]


def test_what_cannot_be_cancelled_is_told_with_what_its_jobs_are_called_and_can_be_tried_again(stand_ins, run_dir):
    (left,) = cancel_jobs(submitted_jobs(run_dir, ("SlurmProvider",)))
    names = ("parsl.htex.block-0.1", "parsl.htex.block-1.2")
    assert left == Left(platform="slurm", job_ids=("4711",), names=names)
    assert cancel_left(left) == ("4711",)
    queue(stand_ins, "4711|RUNNING|parsl.htex.block-0.1")
    stand_ins.add("scancel")
    assert cancel_left(left) == ()
    assert "scancel 4711" in stand_ins.asked


def test_jobs_of_an_old_run_are_known_by_their_names(stand_ins, run_dir):
    queue(stand_ins, "4711|RUNNING|somebody.elses")
    stand_ins.add("squeue", "", to="--name")
    stand_ins.add("scancel")
    assert cancel_jobs(submitted_jobs(run_dir, ("SlurmProvider",)), old=True) == ()
    assert not [line for line in stand_ins.asked if line.startswith("scancel")]


def test_a_local_provider_has_no_cluster_to_ask(stand_ins, run_dir):
    assert platforms_for(("LocalProvider", "AdHocProvider")) == ()
    assert cancel_jobs(submitted_jobs(run_dir, ("LocalProvider",))) == ()

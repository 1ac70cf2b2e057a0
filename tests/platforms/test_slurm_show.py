"""Slurm's texts: what they say counts, what they only expect does not, and what they should not say is not believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.platforms.slurm_show import OVER, accounted, node_names, shown_job, shown_nodes, shown_settings
from tests.platforms.shown import config, job, node


def at(minute, second):
    return datetime.fromisoformat(f"2026-11-21T02:{minute:02}:{second:02}").astimezone(UTC)


def test_a_running_job_has_begun_and_has_no_end_whatever_slurm_expects():
    shown = shown_job(job())
    assert (shown.pending.at, shown.allocated.at, shown.started.at) == (at(28, 0), at(28, 30), at(28, 30))
    assert shown.ended is None
    assert (shown.state, shown.why, shown.nodes) == ("RUNNING", None, "n0")
    assert {stamp.resolution_s for stamp in (shown.pending, shown.allocated, shown.started)} == {1.0}


@pytest.mark.parametrize("state", sorted(OVER))
def test_a_job_that_is_over_has_an_end(state):
    assert shown_job(job(state=state)).ended.at == at(38, 30)


def test_a_job_that_is_not_rid_of_its_nodes_yet_is_not_over():
    assert shown_job(job(state="COMPLETING")).ended is None


def test_the_start_that_slurm_expects_of_a_waiting_job_is_none():
    shown = shown_job(job(state="PENDING", reason="Resources", nodes="(null)"))
    assert (shown.allocated, shown.started, shown.ended, shown.nodes) == (None, None, None, None)
    assert (shown.state, shown.why) == ("PENDING", "Resources")


def test_a_job_cancelled_in_the_queue_never_started_though_slurm_prints_a_start():
    shown = shown_job(job(state="CANCELLED", reason="PartitionDown", nodes=""))
    assert (shown.allocated, shown.started) == (None, None)
    assert shown.ended is not None
    assert shown.why == "PartitionDown"


def test_nodes_that_boot_are_allocated_and_the_job_has_not_started():
    shown = shown_job(job(state="CONFIGURING"))
    assert shown.allocated.at == at(28, 30)
    assert shown.started is None


def test_the_start_after_a_boot_is_apart_from_the_allocation():
    shown = shown_job(job(start="2026-11-21T02:29:10"))
    assert (shown.started.at - shown.allocated.at).total_seconds() == 40


def test_a_requeued_jobs_submit_time_is_not_taken_for_its_first():
    shown = shown_job(job(restarts=2))
    assert (shown.pending, shown.restarts) == (None, 2)


@pytest.mark.parametrize("text", ["Unknown", "None", "N/A", "0001-01-01T00:00:00", "9999-99-99", "1970-01-01T00:00:00"])
def test_what_is_no_time_is_unknown(text):
    assert shown_job(job(start=text)).started is None


def test_a_jobs_name_cannot_pretend_to_be_slurm():
    name = "x JobName=parsl StartTime=2020-01-01T00:00:00 JobState=COMPLETED Reason=Forged NodeList=evil"
    assert shown_job(job(name=name)) == replace(shown_job(job()), name=name)


@pytest.mark.parametrize("reason", ["/home/someone/job.sh", "a@b", "x" * 200, "10.0.0.1"])
def test_a_reason_is_kept_only_in_slurms_own_words(reason):
    assert shown_job(job(reason=reason)).why is None


@pytest.mark.parametrize("nodes", ["-rf", "$(reboot)", "n0;n1", "n" * 20_000])
def test_what_is_no_list_of_nodes_is_none(nodes):
    assert shown_job(job(nodes=nodes)).nodes is None


def test_accounting_tells_of_jobs_that_slurmctld_forgot():
    told = accounted(
        "4711|2026-11-21T02:28:00|2026-11-21T02:28:30|2026-11-21T02:30:00|CANCELLED by 1000|n[0-1]|parsl.htex|0\n"
        "4712|2026-11-21T02:28:00|Unknown|Unknown|PENDING|None assigned|b\n"
        "4713|garbage\n"
    )
    assert list(told) == ["4711", "4712"]
    over, waits = told.values()
    assert (over.pending.at, over.started.at, over.ended.at) == (at(28, 0), at(28, 30), at(30, 0))
    assert (over.state, over.nodes, over.allocated) == ("CANCELLED", "n[0-1]", None)
    assert (over.name, waits.name) == ("parsl.htex|0", "b")
    assert (waits.state, waits.nodes, waits.started, waits.ended) == ("PENDING", None, None, None)


@pytest.mark.parametrize(
    ("state", "up"),
    [
        ("IDLE+CLOUD", True),
        ("IDLE+CLOUD+NOT_RESPONDING+POWERING_UP", True),
        ("IDLE+CLOUD+POWERING_DOWN", True),
        ("IDLE*+CLOUD", True),
        ("IDLE+CLOUD+COMPLETING", True),
        ("IDLE+CLOUD+POWERED_DOWN", False),
        ("MIXED+CLOUD", False),
        ("ALLOCATED+CLOUD+POWERING_UP", False),
        ("DOWN+CLOUD+POWERED_DOWN+NOT_RESPONDING", False),
        ("IDLE+DRAIN", False),
    ],
)
def test_a_node_is_up_for_nothing_when_it_is_idle_and_not_powered_down(state, up):
    (shown,) = shown_nodes(node("n0", state))
    assert shown.up_for_nothing is up


def test_settings_that_are_not_set_are_left_out():
    settings = shown_settings(config(kept="n[0-1]"))
    assert settings["ResumeProgram"] == "/etc/slurm/resume"
    assert settings["SuspendExcNodes"] == "n[0-1]"
    assert "SuspendExcParts" not in settings


def test_names_of_nodes_are_names():
    assert node_names("n0\nn1.site.example\n-rf\n$x\n") == ("n0", "n1.site.example")


_TEXT = st.text("JobStateReasonNodeListStartTimeSubmit=:-T0129()[],|+ \n", max_size=300) | st.text(max_size=100)


@given(_TEXT, _TEXT)
def test_garbage_is_never_raised(text, other):
    for garbage in (text, job(start=other, nodes=other, state=text), node(text, other, started=text)):
        shown_job(garbage), shown_nodes(garbage), shown_settings(garbage), node_names(garbage), accounted(garbage)

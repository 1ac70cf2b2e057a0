"""How a Slurm is set: what is taken of it, and that nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.platforms.slurm import SLURM
from perfdb.platforms.slurm_settings import partition_settings, scheduler_settings
from tests.platforms.shown_settings import CONFIG, TOLD, changed, partition

PARTITIONS = partition("small", default=True) + partition("large", nodes=40, cpus=960, tier=2, shared="FORCE:1")
SMALL = {
    "partition.TotalNodes": "3",
    "partition.TotalCPUs": "6",
    "partition.OverSubscribe": "NO",
    "partition.PriorityTier": "1",
}
PERSONAL = ("someone", "dbhost01", "login01", "10.9.8.7", "fakecluster", "/", "physics", "6817", "6819", "n[")


def values_of(settings: dict[str, str]) -> str:
    """All values, but for the one slash between the kind of a plugin and its name."""
    return " ".join(value.replace("/", " ", 1) for value in settings.values())


def test_what_may_move_a_number_is_taken_by_slurms_own_names():
    assert scheduler_settings(CONFIG) == TOLD


def test_no_host_user_path_address_or_port_is_taken():
    found = values_of({**scheduler_settings(CONFIG), **partition_settings(PARTITIONS, [None, "large"])})
    assert [word for word in PERSONAL if word in found] == []


def test_power_savings_times_count_only_where_something_powers_nodes_up():
    found = scheduler_settings(changed("ResumeProgram", "(null)"))
    assert found == {n: v for n, v in TOLD.items() if not n.startswith(("Resume", "Suspend"))}


def test_the_order_of_options_is_none_of_the_scheduler():
    other = changed("SchedulerParameters", "permit_job_expansion,bf_interval=1,sched_interval=1,batch_sched_delay=0")
    assert scheduler_settings(other) == TOLD


def test_of_an_options_odd_value_no_more_is_taken_than_that_there_is_one():
    found = scheduler_settings(
        changed("SchedulerParameters", "defer,bf_window=2880,x=login01,y=/home/a,bf_hetjob_prio=min")
    )
    assert found["SchedulerParameters"] == "bf_hetjob_prio=min,bf_window=2880,defer,x=?,y=?"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SelectType", "/opt/fake/select.so"),
        ("SchedulerType", "login01.fake.invalid"),
        ("SelectTypeParameters", "../CR_CPU"),
        ("KillWait", "5 sec on login01"),
        ("SuspendTime", "someone@login01"),
        ("ResumeTimeout", "10.9.8.7"),
        ("TopologyPlugin", "\x1b[31mtopology/none"),
        ("PriorityType", "priority/" + "x" * 1000),
        ("SchedulerParameters", "/etc/fake,login01.fake.invalid,a b"),
    ],
)
def test_a_value_of_another_shape_than_slurms_is_left_out(name, value):
    assert scheduler_settings(changed(name, value)) == {n: v for n, v in TOLD.items() if n != name}


def test_the_default_partition_is_meant_where_none_is_named():
    assert partition_settings(PARTITIONS, [None]) == SMALL
    assert partition_settings(PARTITIONS, ["small"]) == SMALL


def test_of_several_partitions_each_ones_value_is_told_in_order():
    found = partition_settings(PARTITIONS, ["large,small", None])
    assert found == {
        "partition.TotalNodes": "40, 3",
        "partition.TotalCPUs": "960, 6",
        "partition.OverSubscribe": "FORCE:1, NO",
        "partition.PriorityTier": "2, 1",
    }


@pytest.mark.parametrize("names", [["gone"], ["<user>"], []])
def test_a_partition_that_is_not_there_tells_nothing(names):
    assert partition_settings(PARTITIONS, names) == {}


def test_a_partitions_odd_value_is_left_out():
    assert "partition.TotalNodes" not in partition_settings(partition("p", default=True, nodes="login01"), [None])


@given(st.text() | st.text("SchedulerTyp=/ed \n,0[]").map(lambda text: f"{CONFIG}{text}"))
def test_from_any_text_comes_short_printable_text_without_a_path(text):
    found = {**scheduler_settings(text), **partition_settings(text, [None, "a"])}
    assert all(value.isprintable() and value.isascii() and value for value in found.values())
    assert "/" not in values_of(found)


def test_a_slurm_that_does_not_answer_is_asked_once_and_tells_nothing(stand_ins):
    stand_ins.add("scontrol", "", 1)
    assert SLURM.settings([None]) == {}
    assert stand_ins.asked == ["scontrol show config"]


def test_without_its_partitions_a_slurm_still_tells_its_settings(stand_ins):
    stand_ins.add("scontrol", CONFIG, to="show config")
    assert SLURM.settings([None]) == TOLD
    stand_ins.add("scontrol", PARTITIONS, to="show partition")
    assert SLURM.settings([None]) == {**TOLD, **SMALL}

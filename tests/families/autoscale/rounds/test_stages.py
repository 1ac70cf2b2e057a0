"""Stages: never negative, never more or less than the whole, and each in its own place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.autoscale.judge.checks import total_s
from perfdb.families.autoscale.milestones import CHAIN, MILESTONES
from perfdb.families.autoscale.rounds.answers import read_answers
from perfdb.families.autoscale.rounds.chain import read_round
from perfdb.families.autoscale.rounds.stages import Told, known_causes, out_of_order, stages
from tests.families.autoscale.planted import COLD, LATER_S, Planted

instants = st.dictionaries(st.sampled_from(list(MILESTONES)), st.none() | st.floats(-1e4, 1e4), min_size=1)


def read(planted: Planted, powers: bool = True):
    run = planted.run()
    return read_round(planted.kind, planted.number, read_answers(run.log.stdout), run.jobs, powers)


@given(instants)
def test_stages_are_never_negative_and_add_up_to_the_latest_milestone_whatever_is_missing(told):
    there = [told[m.name] for m in CHAIN if told.get(m.name) is not None]
    taken = stages(told)
    assert all(value >= 0 for value in taken.values())
    assert sum(taken.values()) == pytest.approx(max(there) - there[0] if there else 0.0, abs=1e-6)


@given(instants, st.integers(-1000, 1000))
def test_no_stage_moves_when_all_clocks_do(told, by):
    whole = {name: None if at is None else float(round(at)) for name, at in told.items()}
    moved = {name: None if at is None else at + by for name, at in whole.items()}
    assert stages(moved) == stages(whole)


def test_what_has_nothing_to_wait_for_takes_no_time_and_what_nobody_tells_is_part_of_the_next():
    assert stages({"task_submitted": 0.0, "job_allocated": 2.0, "node_booted": None, "script_started": 3.0}) == {
        "job_allocated": 2.0,
        "node_booted": 0.0,
        "script_started": 1.0,
    }


def test_a_milestone_that_fell_before_an_earlier_one_adds_nothing():
    assert stages(
        {
            "task_submitted": 0.0,
            "submit_returned": 2.0,
            "job_pending": 1.5,
            "job_allocated": 1.75,
            "script_started": 4.0,
        }
    ) == {
        "submit_returned": 2.0,
        "job_pending": 0.0,
        "job_allocated": 0.0,
        "script_started": 2.0,
    }


@pytest.mark.parametrize("later", [name for name in COLD if name != "job_pending"])
def test_three_seconds_planted_in_a_stage_are_found_in_that_one_alone(later):
    before, after = (read(Planted(stages=planted)) for planted in (COLD, {**COLD, later: COLD[later] + 3}))
    for node, (old, new) in enumerate(zip(before.acquisitions, after.acquisitions, strict=True)):
        was, now = (stages({n: t.at if t else None for n, t in a.milestones.items()}) for a in (old, new))
        assert was == pytest.approx({**COLD, "job_allocated": COLD["job_allocated"] + LATER_S * node}, abs=1e-5)
        moved = {name: now[name] - was[name] for name in now}
        assert moved == pytest.approx({name: 3.0 if name == later else 0.0 for name in COLD}, abs=1e-5)
        assert total_s(new) == pytest.approx(new.clocked_total_s, abs=1e-5)


def told(**at):
    return {name: None if when is None else Told(when, 0.0, "") for name, when in at.items()}


def test_an_effect_before_its_cause_is_out_of_order():
    found = out_of_order(told(pool_started=5.0, manager_registered=4.0, first_task_started=6.0), several_nodes=False)
    assert list(found) == [("manager_registered", "pool_started", 1.0)]


def test_the_cause_of_a_cause_that_nobody_told_counts_in_its_place():
    chain = told(job_allocated=9.0, power_up_asked=None, node_booted=None, first_task_started=8.0)
    assert known_causes("first_task_started", chain, several_nodes=False) == {"job_allocated"}
    assert list(out_of_order(chain, several_nodes=False)) == [("first_task_started", "job_allocated", 1.0)]


def test_the_script_of_a_job_of_several_nodes_may_run_before_all_of_them_are_up():
    chain = told(job_allocated=1.0, node_booted=5.0, script_started=4.0)
    assert list(out_of_order(chain, several_nodes=False)) == [("script_started", "node_booted", 1.0)]
    assert list(out_of_order(chain, several_nodes=True)) == []


@pytest.mark.parametrize(
    ("resolution_s", "within_s", "apart_s", "faults"),
    [(0.4, 0.04, 0.0, 1), (0.6, 0.0, 0.0, 0), (0.4, 0.06, 0.0, 0), (0.0, 0.0, 0.6, 0)],
)
def test_resolution_and_uncertainty_of_the_clocks_are_granted(resolution_s, within_s, apart_s, faults):
    chain = {
        "node_booted": Told(5.0, 0.0, "", within_s),
        "script_started": Told(4.5, resolution_s, "", within_s),
    }
    assert len(list(out_of_order(chain, False, apart_s))) == faults


def test_every_cause_is_a_milestone_and_no_chain_of_causes_ends_in_itself():
    for milestone in CHAIN:
        assert set(milestone.causes) <= set(MILESTONES)
        assert milestone.name not in known_causes(milestone.name, {}, several_nodes=False)

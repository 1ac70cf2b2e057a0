"""One round joined from what three clocks say of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.autoscale.rounds.answers import read_answers
from perfdb.families.autoscale.rounds.chain import _union_s, read_round
from perfdb.platforms import Job
from tests.families.autoscale.planted import COLD, WARM, ZERO, Planted, by_scheduler, child, pseudonym


def read(planted: Planted, answers=None, jobs=None, powers=True):
    said = child("02-cold-1", planted.answers() if answers is None else answers)
    told = planted.jobs() if jobs is None else jobs
    return read_round(planted.kind, planted.number, read_answers(said.log.stdout), told, powers)


def at(acquired, name):
    return acquired.milestones[name].at - ZERO


def test_nodes_are_counted_in_the_order_in_which_they_began_to_work():
    answers = Planted().answers()
    for answer in answers:
        if answer["kind"] == "task" and answer["block"] == "2":
            answer["started"] = [s - 5 for s in answer["started"]]
    assert [(a.ordinal, a.block) for a in read(Planted(), answers).acquisitions] == [(1, "2"), (2, "0"), (3, "1")]


def test_every_milestone_of_a_cold_node_is_where_it_was():
    first, second, _ = read(Planted()).acquisitions
    reached = 0.0
    for name, taken in COLD.items():
        reached += taken
        if name != "job_pending":
            assert at(first, name) == pytest.approx(reached, abs=1e-5)
    assert at(first, "job_pending") == pytest.approx(2.1875, abs=1e-5)
    assert at(second, "first_task_started") - at(first, "first_task_started") == pytest.approx(0.5)
    assert first.clocked_total_s == pytest.approx(sum(COLD.values()))
    assert first.booted is True


def test_a_node_that_was_up_had_nothing_to_wait_for():
    (node, *_) = read(Planted("warm", stages=WARM)).acquisitions
    assert node.milestones["power_up_asked"] is None
    assert node.milestones["node_booted"] is None
    assert node.booted is False


def test_where_nodes_are_not_powered_nobody_says_whether_one_booted():
    (node, *_) = read(Planted(stages=WARM, kind="warm"), powers=False).acquisitions
    assert "node_booted" not in node.milestones
    assert node.booted is None


def test_a_job_that_the_scheduler_forgot_tells_nothing():
    (node, *_) = read(Planted(), jobs=tuple(Job(job_id=str(100 + n)) for n in range(3))).acquisitions
    assert node.booted is None
    assert set(node.milestones) == set(COLD) - {"job_pending", "job_allocated", "power_up_asked", "node_booted"} | {
        "task_submitted"
    }


def test_of_a_job_with_several_nodes_each_has_its_own_boot():
    answers = Planted(nodes=2).answers()
    for answer in answers:
        if answer["kind"] == "begin":
            answer["nodes_per_block"] = 2
        if answer["kind"] in ("task", "registered"):
            answer["block"] = "0"
    one, two = Planted(nodes=2).jobs()
    names = (pseudonym("node0"), pseudonym("node1"))
    boots = tuple(b.model_copy(update={"node": n}) for n, b in zip(names, (*one.boots, *two.boots), strict=True))
    both = one.model_copy(update={"nodes": names, "boots": boots})
    first, second = read(Planted(nodes=2), answers, (both,)).acquisitions
    assert at(second, "node_booted") - at(first, "node_booted") == pytest.approx(0.5)
    # The one that needed no boot had nothing to wait for.
    (up, _) = read(Planted(nodes=2), answers, (both.model_copy(update={"boots": boots[1:]}),)).acquisitions
    assert up.booted is False
    # By real names nobody knows which was which.
    real = both.model_copy(update={"nodes": ("n0", "n1"), "boots": (*one.boots, *two.boots)})
    unknown, _ = read(Planted(nodes=2), answers, (real,)).acquisitions
    assert unknown.booted is None
    assert "node_booted" not in unknown.milestones


@pytest.mark.parametrize("ahead_s", [-40.0, -0.03, 0.0, 0.05, 3600.0])
def test_a_node_whose_clock_is_off_has_its_milestones_where_they_were(ahead_s):
    near = read(Planted(ahead_s=ahead_s)).acquisitions
    for node, ours in zip(near, read(Planted()).acquisitions, strict=True):
        for name, told in ours.milestones.items():
            assert node.milestones[name].at == pytest.approx(told.at, abs=1e-5)
    assert near[0].milestones["first_task_started"].within_s == 0.001
    assert near[0].milestones["job_allocated"].within_s == 0.0


def test_a_host_of_another_boot_that_was_never_compared_is_named():
    answers = [a for a in Planted(ahead_s=0.0).answers() if a["kind"] != "offset"]
    assert read(Planted(), answers).clocks.uncompared == sorted(pseudonym(f"host{n}") for n in range(3))
    assert read(Planted()).clocks.uncompared == []


def test_the_seed_took_completion_for_start_and_each_tasks_own_submission():
    first, second, _ = read(Planted()).acquisitions
    total = sum(COLD.values())
    assert first.seed_s == pytest.approx(total + 0.125, abs=1e-5)
    assert second.seed_s == pytest.approx(total + 0.5 + 0.125 - 1 / 1024, abs=1e-5)


def test_a_node_whose_tasks_no_loop_gathered_has_no_such_figure():
    answers = [{**a, "gathered": None} if a["kind"] == "task" else a for a in Planted().answers()]
    assert [a.seed_s for a in read(Planted(), answers).acquisitions] == [None] * 3


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 10)), max_size=8))
def test_seconds_in_which_several_tasks_ran_count_once(spans):
    busy = {second for begin, length in spans for second in range(begin, begin + length)}
    assert _union_s([(float(begin), float(begin + length)) for begin, length in spans]) == len(busy)


def test_a_block_that_never_came_up_tells_how_far_it_came():
    answers = [a for a in Planted().answers() if a.get("block") != "1" or a["kind"] == "block"]
    jobs = list(Planted().jobs())
    jobs[1] = Job(job_id="101", pending=jobs[1].pending, state="PENDING", why="PartitionDown")
    _, life, _ = read(Planted(), answers, tuple(jobs)).blocks
    assert (life.missing, life.registered) == (1, 0)
    assert list(life.milestones) == ["task_submitted", "scale_out_decided", "submit_returned", "job_pending"]
    assert life.allocated.seconds == 0.0


def test_a_block_that_registered_and_ran_nothing_is_missing_and_registered():
    answers = [a for a in Planted().answers() if a.get("block") != "1" or a["kind"] != "task"]
    _, life, _ = read(Planted(), answers).blocks
    assert (life.missing, life.registered) == (1, 1)
    assert life.milestones["manager_registered"].at == Planted().instants(1)["manager_registered"]


def test_a_script_speaks_for_a_block_whose_workers_never_came():
    answers = [a for a in Planted().answers() if a.get("block") != "1" or a["kind"] == "block"]
    answers.append({"kind": "script", "job": "101", "started": ZERO + 6, "python": "", "parsl": ""})
    assert read(Planted(), answers).blocks[1].milestones["script_started"].at == ZERO + 6


def test_a_block_that_was_refused_was_granted_nothing():
    answers = Planted().answers()
    for answer in answers:
        if answer["kind"] == "block" and answer["block"] == "2":
            answer |= {"job": None, "trouble": "sbatch: error: invalid partition"}
    life = read(Planted(), answers).blocks[2]
    assert "submit_returned" not in life.milestones
    assert life.allocated.seconds == 0.0


def test_without_a_scheduler_a_block_is_held_from_its_submission_to_its_cancellation():
    planted = Planted(batch=False)
    (life, *_) = read(planted, powers=False).blocks
    last = planted.instants(2)["result_received"]
    assert life.allocated.seconds == pytest.approx(last + 10.25 - planted.instants(0)["submit_returned"], abs=1e-5)


def test_nodes_on_which_no_pool_was_started_are_held_all_the_same():
    jobs = Planted().jobs()
    (alone, *_) = read(Planted(), jobs=jobs).blocks
    (double, *_) = read(Planted(), jobs=(jobs[0].model_copy(update={"nodes": ("n0", "n9")}), *jobs[1:])).blocks
    assert double.allocated.seconds == 2 * alone.allocated.seconds


def test_where_the_scheduler_forgot_when_it_began_nobody_knows_how_long_it_held_a_node():
    jobs = tuple(job.model_copy(update={"allocated": None, "started": None}) for job in Planted().jobs())
    for state, seconds in (("CANCELLED", 0.0), ("COMPLETED", None)):
        told = tuple(job.model_copy(update={"state": state}) for job in jobs)
        held = read(Planted(), jobs=told).blocks[0].allocated
        assert (held.seconds if held else None) == seconds


def test_a_block_belongs_to_the_scale_out_before_it():
    answers = Planted(nodes=2).answers()
    again = {"kind": "scale_out", "count": 1, "at": [ZERO + 2.2, 1002.2]}
    answers.insert(0, again)
    for answer in answers:
        if answer["kind"] == "block" and answer["block"] == "1":
            answer["called"], answer["returned"] = [ZERO + 2.3, 1002.3], [ZERO + 2.4, 1002.4]
    first, second = read(Planted(nodes=2), answers).blocks
    assert first.milestones["scale_out_decided"].at == ZERO + 2
    assert second.milestones["scale_out_decided"].at == pytest.approx(ZERO + 2.2, abs=1e-5)


def test_a_manager_is_there_once_it_first_registers_and_a_block_given_up_once_first_cancelled():
    answers = Planted().answers()
    later = [{**a, "at": a["at"] + 9} for a in answers if a["kind"] == "registered"]
    again = [{**a, "called": [s + 9 for s in a["called"]]} for a in answers if a["kind"] == "cancelled"]
    once, twice = read(Planted()), read(Planted(), [*answers, *later, *again])
    assert twice.acquisitions == once.acquisitions
    assert twice.blocks == once.blocks


def test_times_of_one_second_resolution_are_kept_as_such():
    coarse = tuple(job.model_copy(update={"pending": by_scheduler(ZERO + 2, 1.0)}) for job in Planted().jobs())
    assert read(Planted(), jobs=coarse).acquisitions[0].milestones["job_pending"].resolution_s == 1.0


def test_a_round_that_had_not_begun_is_empty():
    empty = read(replace(Planted(), nodes=1), [], ())
    assert (empty.submitted, empty.acquisitions, empty.blocks, empty.end) == (None, (), (), None)


def test_a_node_asked_for_its_clock_after_its_tasks_is_idle_from_then_on():
    answers = Planted(ahead_s=3.0).answers()
    host = pseudonym("host1")
    late = ZERO + 40.0
    asked = {
        "kind": "clock_asked",
        "block": "1",
        "pool": "pool1",
        "host": host,
        "boot": host,
        "ended": [late + 3.0, 5.0],
    }
    before, after = read(Planted(ahead_s=3.0), answers), read(Planted(ahead_s=3.0), [*answers, asked])
    ends = {a.block: a.last_task_ended.at - ZERO for a in after.acquisitions}
    assert ends["1"] == pytest.approx(40.0, abs=1e-5)
    assert {b: e for b, e in ends.items() if b != "1"} == {
        a.block: a.last_task_ended.at - ZERO for a in before.acquisitions if a.block != "1"
    }
    assert [a.used_s for a in after.acquisitions] == [a.used_s for a in before.acquisitions]

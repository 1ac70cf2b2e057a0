"""Checks: each fails for its own fault, and for no other one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.autoscale.assemble import assemble
from perfdb.families.autoscale.spec import AutoscaleSpec
from perfdb.platforms import Job
from perfdb.processes.log import Exit
from tests.families.autoscale.planted import COLD, WARM, ZERO, Planted, by_scheduler, child, nodes_run, pseudonym, setup

SPEC = AutoscaleSpec(rounds=1)
CHECKS = [
    "every_round_complete",
    "nodes_as_claimed",
    "every_block_registered",
    "stages_in_order",
    "stages_add_up",
    "clocks_agree",
    "tasks_waited",
    "nodes_fit",
    "rounds_as_labelled",
]


def failed(cold=None, warm=None, provider="SlurmProvider", spec=SPEC):
    """The details of the failed checks by name, of a run of one cold and one warm round."""
    rounds = [
        run if hasattr(run, "log") else run.run() for run in (cold or Planted(), warm or Planted("warm", stages=WARM))
    ]
    measured = assemble(spec, setup(provider), [nodes_run(), *rounds])
    assert [check.name for check in measured.checks] == CHECKS
    found = {check.name: check.detail for check in measured.checks if not check.passed}
    assert measured.status == ("invalid" if found else "ok")
    assert all(detail in measured.reason for detail in found.values())
    return found


def changed(planted, change, jobs=None, keep=lambda _: True):
    """That round with its answers changed."""
    answers = [answer for answer in planted.answers() if keep(answer)]
    for answer in answers:
        change(answer)
    return child(f"02-{planted.kind}-1", answers, planted.jobs() if jobs is None else jobs)


def test_a_sound_run_passes_all_of_them():
    assert failed() == {}


def test_tasks_on_fewer_nodes_than_claimed_are_told_however_many_blocks_were_granted():
    def same_node(answer):
        if answer["kind"] == "task":
            answer["node"] = "a" * 12

    found = failed(changed(Planted(), same_node))
    assert list(found) == ["nodes_as_claimed"]
    assert found["nodes_as_claimed"] == "cold-1: tasks ran on 1 distinct nodes, 3 are claimed"


def test_on_one_host_a_worker_pool_stands_for_a_node():
    def same_node(answer):
        if answer["kind"] == "task":
            answer["node"] = "a" * 12

    cold = changed(Planted(batch=False), same_node, ())
    measured = assemble(SPEC, setup("LocalProvider"), [nodes_run(), cold])
    assert measured.status == "ok"
    assert "one_node_did_all" not in {finding.name for finding in measured.findings}


def test_more_nodes_than_claimed_are_no_measurement_of_that_many():
    assert list(failed(Planted(nodes=4))) == ["nodes_as_claimed"]


def test_a_milestone_before_its_cause_is_told_with_both_names():
    def early(answer):
        if answer["kind"] == "registered" and answer["block"] == "1":
            answer["at"] -= 5.0

    found = failed(changed(Planted(), early))
    assert list(found) == ["stages_in_order"]
    assert "cold-1, node 2: manager_registered is told to be 3.500 s before pool_started" in found["stages_in_order"]


def test_stages_that_do_not_add_up_to_the_monotonic_total_are_told():
    assert failed(Planted(step_s=0.0009)) == {}
    found = failed(Planted(step_s=0.0011))
    assert list(found) == ["stages_add_up"]
    assert (
        "cold-1, node 1: the stages add up to 13.313600 s, and the total by the monotonic clock is 13.312500 s"
        in found["stages_add_up"]
    )


def test_a_clock_that_stepped_back_does_not_add_up_either():
    assert "stages_add_up" in failed(Planted(step_s=-0.5))


@pytest.mark.parametrize(("ahead_s", "fine"), [(0.09, True), (-0.09, True), (0.1, False), (-30.0, False)])
def test_a_host_whose_clock_is_off_beyond_the_bound_makes_a_run_invalid(ahead_s, fine):
    found = failed(Planted(ahead_s=ahead_s))
    assert list(found) == ([] if fine else ["clocks_agree"])
    assert fine or f"{ahead_s:+.4f} ± 0.0010 s" in found["clocks_agree"]


def test_the_bound_is_the_one_that_was_asked_for():
    assert failed(Planted(ahead_s=-30.0), spec=AutoscaleSpec(rounds=1, clock_offset_s=31)) == {}


@given(st.sampled_from([-1, 1]), st.floats(3.0, 1e4))
def test_an_offset_that_is_told_wrong_fails_a_check(sign, wrong_s):
    # The clocks agree by what is told; what happened cannot have been when they say.
    spec = AutoscaleSpec(rounds=1, clock_offset_s=20_000)
    assert failed(Planted(ahead_s=0.0, told_ahead_s=sign * wrong_s), spec=AutoscaleSpec(rounds=1))
    bounded = assemble(spec, setup(), [nodes_run(), Planted(ahead_s=0.0, told_ahead_s=sign * wrong_s).run()])
    in_order = {check.name: check.passed for check in bounded.checks}
    assert in_order["clocks_agree"]
    assert not in_order["stages_in_order"] or not in_order["stages_add_up"]


def test_a_host_whose_clock_was_never_compared_makes_a_run_invalid():
    found = failed(changed(Planted(ahead_s=0.0), lambda _: None, keep=lambda a: a["kind"] != "offset"))
    assert list(found) == ["clocks_agree"]
    assert "was never compared" in found["clocks_agree"]


@pytest.mark.parametrize("scheduler_s", [-0.5, 0.5])
def test_a_scheduler_whose_clock_is_off_makes_a_run_invalid(scheduler_s):
    found = failed(Planted(scheduler_s=scheduler_s))
    assert "by the scheduler's clock it took block 0" in found["clocks_agree"]


def test_times_of_a_second_are_no_sign_of_a_wrong_clock():
    jobs = tuple(
        job.model_copy(update={"pending": by_scheduler(float(int(job.pending.at.timestamp())), 1.0)})
        for job in Planted().jobs()
    )
    assert failed(changed(Planted(), lambda _: None, jobs)) == {}


def test_a_block_that_never_registered_is_named_with_how_far_it_came_and_why():
    planted = Planted()
    jobs = list(planted.jobs())
    jobs[1] = Job(job_id="101", pending=jobs[1].pending, state="PENDING", why="PartitionDown")
    run = changed(planted, lambda _: None, tuple(jobs), keep=lambda a: a.get("block") != "1" or a["kind"] == "block")
    found = failed(run)
    assert set(found) == {"every_block_registered", "nodes_as_claimed"}
    assert (
        found["every_block_registered"]
        == "cold-1: block 1 came as far as job_pending, its job is PENDING (PartitionDown)"
    )


def test_a_block_that_registered_and_ran_no_task_is_no_censored_one_but_a_node_too_few():
    run = changed(Planted(), lambda _: None, keep=lambda a: a.get("block") != "1" or a["kind"] != "task")
    assert set(failed(run)) == {"nodes_as_claimed"}


def test_a_cold_round_that_found_a_node_up_is_not_one():
    jobs = list(Planted().jobs())
    jobs[2] = jobs[2].model_copy(update={"boots": ()})
    found = failed(changed(Planted(), lambda _: None, tuple(jobs)))
    assert found == {"rounds_as_labelled": "cold-1, node 3 was up already"}


def test_where_there_are_warm_rounds_a_cold_one_that_nobody_saw_boot_is_not_one():
    unbooted = tuple(job.model_copy(update={"boots": ()}) for job in Planted().jobs())
    assert set(failed(changed(Planted(), lambda _: None, unbooted))) == {"rounds_as_labelled"}


def test_a_warm_round_that_had_to_boot_a_node_is_not_one():
    warm = Planted("warm", stages=COLD)
    found = failed(None, changed(warm, lambda _: None, Planted().jobs()))
    assert set(found) == {"rounds_as_labelled"}
    assert found["rounds_as_labelled"].startswith("warm-1, node 1 was powered up for it")


def test_a_task_that_failed_leaves_its_round_incomplete():
    planted = Planted()
    lost = {"kind": "task_failed", "task": 9, "trouble": "the manager was lost", "received": [ZERO + 9, 1009.0]}
    run = child("02-cold-1", [*planted.answers(), lost], planted.jobs())
    assert set(failed(run)) == {"every_round_complete"}


def test_a_child_that_fell_over_after_its_last_word_leaves_its_round_incomplete():
    assert set(failed(Planted().run(Exit(60.0, 1, "ended")))) == {"every_round_complete"}


def test_a_thousand_faults_are_told_in_a_paragraph():
    spec = AutoscaleSpec(rounds=1, blocks=1000)
    cold, warm = (Planted(kind, nodes=1000, ahead_s=-300.0, scheduler_s=9.0) for kind in ("cold", "warm"))
    measured = assemble(spec, setup(), [nodes_run(1000), cold.run(), warm.run()])
    assert measured.status == "invalid"
    assert all(len(check.detail) <= 2000 for check in measured.checks)
    assert any(check.detail.endswith("and 3995 more") for check in measured.checks)


def test_a_node_that_had_to_wait_for_a_task_is_told_for_that_wait_is_ours():
    def later(answer):
        if answer["kind"] == "submitted" and answer["task"] == 1:
            answer["at"] = [
                at + 8.6 for at in answer["at"]
            ]  # COLD's second node registered 8 s after the first submission

    (name, detail), *others = failed(changed(Planted(), later)).items()
    assert (name, others) == ("tasks_waited", [])
    assert "cold-1, node 2: its manager was there for" in detail


@pytest.mark.parametrize(
    ("what", "value", "told"),
    [
        ("python", "CPython 3.12.1", "cold-1, node 3 runs CPython 3.12.1, the submit host CPython 3.11.7"),
        ("parsl", "2025.1.6", "cold-1, node 3 has Parsl 2025.1.6, the submit host 2026.10.26"),
        ("sees_run_dir", False, "cold-1, node 3 does not see the run folder"),
    ],
)
def test_a_node_that_never_reported_and_does_not_fit_is_told_by_its_tasks(what, value, told):
    def other(answer):
        if answer["kind"] == "task" and answer["block"] == "2":
            answer[what] = value

    assert failed(changed(Planted(), other)) == {"nodes_fit": told}


def test_a_platform_without_shared_folders_needs_none():
    def blind(answer):
        if answer["kind"] == "task":
            answer["sees_run_dir"] = False

    warm = changed(Planted("warm", stages=WARM), blind)
    assert "nodes_fit" not in failed(changed(Planted(), blind), warm, provider="KubernetesProvider")


def test_a_pool_that_began_anew_on_its_node_is_no_second_node():
    def again(answer):
        if answer["kind"] == "task" and answer["task"] == 3:
            answer["pool"] = "pool0-again"

    assert failed(changed(Planted(), again)) == {
        "nodes_as_claimed": "cold-1: 4 worker pools ran tasks on 3 nodes",
    }


def test_where_nodes_are_powered_a_round_of_which_nobody_tells_is_not_labelled():
    silent = tuple(Job(job_id=str(100 + n)) for n in range(3))
    found = failed(None, changed(Planted("warm", stages=WARM), lambda _: None, silent))
    assert "warm-1, node 1: nobody told whether it was powered up for it" in found["rounds_as_labelled"]


def test_hosts_of_one_name_are_told_apart_by_their_boots():
    """Two images of one name: each has a clock of its own, and each is compared."""

    def renamed(answer):
        if answer["kind"] in ("task", "offset"):
            answer["host"] = "f" * 12

    assert failed(changed(Planted(ahead_s=0.05), renamed)) == {}

    def one_off(answer):
        renamed(answer)
        if answer["kind"] == "offset" and answer["boot"] == pseudonym("host1"):
            answer["ahead_s"] = 30.0

    assert "clocks_agree" in failed(changed(Planted(ahead_s=0.05), one_off))

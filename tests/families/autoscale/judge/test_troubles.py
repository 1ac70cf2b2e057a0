"""What a record says of jobs whose scheduler falls silent, of nodes that die at work, and of those that are not given back."""

from __future__ import annotations

from perfdb.families.autoscale import FAMILY
from perfdb.families.autoscale.spec import AutoscaleSpec
from perfdb.families.base import ChildRun, Measurements
from perfdb.platforms import Job
from perfdb.platforms.base import UNTOLD
from perfdb.processes.log import Exit
from tests.families.autoscale.planted import WARM, ZERO, Planted, child, nodes_run, setup, stamp


def with_cold(run: ChildRun) -> Measurements:
    """Of a run whose one cold round went like that, and whose warm one is fine."""
    return FAMILY.assemble(AutoscaleSpec(rounds=1), setup(), [nodes_run(), run, Planted("warm", 1, WARM).run()])


def test_a_scheduler_that_no_longer_answers_is_told_with_the_blocks_in_question() -> None:
    answers = [answer for answer in Planted().answers() if answer["kind"] not in ("end", "cancelled")]
    end = {"kind": "end", "outcome": "all", "trouble": "3 blocks were not scaled in within 9 s", "at": stamp(ZERO + 60)}
    untold = tuple(Job(job_id=job.job_id, why=UNTOLD) for job in Planted().jobs())
    measured = with_cold(child("02-cold-1", [*answers, end], untold, Exit(9.0, 0, "ended")))
    assert measured.status == "invalid"
    assert "the batch system told nothing of the jobs of blocks 0, 1, 2" in (measured.reason or "")


def test_a_block_that_registered_and_ran_nothing_is_told_with_the_state_of_its_job() -> None:
    answers = [
        answer
        for answer in Planted().answers()
        if answer["kind"] != "end" and not (answer["kind"] == "task" and answer["block"] == "1")
    ]
    end = {"kind": "end", "outcome": "timeout", "trouble": "2 of 3 nodes ran a task", "at": stamp(ZERO + 60)}
    first, second, third = Planted().jobs()
    jobs = (first, second.model_copy(update={"state": "NODE_FAIL"}), third)
    measured = with_cold(child("02-cold-1", [*answers, end], jobs, Exit(9.0, 0, "ended")))
    assert "block 1 came as far as manager_registered, its job is NODE_FAIL, a node failed" in (measured.reason or "")
    assert (measured.reason or "").count("NODE_FAIL") == 1


def test_a_job_that_was_cancelled_and_is_not_over_is_a_finding() -> None:
    first, *others = Planted().jobs()
    held = first.model_copy(update={"state": "COMPLETING", "ended": None})
    measured = with_cold(child("02-cold-1", Planted().answers(), (held, *others)))
    (finding,) = [found for found in measured.findings if found.name == "nodes_not_given_back"]
    assert finding.value == "1"
    assert "cold-1: the job of block 0 was still COMPLETING" in finding.evidence


def test_jobs_that_are_over_are_no_such_finding() -> None:
    measured = with_cold(child("02-cold-1", Planted().answers(), Planted().jobs()))
    assert "nodes_not_given_back" not in {found.name for found in measured.findings}


def test_the_remedy_and_the_blocks_make_one_sentence() -> None:
    answers = [
        {"kind": "begin", **{k: v for k, v in Planted().answers()[0].items() if k != "kind"}},
        {"kind": "block", "block": "0", "job": "100", "called": stamp(ZERO), "returned": stamp(ZERO + 1)},
    ]
    run = child("01-nodes", answers, (Job(job_id="100", state="PENDING", why="PartitionDown"),), Exit(9.0, 1, "ended"))
    measured = FAMILY.assemble(AutoscaleSpec(rounds=1), setup(), [run])
    assert measured.status == "failed"
    assert ".;" not in (measured.reason or "")
    assert "; block 0 came as far as submit_returned, its job is PENDING (PartitionDown)" in (measured.reason or "")

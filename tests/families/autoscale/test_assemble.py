"""From logs to measurements: every way of ending has its status, and says in plain words what happened."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.autoscale import FAMILY
from perfdb.families.autoscale.spec import AutoscaleSpec
from perfdb.platforms import Job
from perfdb.processes.log import Exit, Line
from perfdb.record import Check, Finding
from perfdb.registry.samples import to_parquet
from tests.families.autoscale.planted import COLD, WARM, ZERO, Planted, child, nodes_run, setup, stamp

SPEC = AutoscaleSpec(rounds=2)
WHOLE = [nodes_run(), *(p.run() for n in (1, 2) for p in (Planted(number=n), Planted("warm", n, WARM)))]
BROKE = Exit(3.0, 1, "ended")


def assemble(runs, spec=SPEC, config=None):
    return FAMILY.assemble(spec, config or setup(), runs)


def told(runs, spec=SPEC, config=None):
    measured = assemble(runs, spec, config)
    return measured.status, measured.reason or ""


def findings(measured):
    return {finding.name: finding for finding in measured.findings}


def metric(measured, name):
    return next((m.all_values for m in measured.metrics if m.name == name), None)


def ending(planted, outcome, trouble, keep=lambda _: True, jobs=None, exit_=BROKE):
    """That round, ended another way."""
    said = [answer for answer in planted.answers() if keep(answer) and answer["kind"] not in ("end", "cancelled")]
    end = {"kind": "end", "outcome": outcome, "trouble": trouble, "at": stamp(ZERO + 600)}
    return child(f"02-cold-{planted.number}", [*said, end], planted.jobs() if jobs is None else jobs, exit_)


def test_a_whole_run_is_ok_and_says_what_it_found():
    measured = assemble(WHOLE)
    assert (measured.status, measured.reason) == ("ok", None)
    assert [worker.cpu_count for worker in measured.workers] == [4]
    found = findings(measured)
    assert found["longest_stage"].value == "node_booted"
    assert "node_booted 2.5 s (29%)" in found["longest_stage"].evidence
    assert found["warm_longest_stage"].value == "scale_out_decided"
    assert found["completion_taken_for_start"].value == "+5.187 s"
    assert set(found) == {"longest_stage", "warm_longest_stage", "completion_taken_for_start"}


def test_milestones_that_the_platform_does_not_tell_are_named():
    cold = Planted(batch=False)
    found = findings(assemble([nodes_run(), cold.run()], AutoscaleSpec(rounds=1), setup("LocalProvider")))
    assert found["milestones_not_told"].value == "job_pending, job_allocated, power_up_asked, node_booted"


def test_a_stage_that_is_told_of_some_nodes_only_is_no_stage_of_any():
    """A node that lacks a milestone has its time in the next stage: a mean over both would be of neither."""
    first, *others = Planted().jobs()
    silent = (Job(job_id=first.job_id), *others)
    answers = Planted().answers()
    measured = assemble([nodes_run(), child("02-cold-1", answers, silent), *WHOLE[2:]])
    for name in ("job_pending", "job_allocated", "power_up_asked", "node_booted"):
        assert metric(measured, f"stage_{name}_s") is None
        assert metric(measured, f"warm_stage_{name}_s") is not None
    script = metric(measured, "stage_script_started_s")[0]
    assert script == pytest.approx(
        sum(COLD[m] for m in list(COLD)[2:7]) + 0.5, abs=0.001
    )  # nodes come 0, 0.5, 1 s later
    evidence = findings(measured)["milestones_not_told"].evidence
    assert evidence.startswith("of 6 nodes in cold rounds nobody told job_pending of 1, ")
    assert "rounds_as_labelled" in measured.reason


def test_a_job_that_began_anew_is_a_finding_and_what_it_held_before_is_not_made_up():
    again = tuple(job.model_copy(update={"restarts": n}) for n, job in enumerate(Planted().jobs()))
    measured = assemble([nodes_run(), child("02-cold-1", Planted().answers(), again), *WHOLE[2:]])
    assert measured.status == "ok"
    found = findings(measured)["jobs_requeued"]
    assert found.value == "2"
    assert "cold-1: the job of block 1 1 time; cold-1: the job of block 2 2 times" in found.evidence
    assert len(metric(measured, "node_s_allocated")) == 1  # the other cold round's


def test_a_completion_is_set_against_a_start_of_the_same_nodes():
    """Where the loop never had a result of a node, its round has no mean of them."""
    answers = [{**a, "gathered": None} if a["kind"] == "task" and a["block"] == "2" else a for a in Planted().answers()]
    measured = assemble([nodes_run(), child("02-cold-1", answers, Planted().jobs()), *WHOLE[2:]])
    assert len(metric(measured, "seed_acquisition_s")) == 1
    found = findings(measured)["completion_taken_for_start"]
    assert float(found.value.split()[0]) == pytest.approx(5.187, abs=0.001)  # the task's 5 s, and what the result took
    assert "means over 5 nodes" in found.evidence


def test_one_node_that_did_all_the_work_is_a_finding():
    answers = [{**a, "node": "a" * 12} if a["kind"] == "task" else a for a in Planted().answers()]
    found = findings(assemble([nodes_run(), child("02-cold-1", answers, Planted().jobs())]))
    assert found["one_node_did_all"].value == "cold-1"


def test_walltime_that_ran_out_is_said_in_words():
    jobs = tuple(job.model_copy(update={"state": "TIMEOUT"}) for job in Planted().jobs())
    lost = {"kind": "task_failed", "task": 7, "trouble": "ManagerLost", "received": stamp(ZERO + 9)}
    measured = assemble([nodes_run(), child("02-cold-1", [*Planted().answers(), lost], jobs), *WHOLE[2:]])
    assert measured.status == "invalid"
    assert findings(measured)["jobs_cut_short"].evidence.startswith(
        "cold-1: the job of block 0 is TIMEOUT, its walltime was over"
    )
    assert (
        "cold-1: 1 task gave no result (ManagerLost); the job of block 0 is TIMEOUT: its walltime was over"
        in measured.reason
    )


# Each way of ending.
def test_a_run_without_the_warm_rounds_that_it_should_have_had_was_interrupted_or_worse():
    status, reason = told(WHOLE[:2], AutoscaleSpec(rounds=1))
    assert status == "interrupted"
    assert "1 of 2 rounds" in reason


@pytest.mark.parametrize("count", range(1, 5))
def test_fewer_rounds_than_asked_for_are_an_interruption(count):
    assert told(WHOLE[:count])[0] == "interrupted"


def test_nothing_at_all_is_an_interruption():
    measured = FAMILY.assemble(SPEC, None, [])
    assert (measured.status, measured.metrics, measured.samples) == ("interrupted", (), {})


@pytest.mark.parametrize(
    ("how", "status"),
    [("timeout", "timeout"), ("stopped", "interrupted"), ("abandoned", "interrupted"), ("lost", "interrupted")],
)
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_child_that_did_not_end_by_itself_tells_how(how, status, which):
    cut = replace(WHOLE[which], log=replace(WHOLE[which].log, exit=Exit(7.25, None, how)))
    found, reason = told([*WHOLE[:which], cut])
    assert found == status
    assert f"{cut.log.name} after 7.2 s" in reason


def test_a_time_limit_tells_which_blocks_it_waited_for_and_why():
    job = Job(job_id="101", pending=Planted().jobs()[1].pending, state="PENDING", why="PartitionDown")
    cut = ending(
        Planted(), "all", None, lambda a: a.get("block") != "1" or a["kind"] == "block", (Planted().jobs()[0], job)
    )
    lines = tuple(line for line in cut.log.lines if '"end"' not in line.text)
    status, reason = told(
        [nodes_run(), replace(cut, log=replace(cut.log, lines=lines, exit=Exit(7.0, -15, "timeout")))]
    )
    assert status == "timeout"
    assert "block 1 came as far as job_pending, its job is PENDING (PartitionDown)" in reason


def test_nodes_with_another_python_stop_the_run_with_the_remedy():
    status, reason = told([nodes_run(python="CPython 3.9.1")])
    assert status == "failed"
    assert "worker_init" in reason


def test_nodes_that_never_reported_are_told_with_what_the_scheduler_says():
    begin = Planted().answers()[0]
    block = next(a for a in Planted().answers() if a["kind"] == "block")
    end = {"kind": "end", "outcome": "timeout", "trouble": "0 of 3 nodes ran a task within 600 s", "at": stamp(ZERO)}
    job = Job(job_id="100", state="PENDING", why="PartitionDown")
    status, reason = told([child("01-nodes", [begin, block, end], (job,), BROKE)])
    assert status == "failed"
    assert "0 of 3 nodes" in reason
    assert "its job is PENDING (PartitionDown)" in reason


def test_a_child_that_broke_before_it_asked_for_anything_is_failed_and_its_last_words_are_told():
    broken = child("01-nodes", [], (), BROKE)
    lines = (Line(1.0, "stderr", "ModuleNotFoundError: No module named 'nothing'"),)
    status, reason = told([replace(broken, log=replace(broken.log, lines=lines))])
    assert status == "failed"
    assert "exit code 1; its last words: ModuleNotFoundError: No module named 'nothing'" in reason


def test_a_round_that_broke_is_failed_and_what_was_measured_before_is_kept():
    said = Planted(number=2).answers()[:-1]
    measured = assemble([*WHOLE[:3], child("04-cold-2", said, Planted().jobs(), Exit(5.0, -9, "ended"))])
    assert measured.status == "failed"
    assert "in cold-2 the workload was killed by signal 9" in measured.reason
    assert len(metric(measured, "acquisition_s")) == 2


def test_no_node_at_all_is_failed_and_says_what_the_scheduler_refused():
    def refused(answer):
        return {**answer, "job": None, "trouble": "sbatch: error: invalid partition specified: nope"}

    said = [refused(a) if a["kind"] == "block" else a for a in Planted().answers()]
    none = [a for a in said if a["kind"] in ("begin", "submitted", "scale_out", "block")]
    end = {"kind": "end", "outcome": "bad_state", "trouble": "too many blocks failed", "at": stamp(ZERO + 9)}
    measured = assemble([nodes_run(), child("02-cold-1", [*none, end], (), BROKE)])
    assert measured.status == "failed"
    assert measured.reason.startswith(
        "no node was acquired. cold-1: Parsl gave the executor up (too many blocks failed); block 0 "
    )
    assert "invalid partition" in measured.reason
    assert metric(measured, "censored_blocks") == (3.0,)
    assert set(measured.samples["ordinal"]) == {0}


def test_nodes_that_did_not_come_in_time_make_an_invalid_run_with_the_others_kept():
    jobs = [
        *Planted().jobs()[:2],
        Job(job_id="102", pending=Planted().jobs()[2].pending, state="CONFIGURING", why="None"),
    ]
    short = ending(
        Planted(),
        "timeout",
        "2 of 3 nodes ran a task within 600 s",
        lambda a: a.get("block") != "2" or a["kind"] == "block",
        tuple(jobs),
        Exit(9.0, 0, "ended"),
    )
    measured = assemble([nodes_run(), short, *WHOLE[2:]])
    assert measured.status == "invalid"
    assert (
        "cold-1: not every node had run a task in time (2 of 3 nodes ran a task within 600 s); block 2 came as far as"
        in measured.reason
    )
    assert metric(measured, "acquired_nodes") == (2.0, 3.0)
    assert metric(measured, "censored_blocks") == (1.0, 0.0)


def test_blocks_that_parsl_did_not_give_back_make_an_invalid_run():
    late = ending(Planted(), "all", "3 blocks were not scaled in within 600 s", exit_=Exit(9.0, 0, "ended"))
    status, reason = told([nodes_run(), late, *WHOLE[2:]])
    assert status == "invalid"
    assert "3 blocks were not scaled in" in reason


LINES = [list(run.log.lines) for run in WHOLE]
ENDS = st.sampled_from(["ended", "timeout", "stopped", "abandoned", "lost"])


@given(st.integers(0, len(WHOLE) - 1), st.data())
def test_logs_that_end_anywhere_are_made_the_best_of(last, data):
    count = data.draw(st.integers(0, len(LINES[last])))
    how, code = data.draw(ENDS), data.draw(st.sampled_from([0, 1, -9, None]))
    jobs = WHOLE[last].jobs[: data.draw(st.integers(0, 3))]
    log = replace(WHOLE[last].log, lines=tuple(LINES[last][:count]), exit=Exit(1.0, code, how))
    measured = assemble([*WHOLE[:last], replace(WHOLE[last], log=log, jobs=jobs)])
    whole = last == len(WHOLE) - 1 and count == len(LINES[last]) and how == "ended" and code == 0 and len(jobs) == 3
    if whole:
        assert measured.status == "ok"
    elif how != "ended" or last < len(WHOLE) - 1:
        assert measured.status in ("timeout", "interrupted", "failed", "invalid")
    assert (measured.reason is None) == (measured.status == "ok")
    assert measured.status not in ("ok", "invalid") or measured.metrics
    assert measured.status != "invalid" or not all(check.passed for check in measured.checks)
    assert FAMILY.summarise(measured.samples) == measured.metrics
    if measured.samples:
        to_parquet(measured.samples)


@given(st.data())
def test_answers_that_are_lost_or_doubled_or_mixed_up_raise_nothing(data):
    said = [json.loads(line.text) for line in LINES[1]]
    picked = data.draw(st.lists(st.sampled_from(said), max_size=40))
    changed = [
        {
            **a,
            **{
                k: data.draw(st.sampled_from([a[k], ZERO, 0.0]))
                for k in ("at", "script", "pool_at")
                if isinstance(a.get(k), float)
            },
        }
        for a in picked
    ]
    measured = assemble([WHOLE[0], child("02-cold-1", changed, WHOLE[1].jobs), *WHOLE[2:]])
    for check in measured.checks:
        Check.model_validate(check.model_dump())
    for finding in measured.findings:
        Finding.model_validate(finding.model_dump())
    assert FAMILY.summarise(measured.samples) == measured.metrics


@pytest.mark.parametrize("hostile", ["x" * 2000, "\x1b[31m\u202e" * 300, "</script>" * 200])
def test_whatever_a_block_says_the_record_can_be_written(hostile):
    words = {"kind": "last_words", "block": "1", "text": hostile[:2000]}
    trouble = hostile[:2000]
    said = [a for a in Planted().answers() if a.get("block") not in ("1", "2") or a["kind"] == "block"]
    end = {"kind": "end", "outcome": "timeout", "trouble": trouble, "at": stamp(ZERO + 9)}
    measured = assemble([nodes_run(), child("02-cold-1", [*said[:-1], words, end], Planted().jobs()[:1], BROKE)])
    assert measured.reason.isprintable()
    for check in measured.checks:
        Check.model_validate(check.model_dump())
        assert check.detail.isprintable()


def test_the_family_says_how_many_children_it_takes_at_most():
    assert FAMILY.child_count(SPEC) == len(WHOLE)
    assert set(COLD) <= set(FAMILY.assemble(SPEC, setup(), WHOLE).samples["quantity"])

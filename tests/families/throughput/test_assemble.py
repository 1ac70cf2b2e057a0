"""From logs to measurements: every way of ending has its status, and every number can be checked by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families import ChildRun
from perfdb.families.throughput.assemble import assemble, worker_slots
from perfdb.families.throughput.metrics import HEADLINE, METRICS
from perfdb.families.throughput.spec import ThroughputSpec
from perfdb.platforms import Job, Stamp
from perfdb.processes.log import ChildLog, Exit, Line
from tests.families.throughput.outputs import CLOSING, WHOLE, iteration, lines, rep, setup

SUBMITTED = datetime(2026, 11, 21, 2, 28, tzinfo=UTC)
ONE = ThroughputSpec(reps=1, probe=False)
PROBED = ThroughputSpec(reps=1, probe=True)
ANSWERS = [
    json.dumps({"kind": "worker", "facts": {"pseudonym": "abc", "cpu_count": 4}}),
    json.dumps({"kind": "samples", "mode": "serial", "rows": [[n, n / 10, 0.002] for n in range(100)]}),
    json.dumps({"kind": "samples", "mode": "chain", "rows": [[n, 0.0, 0.004] for n in range(20)]}),
    json.dumps({"kind": "samples", "mode": "burst", "rows": [[n, 0.0, 0.008] for n in range(2)]}),
    json.dumps({"kind": "end"}),
]


def probe(texts=ANSWERS, exit_=Exit(3.0, 0, "ended", 1.0)) -> ChildRun:  # noqa: B008 (frozen)
    return ChildRun(ChildLog("02-probe", None, lines(texts), exit_))


def stamp(seconds) -> Stamp:
    return Stamp(at=SUBMITTED + timedelta(seconds=seconds), resolution_s=1.0, source="test")


def job(job_id, wait_s) -> Job:
    return Job(job_id=job_id, pending=stamp(0), started=None if wait_s is None else stamp(wait_s))


def values(measured, name):
    return next((m.all_values for m in measured.metrics if m.name == name and m.step is None), None)


def told(spec, *runs, config=None):
    measured = assemble(spec, config or setup(), runs)
    return measured.status, measured.reason or ""


def test_one_repetition_gives_numbers_that_can_be_checked_by_hand():
    measured = assemble(ONE, setup(), [rep()])
    assert (measured.status, measured.reason) == ("ok", None)
    assert values(measured, "warm_tasks_per_s") == (pytest.approx(3000 / 10),)
    assert values(measured, "submission_tasks_per_s") == (pytest.approx(3000 / 1.4),)
    assert values(measured, "submission_share") == (pytest.approx(0.14),)
    assert values(measured, "cold_start_s") == (2.0,)
    assert values(measured, "run_time_s") == (pytest.approx(12),)
    assert values(measured, "task_count") == (3010,)
    assert values(measured, "iteration_count") == (3,)
    assert values(measured, "cpu_s") == (9.5,)
    assert values(measured, "queue_wait_s") is None
    assert values(measured, "start_up_s") is None
    assert all(check.passed for check in measured.checks)


def test_every_iteration_is_a_step_of_its_repetition():
    other = [*iteration(1, 10, 0.5, 2.5), *iteration(2, 500, 1.0, 5.0), *CLOSING]
    measured = assemble(ThroughputSpec(reps=2, probe=False), setup(), [rep(1), rep(2, other)])
    rates = [(m.repetition, m.step, m.value) for m in measured.metrics if m.name == "iteration_tasks_per_s"]
    assert rates == [
        (1, 1, 5.0),
        (1, 2, 250.0),
        (1, 3, pytest.approx(333.333)),
        (2, 1, 4.0),
        (2, 2, 100.0),
    ]
    assert values(measured, "warm_tasks_per_s") == (pytest.approx(300), 100.0)


def test_the_wait_in_the_queue_is_told_from_the_start_up():
    jobs = (job("1", None), job("2", 1.5), job("3", 1.0), Job(job_id="4", started=stamp(0)))
    measured = assemble(ONE, setup(), [rep(jobs=jobs)])
    assert values(measured, "queue_wait_s") == (1.0,)
    assert values(measured, "start_up_s") == (pytest.approx(2.0 - 1.0),)


def test_a_wait_longer_than_the_cold_iteration_leaves_no_negative_start_up():
    measured = assemble(ONE, setup(), [rep(jobs=(job("1", 3),))])
    assert values(measured, "start_up_s") == (0.0,)


def test_jobs_whose_times_are_unknown_leave_the_wait_out():
    assert values(assemble(ONE, setup(), [rep(jobs=(Job(job_id="1"),))]), "queue_wait_s") is None


def test_the_probe_gives_latencies_samples_and_workers():
    measured = assemble(PROBED, setup(), [rep(), probe()])
    assert measured.status == "ok"
    assert [worker.pseudonym for worker in measured.workers] == ["abc"]
    assert len(measured.samples["task"]) == 122
    assert values(measured, "task_latency_p99_s") == (pytest.approx(0.002),)
    assert values(measured, "chain_task_latency_p95_s") == (pytest.approx(0.004),)
    assert values(measured, "chain_task_latency_p99_s") is None
    assert values(measured, "burst_task_latency_p50_s") == (pytest.approx(0.008),)
    assert values(measured, "burst_task_latency_p95_s") is None


def test_every_metric_is_defined_and_every_headline_is_a_metric():
    measured = assemble(PROBED, setup(), [rep(jobs=(job("1", 0),)), probe()])
    for metric in measured.metrics:
        assert (metric.unit, metric.direction) == (METRICS[metric.name].unit, METRICS[metric.name].direction)
    assert set(HEADLINE) <= set(METRICS)


# Each way of ending.
def test_a_failing_parsl_perf_is_failed_and_its_last_words_are_told():
    failing = rep(texts=[*WHOLE[:9], "ModuleNotFoundError: No module named 'nothing'"], exit_=Exit(2.0, 1, "ended"))
    status, reason = told(ONE, failing)
    assert status == "failed"
    last = "ModuleNotFoundError: No module named 'nothing'"
    assert reason == f"in repetition 1 parsl-perf ended with exit code 1; its last words: {last}"
    assert values(assemble(ONE, setup(), [failing]), "cold_start_s") == (2.0,)


def test_a_killed_parsl_perf_is_failed_and_the_signal_is_told():
    status, reason = told(ONE, rep(texts=WHOLE[:9], exit_=Exit(2.0, -9, "ended")))
    assert status == "failed"
    assert "killed by signal 9" in reason


def test_a_line_that_is_not_understood_fails_the_run_and_is_quoted():
    status, reason = told(ONE, rep(texts=[*WHOLE[:9], "Rate: 5 per second", *WHOLE[9:]]))
    assert status == "failed"
    assert "'Rate: 5 per second'" in reason
    assert "repetition 1" in reason
    assert "'Submitting tasks / invoking apps'" in reason


def test_an_output_without_its_end_is_failed():
    status, reason = told(ONE, rep(texts=WHOLE[:-1]))
    assert (status, "in the middle of its output" in reason) == ("failed", True)


def test_an_output_of_which_only_the_beginning_was_kept_says_so():
    loud = (Line(0.1, "stderr", "x" * 100_000),) * 170
    status, reason = told(ONE, ChildRun(ChildLog("01-rep-1", None, (*loud, *lines(WHOLE[:7])), Exit(3.0, 0, "ended"))))
    assert status == "failed"
    assert "printed more than the 16 MiB that are kept" in reason


@pytest.mark.parametrize(
    ("ending", "status"),
    [("timeout", "timeout"), ("stopped", "interrupted"), ("abandoned", "interrupted"), ("lost", "interrupted")],
)
def test_a_child_that_did_not_end_by_itself_tells_how(ending, status):
    cut = rep(texts=WHOLE[:9], exit_=Exit(7.25, None if ending == "lost" else -2, ending))
    measured = assemble(ONE, setup(), [cut])
    assert measured.status == status
    assert "01-rep-1" in measured.reason
    assert "7.2 s" in measured.reason
    assert values(measured, "cold_start_s") == (2.0,)


def test_fewer_repetitions_than_asked_for_are_an_interruption():
    assert told(ThroughputSpec(reps=3, probe=False), rep()) == (
        "interrupted",
        "perfdb was interrupted after 1 of 3 repetitions",
    )


def test_a_probe_that_never_began_is_an_interruption():
    assert told(PROBED, rep())[0] == "interrupted"


def test_nothing_at_all_is_an_interruption():
    measured = assemble(PROBED, None, [])
    assert measured.status == "interrupted"
    assert measured.metrics == ()


@pytest.mark.parametrize(
    "broken", [probe(ANSWERS[:-1]), probe(exit_=Exit(3.0, 1, "ended")), probe([], Exit(3.0, 1, "ended"))]
)
def test_a_probe_that_breaks_is_failed_and_the_throughput_is_kept(broken):
    measured = assemble(PROBED, setup(), [rep(), broken])
    assert measured.status == "failed"
    assert "the latency probe" in measured.reason
    assert values(measured, "warm_tasks_per_s") == (pytest.approx(300),)
    assert [check.name for check in measured.checks if not check.passed] == ["probe_complete"]


@pytest.mark.parametrize(("warm_s", "status"), [(0.999, "invalid"), (1.0, "ok")])
def test_less_than_a_second_of_warm_run_time_is_invalid(warm_s, status):
    measured = assemble(ONE, setup(), [rep(texts=[*WHOLE[:7], *iteration(2, 2000, 0.1, warm_s), *CLOSING])])
    assert measured.status == status
    assert [check.name for check in measured.checks if not check.passed] == ["warm_long_enough"] * (status != "ok")
    assert ("--time" in (measured.reason or "")) == (status != "ok")


def test_monitoring_makes_a_run_invalid():
    status, reason = told(ONE, rep(), config=setup(monitoring=True))
    assert status == "invalid"
    assert reason.startswith("monitoring_off: ")


def test_a_failure_is_not_hidden_behind_an_invalid_config():
    assert told(ONE, rep(exit_=Exit(1.0, 1, "ended")), config=setup(monitoring=True))[0] == "failed"


@given(st.integers(0, len(WHOLE)), st.integers(0, len(ANSWERS)), st.sampled_from(["lost", "ended", "timeout"]))
def test_logs_that_end_anywhere_are_made_the_best_of(cut, answers_cut, reason):
    exit_ = Exit(1.0, 0 if reason == "ended" else None, reason)
    measured = assemble(PROBED, setup(), [rep(texts=WHOLE[:cut], exit_=exit_), probe(ANSWERS[:answers_cut], exit_)])
    assert (measured.status == "ok") == (cut == len(WHOLE) and answers_cut == len(ANSWERS) and reason == "ended")
    assert (measured.reason is None) == (measured.status == "ok")
    assert len([m for m in measured.metrics if m.name == "iteration_run_time_s"]) == min(cut // 7, 3)


@pytest.mark.parametrize(
    ("params", "slots"),
    [
        ({"executor.max_threads": 3}, 3),
        ({"executor.max_workers_per_node": 4, "provider.nodes_per_block": 2, "provider.max_blocks": 3}, 24),
        ({"executor.max_workers_per_node": 4, "provider.nodes_per_block": 2}, None),
        ({"executor.max_workers_per_node": "inf", "provider.nodes_per_block": 2, "provider.max_blocks": 3}, None),
        ({}, None),
    ],
)
def test_params_tell_how_many_workers_there_can_be(params, slots):
    assert worker_slots(params) == slots


def test_without_a_description_there_is_no_statement_of_what_bounded_it():
    assert assemble(ONE, None, [rep()]).findings == ()
    (finding,) = assemble(ONE, setup(), [rep()]).findings
    assert finding.name == "bounded_by"


@pytest.mark.parametrize(
    ("submit_host", "where"), [("abc", "on this host, below the scheduler"), ("def", "elsewhere"), (None, "elsewhere")]
)
def test_a_schedulers_workers_are_said_to_be_where_they_told_that_they_were(submit_host, where):
    slurm = setup(provider="SlurmProvider")
    slurm = slurm.model_copy(update={"host": slurm.host.model_copy(update={"pseudonym": submit_host})})
    (finding,) = assemble(PROBED, slurm, [rep(), probe()]).findings
    assert f"the workers ran {where}" in finding.evidence

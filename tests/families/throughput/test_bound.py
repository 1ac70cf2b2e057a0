"""What bounded a run: each verdict at its boundary."""

from __future__ import annotations

import pytest

from perfdb.families.throughput.bound import bounded_by
from perfdb.families.throughput.parse import Iteration


def verdict(*, submission_s=1.0, cpu=None, cores=4, slots=2, here=True, below=False):
    """Of an iteration of ten seconds."""
    iteration = Iteration(2, 1000, submission_s, 10.0, cpu)
    return bounded_by(iteration, cores, slots, workers_here=here, below_a_scheduler=below)


@pytest.mark.parametrize(("submission_s", "value"), [(8.0, "submission"), (7.99, "undetermined")])
def test_submission_at_80_percent_of_the_run(submission_s, value):
    assert verdict(submission_s=submission_s).value == value


@pytest.mark.parametrize(("workers_s", "value"), [(16.0, "workers"), (15.9, "undetermined")])
def test_workers_at_80_percent_of_what_their_number_allows(workers_s, value):
    assert verdict(cpu={"workers": workers_s}).value == value


@pytest.mark.parametrize(("workers_s", "value"), [(32.0, "workers"), (31.9, "undetermined")])
def test_workers_at_80_percent_of_what_the_host_allows(workers_s, value):
    assert verdict(cpu={"workers": workers_s}, slots=100).value == value
    assert verdict(cpu={"workers": workers_s}, slots=None).value == value


@pytest.mark.parametrize("role", ["main", "interchange"])
@pytest.mark.parametrize(("cpu_s", "value"), [(8.0, "dispatch"), (7.99, "undetermined")])
def test_dispatch_at_80_percent_of_one_core(role, cpu_s, value):
    assert verdict(cpu={role: cpu_s}).value == value


@pytest.mark.parametrize(("main_s", "value"), [(7.0, "cores"), (6.9, "undetermined")])
def test_cores_when_nobody_is_busy_alone_but_all_of_them_together(main_s, value):
    """Four cores over 10 s: 80 % are 32 s."""
    cpu = {"workers": 25.0, "main": main_s}
    assert verdict(cpu=cpu, slots=100).value == value
    assert verdict(cpu=cpu, slots=100, here=False).value == "undetermined"


def test_workers_elsewhere_bound_nothing_that_was_seen():
    finding = verdict(cpu={"workers": 100.0}, here=False)
    assert finding.value == "undetermined"
    assert "the workers ran elsewhere" in finding.evidence


def test_workers_below_a_scheduler_on_this_host_are_not_said_to_be_elsewhere():
    finding = verdict(cpu={"workers": 100.0}, here=False, below=True)
    assert finding.value == "undetermined"
    assert "the workers ran on this host, below the scheduler; their CPU time was not counted" in finding.evidence
    assert "elsewhere" not in finding.evidence


def test_the_rules_hold_in_their_order():
    busy = {"workers": 40.0, "main": 10.0}
    assert verdict(submission_s=9.0, cpu=busy).value == "submission"
    assert verdict(cpu=busy).value == "workers"


def test_the_evidence_holds_the_numbers():
    finding = verdict(submission_s=2.5, cpu={"workers": 5.0, "main": 10.0})
    assert "submitting took 25% of iteration 2 (10.00 s)" in finding.evidence
    assert "main 1.00, workers 0.50, together 1.50 of 4" in finding.evidence
    assert "at most 2 workers" in finding.evidence


def test_what_was_not_sampled_is_said():
    finding = verdict(cores=None, slots=None)
    assert finding.value == "undetermined"
    assert "CPU time was not sampled" in finding.evidence

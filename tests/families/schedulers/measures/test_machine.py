"""What the nodes did."""

from __future__ import annotations

import pytest

from perfdb.families.schedulers.measures.machine import held_idle_node_s, makespan_s, utilisation
from tests.families.schedulers.done import job

# 4 nodes: three for 30 s, then four for 10 s.
TWO = (job(1, 0, 0, 30, nodes=3), job(2, 5, 30, 40, nodes=4))


def test_makespan_is_from_the_first_submission_to_the_last_end() -> None:
    assert makespan_s(TWO) == 40
    assert makespan_s((job(1, 2, 4, 8), job(2, 3, 4, 6))) == 6


def test_makespan_of_batches_is_their_mean_without_the_time_between_them() -> None:
    assert makespan_s((job(1, 0, 0, 30), job(1, 100, 100, 110, batch=2))) == 20


def test_makespan_is_not_stated_where_a_job_is_not_over() -> None:
    assert makespan_s((*TWO, job(3, 0, watched=90))) is None
    assert makespan_s((*TWO, job(3, 0, 5, 6, state="FAILED"))) is None
    assert makespan_s(()) is None


def test_utilisation_is_the_used_part_of_the_nodes_times_the_makespan() -> None:
    # (3 * 30 + 4 * 10) / (4 * 40)
    assert utilisation(TWO, 4) == pytest.approx(130 / 160)


def test_utilisation_counts_the_makespans_of_all_batches() -> None:
    # 1 * 30 + 2 * 10 of 2 * (30 + 10)
    assert utilisation((job(1, 0, 0, 30), job(1, 100, 100, 110, nodes=2, batch=2)), 2) == pytest.approx(50 / 80)


def test_utilisation_is_not_stated_where_a_job_is_not_over_or_nothing_took_any_time() -> None:
    assert utilisation((*TWO, job(3, 0, watched=90)), 4) is None
    assert utilisation((job(1, 0, 0, 0),), 4) is None


def test_nodes_that_are_held_before_and_after_the_program_are_held_idle() -> None:
    # 3 nodes, 2 s before and 5 s after; 1 node, not at all.
    held = job(1, 0, 4, 14, nodes=3, allocated=2, released=19)
    assert held_idle_node_s((held, job(2, 0, 4, 9))) == 21


def test_start_up_counts_to_the_jobs_own_first_stamp() -> None:
    assert held_idle_node_s((job(1, 0, 4, 14, nodes=2, inside=(4.5, 13)),)) == pytest.approx(2 * (0.5 + 1))


def test_held_idle_is_not_stated_where_the_allocation_of_a_job_is_not_known() -> None:
    assert held_idle_node_s((job(1, 0, 4, 14), job(2, 0, watched=90))) is None

"""Who starts, where nobody has to shrink."""

from __future__ import annotations

from perfdb.minislurm.policy.cluster import Rules, Start
from perfdb.minislurm.policy.decide import decide
from tests.minislurm.policy.jobs import cluster, runs, waits


def test_a_job_starts_with_the_cpus_it_asked_for():
    assert (Start(1, 2),) == decide(cluster(8, waits(1, 2, bounds=(1, 8))), Rules())


def test_the_higher_priority_starts_first():
    assert (Start(2, 2),) == decide(cluster(2, waits(1, 2), waits(2, 2, priority=1)), Rules())


def test_of_equal_priority_who_came_first_starts_first():
    assert (Start(1, 2),) == decide(cluster(2, waits(2, 2), waits(1, 2)), Rules())


def test_as_many_start_as_fit():
    four = [waits(id, 2) for id in (1, 2, 3, 4)]

    assert (Start(1, 2), Start(2, 2), Start(3, 2)) == decide(cluster(7, *four), Rules())


def test_memory_is_as_scarce_as_cpus():
    jobs = [waits(1, 1, mem_mb=60), waits(2, 1, mem_mb=60)]

    assert (Start(1, 1),) == decide(cluster(8, *jobs, mem_mb=100), Rules())


def test_cpus_that_a_job_has_still_to_let_go_of_are_not_free():
    releasing = runs(1, 4, bounds=(1, 4), target=1, resized_s=0.0)

    assert decide(cluster(4, releasing, waits(2, 3, priority=1)), Rules()) == ()


def test_a_job_that_the_cluster_could_never_hold_keeps_nobody_from_starting():
    wide, big = waits(1, 9, priority=9), waits(2, 1, priority=9, mem_mb=101)

    assert (Start(3, 8),) == decide(cluster(8, wide, big, waits(3, 8), mem_mb=100), Rules())


def test_nothing_starts_while_more_is_held_than_the_cluster_offers():
    assert decide(cluster(2, runs(1, 4), waits(2, 1)), Rules()) == ()

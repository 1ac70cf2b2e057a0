"""Who gives, how much, to whom."""

from __future__ import annotations

from perfdb.minislurm.policy.cluster import Resize, Rules, Start
from perfdb.minislurm.policy.decide import decide
from tests.minislurm.policy.jobs import cluster, runs, waits


def test_a_full_machine_makes_room_for_a_higher_priority():
    grown = runs(1, 8, priority=5, bounds=(2, 8))

    assert (Resize(1, 4),) == decide(cluster(8, grown, waits(2, 4, priority=10)), Rules())


def test_what_is_free_counts_first():
    grown = runs(1, 6, priority=5, bounds=(2, 8))

    assert (Resize(1, 4),) == decide(cluster(8, grown, waits(2, 4, priority=10)), Rules())


def test_what_is_coming_counts_first():
    """3 of 8 are coming; of the 4 that are needed 1 is missing."""
    releasing = runs(1, 5, priority=5, bounds=(2, 8), target=2, resized_s=0.0)
    grown = runs(2, 3, priority=5, bounds=(1, 3))

    assert (Resize(2, 2),) == decide(cluster(8, releasing, grown, waits(3, 4, priority=10)), Rules())


def test_nobody_shrinks_where_it_would_not_suffice():
    grown = runs(1, 4, bounds=(2, 4))

    assert decide(cluster(8, grown, runs(2, 4), waits(3, 3, priority=10)), Rules()) == ()


def test_nobody_shrinks_below_its_minimum():
    grown = runs(1, 4, bounds=(2, 4))

    assert (Resize(1, 2),) == decide(cluster(4, grown, waits(2, 2, priority=10)), Rules())
    assert decide(cluster(4, grown, waits(2, 3, priority=10)), Rules()) == ()


def test_the_same_priority_does_not_shrink():
    assert decide(cluster(4, runs(1, 4, priority=5, bounds=(1, 4)), waits(2, 1, priority=5)), Rules()) == ()


def test_a_lower_priority_shrinks_nobody():
    assert decide(cluster(4, runs(1, 4, priority=5, bounds=(1, 4)), waits(2, 1, priority=0)), Rules()) == ()


def test_the_lowest_priority_gives_first():
    running = [runs(1, 4, priority=5, bounds=(1, 4)), runs(2, 4, priority=0, bounds=(2, 4))]

    assert (Resize(2, 2), Resize(1, 3)) == decide(cluster(8, *running, waits(3, 3, priority=10)), Rules())


def test_of_equal_priority_who_has_the_most_to_give_gives_first():
    running = [runs(1, 3, bounds=(1, 4)), runs(2, 4, bounds=(1, 4)), runs(3, 1, bounds=(1, 4))]

    assert (Resize(2, 2),) == decide(cluster(8, *running, waits(4, 2, priority=10)), Rules())


def test_of_two_that_could_give_as_much_the_youngest_gives():
    running = [runs(1, 4, bounds=(1, 4)), runs(2, 4, bounds=(1, 4))]

    assert (Resize(2, 3),) == decide(cluster(8, *running, waits(3, 1, priority=10)), Rules())


def test_two_that_wait_are_served_at_once_and_the_giver_is_told_one_number():
    grown = runs(1, 8, bounds=(1, 8))
    two = [waits(2, 3, priority=10), waits(3, 2, priority=5)]

    assert (Resize(1, 3),) == decide(cluster(8, grown, *two), Rules())


def test_nobody_shrinks_for_the_second_where_only_the_first_suffices():
    grown = runs(1, 8, bounds=(1, 8))
    two = [waits(2, 5, priority=10), waits(3, 3, priority=5)]

    assert (Resize(1, 3),) == decide(cluster(8, grown, *two), Rules())


def test_nobody_shrinks_for_a_job_that_waits_for_memory():
    running = [runs(1, 4, bounds=(1, 4), mem_mb=90)]

    assert decide(cluster(4, *running, waits(2, 1, priority=10, mem_mb=20), mem_mb=100), Rules()) == ()


def test_a_job_that_has_still_to_let_go_is_not_told_another_number():
    releasing = runs(1, 4, bounds=(1, 4), target=3, resized_s=0.0)

    assert decide(cluster(4, releasing, waits(2, 2, priority=10)), Rules()) == ()


def test_a_job_that_was_told_to_end_is_not_resized():
    assert decide(cluster(4, runs(1, 4, bounds=(1, 4), is_ending=True), waits(2, 1, priority=10)), Rules()) == ()


def test_a_shrink_does_not_wait_for_the_cooldown():
    grown = runs(1, 4, bounds=(1, 4), resized_s=0.0)

    assert (Resize(1, 3),) == decide(cluster(4, grown, waits(2, 1, priority=10), now_s=1.0), Rules(cooldown_s=10.0))


def test_nobody_shrinks_where_elasticity_is_off():
    grown = runs(1, 4, bounds=(1, 4))

    assert decide(cluster(4, grown, waits(2, 1, priority=10)), Rules(elastic=False)) == ()


def test_what_is_free_is_kept_for_whom_others_shrink():
    """Job 3 needs the one free CPU and one more; job 4 would fit into the free one, and ends soon."""
    grown = runs(1, 7, bounds=(1, 8))
    two = [waits(3, 2, priority=10), waits(4, 1, limit_s=1.0)]

    assert (Resize(1, 6),) == decide(cluster(8, grown, *two), Rules())


def test_a_job_that_fits_starts_beside_one_that_is_shrunk_for():
    """8 CPUs, 5 held: the first takes the 3, the second is given to."""
    grown = runs(1, 5, bounds=(1, 8))
    two = [waits(2, 3, priority=10), waits(3, 2, priority=5)]

    assert (Start(2, 3), Resize(1, 3)) == decide(cluster(8, grown, *two), Rules())

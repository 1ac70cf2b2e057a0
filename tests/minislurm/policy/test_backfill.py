"""Who starts past the head of the queue. In all of them a job of 4 CPUs holds half of a machine of 8 until second 100, and
the head wants more than the other half."""

from __future__ import annotations

from perfdb.minislurm.policy.cluster import Resize, Rules, Start
from perfdb.minislurm.policy.decide import decide
from tests.minislurm.policy.jobs import cluster, runs, waits

HALF = runs(1, 4, ends_by_s=100.0)


def test_a_job_that_is_over_by_the_reservation_starts():
    assert (Start(3, 4),) == decide(cluster(8, HALF, waits(2, 8), waits(3, 4, limit_s=100.0)), Rules())


def test_a_job_that_might_be_there_a_moment_later_does_not():
    assert decide(cluster(8, HALF, waits(2, 8), waits(3, 4, limit_s=100.5)), Rules()) == ()


def test_a_job_without_a_limit_might_be_there_for_ever():
    assert decide(cluster(8, HALF, waits(2, 8), waits(3, 1)), Rules()) == ()


def test_a_job_without_a_limit_starts_on_what_the_head_leaves():
    """Of 8 CPUs at second 100 the head takes 6."""
    jobs = [waits(2, 6), waits(3, 2), waits(4, 1)]

    assert (Start(3, 2),) == decide(cluster(8, HALF, *jobs), Rules())


def test_those_that_are_over_in_time_do_not_use_up_what_the_head_leaves():
    jobs = [waits(2, 6), waits(3, 2, limit_s=50.0), waits(4, 2)]

    assert (Start(3, 2), Start(4, 2)) == decide(cluster(8, HALF, *jobs), Rules())


def test_the_head_needs_its_memory_too():
    """At second 100 all 100 MB are free; the head takes 70 of them and 6 CPUs."""
    jobs = [waits(2, 6, mem_mb=70), waits(3, 1, mem_mb=31), waits(4, 1, mem_mb=30)]

    assert (Start(4, 1),) == decide(cluster(8, HALF, *jobs, mem_mb=100), Rules())


def test_the_reservation_waits_for_memory():
    """At second 100 the head's CPUs are free, at 200 its memory."""
    jobs = [runs(5, 1, ends_by_s=200.0, mem_mb=50), waits(2, 6, mem_mb=70), waits(3, 2, limit_s=200.0)]

    assert (Start(3, 2),) == decide(cluster(8, HALF, *jobs, mem_mb=100), Rules())


def test_the_memory_that_the_head_leaves_is_left_once():
    """At second 100 the head leaves 30 MB and 2 CPUs."""
    jobs = [waits(2, 6, mem_mb=70), waits(3, 1, mem_mb=20), waits(4, 1, mem_mb=20)]

    assert (Start(3, 1),) == decide(cluster(8, HALF, *jobs, mem_mb=100), Rules())


def test_what_is_backfilled_must_fit_now():
    jobs = [waits(2, 8), waits(3, 5, limit_s=1.0), waits(4, 1, limit_s=1.0, mem_mb=100)]

    assert decide(cluster(8, HALF, *jobs, mem_mb=100), Rules()) == ()


def test_nothing_is_backfilled_past_an_end_that_nobody_knows():
    endless = runs(1, 4)

    assert decide(cluster(8, endless, waits(2, 8), waits(3, 1, limit_s=1.0)), Rules()) == ()


def test_an_end_that_nobody_knows_does_not_matter_where_others_make_room():
    """The head gets its 6 CPUs at second 100, beside the endless one."""
    jobs = [runs(1, 4, ends_by_s=100.0), runs(5, 2), waits(2, 6), waits(3, 2, limit_s=100.0), waits(4, 2)]

    assert (Start(3, 2),) == decide(cluster(8, *jobs), Rules())


def test_jobs_that_start_in_the_same_pass_count_for_the_reservation():
    """Job 2 starts and is over by second 50, job 3 has a reservation for 100."""
    jobs = [waits(2, 2, limit_s=50.0), waits(3, 8), waits(4, 2, limit_s=100.0), waits(5, 2, limit_s=101.0)]

    assert (Start(2, 2), Start(4, 2)) == decide(cluster(8, HALF, *jobs), Rules())


def test_a_job_past_its_limit_is_taken_to_be_over_any_moment():
    """So nothing can be over by then; one CPU of 8 is left by the head."""
    late = runs(1, 4, ends_by_s=90.0)
    jobs = [waits(2, 7), waits(3, 2, limit_s=0.5), waits(4, 1)]

    assert (Start(4, 1),) == decide(cluster(8, late, *jobs, now_s=91.0), Rules())


def test_shrinks_that_will_suffice_bring_the_reservation_forward():
    """At second 50 job 4 is over, and job 1 can give 3: so job 5 has to be over by then, not by second 100."""
    running = [runs(1, 4, ends_by_s=100.0, bounds=(1, 4)), runs(4, 2, ends_by_s=50.0)]
    head = waits(2, 7, priority=10)

    assert (Start(5, 2),) == decide(cluster(8, *running, head, waits(5, 2, limit_s=50.0)), Rules())
    assert decide(cluster(8, *running, head, waits(5, 2, limit_s=50.5)), Rules()) == ()


def test_what_shrinks_leave_is_left_over():
    """At second 50, 4 CPUs are free and 2 can be given: the head takes 5 of 6."""
    running = [runs(1, 4, ends_by_s=100.0, bounds=(2, 4)), runs(4, 3, ends_by_s=50.0)]
    jobs = [waits(2, 5, priority=10), waits(5, 1), waits(6, 1)]

    assert (Start(5, 1),) == decide(cluster(8, *running, *jobs), Rules())


def test_a_head_that_fits_before_a_shrink_had_to_be_answered_finds_its_cpus_free():
    """At second 50, 3 CPUs are free and 2 can be given, by second 55. At second 54, 4 are free and the head takes them all.
    With job 5 beside it, a job that is slow to answer would make it wait for a second."""
    running = [runs(1, 4, bounds=(2, 4)), runs(4, 2, ends_by_s=50.0), runs(7, 1, ends_by_s=54.0)]
    jobs = [waits(2, 4, priority=10), waits(5, 1)]

    assert decide(cluster(8, *running, *jobs), Rules(release_s=5.0)) == ()
    assert (Start(5, 1),) == decide(cluster(8, *running, *jobs), Rules(release_s=3.0))


def test_what_is_let_go_later_is_reckoned_with_at_its_deadline():
    """Job 1 lets go of 2 by second 5 and is over at second 100; job 3 ends at 60. The head wants 6: 2 + 2 + 2 at second 60."""
    running = [
        runs(1, 4, priority=9, ends_by_s=100.0, bounds=(1, 4), target=2, resized_s=0.0),
        runs(3, 2, ends_by_s=60.0),
    ]
    head = waits(2, 6)

    assert (Start(4, 1),) == decide(cluster(8, *running, head, waits(4, 1, limit_s=60.0)), Rules())
    assert decide(cluster(8, *running, head, waits(4, 1, limit_s=60.5)), Rules()) == ()


def test_a_job_that_lets_go_can_give_more_once_it_has():
    """Job 1 (of 4, told 3, may go to 1) lets go by second 5: then 2 + 1 + 2 CPUs are there or can be given."""
    running = [runs(1, 4, bounds=(1, 4), target=3, resized_s=0.0), runs(3, 2)]
    head = waits(2, 5, priority=10)

    assert (Start(4, 1),) == decide(cluster(8, *running, head, waits(4, 1, limit_s=5.0)), Rules(release_s=5.0))
    assert decide(cluster(8, *running, head, waits(4, 1, limit_s=5.5)), Rules(release_s=5.0)) == ()


def test_where_elasticity_is_off_the_head_counts_on_ends_alone():
    running = [runs(1, 4, ends_by_s=100.0, bounds=(1, 4)), runs(4, 2, ends_by_s=50.0)]
    jobs = [waits(2, 7, priority=10), waits(5, 2, limit_s=100.0)]

    assert (Start(5, 2),) == decide(cluster(8, *running, *jobs), Rules(elastic=False))


def test_while_others_shrink_for_the_head_it_is_the_only_one_served():
    grown = runs(1, 6, bounds=(1, 6), ends_by_s=100.0)
    jobs = [waits(2, 4, priority=10), waits(3, 2, limit_s=1.0)]

    assert (Resize(1, 4),) == decide(cluster(8, grown, *jobs), Rules())

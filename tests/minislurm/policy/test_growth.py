"""Who gets what nobody waits for."""

from __future__ import annotations

import pytest

from perfdb.minislurm.policy.cluster import Resize, Rules, Start
from perfdb.minislurm.policy.decide import decide
from perfdb.minislurm.policy.growth import growth_due_s
from tests.minislurm.policy.jobs import cluster, runs, waits

ALL = Rules(threshold_percent=100.0)


def test_a_job_grows_up_to_the_threshold():
    assert (Resize(1, 4),) == decide(cluster(8, runs(1, 2, bounds=(2, 8))), Rules(threshold_percent=50.0))


def test_nobody_grows_at_the_threshold():
    assert decide(cluster(8, runs(1, 4, bounds=(2, 8))), Rules(threshold_percent=50.0)) == ()


def test_nobody_grows_above_its_maximum():
    assert (Resize(1, 3),) == decide(cluster(8, runs(1, 2, bounds=(2, 3))), ALL)


def test_nobody_grows_beyond_what_there_is():
    assert (Resize(1, 6),) == decide(cluster(8, runs(1, 2, bounds=(2, 99)), runs(2, 2)), Rules(threshold_percent=1e9))


def test_cpus_that_are_still_to_be_let_go_of_are_promised():
    running = [runs(1, 2, bounds=(2, 8)), runs(2, 6, bounds=(1, 6), target=1, resized_s=0.0)]

    assert decide(cluster(8, *running), ALL) == ()


def test_nobody_grows_while_somebody_waits():
    running = [runs(1, 2, bounds=(2, 8)), runs(2, 4)]

    assert decide(cluster(8, *running, waits(3, 3)), ALL) == ()


def test_what_starts_in_the_same_pass_is_promised_before_anybody_grows():
    assert (Start(2, 2), Resize(1, 6)) == decide(cluster(8, runs(1, 2, bounds=(2, 8)), waits(2, 2)), ALL)


def test_a_job_that_could_never_run_keeps_nobody_from_growing():
    assert (Resize(1, 8),) == decide(cluster(8, runs(1, 2, bounds=(2, 8)), waits(2, 9)), ALL)


def test_the_highest_priority_grows_first():
    running = [runs(1, 1, bounds=(1, 8)), runs(2, 2, priority=1, bounds=(1, 5))]

    assert (Resize(2, 5), Resize(1, 3)) == decide(cluster(8, *running), ALL)


def test_of_equal_priority_who_has_the_fewest_grows_first():
    running = [runs(1, 3, bounds=(1, 8)), runs(2, 1, bounds=(1, 8))]

    assert (Resize(2, 3),) == decide(cluster(6, *running), ALL)


def test_of_two_that_have_as_many_who_came_first_grows_first():
    running = [runs(2, 2, bounds=(1, 8)), runs(1, 2, bounds=(1, 8))]

    assert (Resize(1, 3),) == decide(cluster(5, *running), ALL)


@pytest.mark.parametrize("job", [runs(1, 2), runs(1, 2, bounds=(2, 8), is_ending=True)])
def test_neither_a_rigid_job_grows_nor_one_that_was_told_to_end(job):
    assert decide(cluster(8, job), ALL) == ()


def test_a_job_that_has_still_to_let_go_does_not_grow():
    assert decide(cluster(8, runs(1, 4, bounds=(1, 8), target=2, resized_s=-99.0)), ALL) == ()


def test_nobody_grows_where_elasticity_is_off():
    assert decide(cluster(8, runs(1, 2, bounds=(2, 8))), Rules(elastic=False)) == ()


def test_a_job_does_not_grow_within_its_cooldown():
    job, cool = runs(1, 2, bounds=(2, 8), resized_s=5.0), Rules(cooldown_s=10.0)

    assert decide(cluster(8, job, now_s=14.75), cool) == ()
    assert (Resize(1, 4),) == decide(cluster(8, job, now_s=15.0), cool)


def test_growth_is_due_when_the_first_cooldown_is_over():
    running = [runs(1, 1, bounds=(1, 8), resized_s=5.0), runs(2, 1, bounds=(1, 8), resized_s=3.0)]

    assert growth_due_s(cluster(8, *running, now_s=6.0), Rules(cooldown_s=10.0)) == 13.0


@pytest.mark.parametrize(
    ("jobs", "rules"),
    [
        pytest.param([runs(1, 1, bounds=(1, 8), resized_s=5.0), waits(2, 8)], Rules(), id="somebody waits"),
        pytest.param([runs(1, 4, bounds=(1, 8), resized_s=5.0)], Rules(), id="at the threshold"),
        pytest.param([runs(1, 2, bounds=(1, 2), resized_s=5.0)], Rules(), id="at its maximum"),
        pytest.param([runs(1, 1, bounds=(1, 8), resized_s=5.0)], Rules(elastic=False), id="elasticity is off"),
        pytest.param([runs(1, 2, bounds=(1, 8), target=1, resized_s=5.0)], Rules(), id="it has still to let go"),
    ],
)
def test_no_growth_is_due_where_a_cooldown_is_not_what_it_waits_for(jobs, rules):
    assert growth_due_s(cluster(8, *jobs), rules) is None

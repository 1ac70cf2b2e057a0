"""Jain's index."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.schedulers.measures.fairness import by_size, by_user, jain, jain_by
from tests.families.schedulers.done import job


def test_equal_shares_are_wholly_fair_and_one_of_n_that_has_all_is_one_nth() -> None:
    assert jain([3, 3, 3]) == 1
    assert jain([5, 0, 0, 0]) == 0.25


def test_the_example_of_the_definition_two_of_ten_users_with_all_of_it_is_a_fifth() -> None:
    assert jain([1, 1, *[0] * 8]) == pytest.approx(0.2)


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=20), st.floats(0.1, 1e3))
def test_the_index_lies_between_one_nth_and_one_and_does_not_mind_the_unit(values: list[float], factor: float) -> None:
    assert 1 / len(values) - 1e-9 <= jain(values) <= 1 + 1e-9
    assert jain([value * factor for value in values]) == pytest.approx(jain(values))


def test_fairness_is_of_each_users_mean_slowdown_not_of_every_jobs() -> None:
    # User 0: slowdowns 1 and 3, mean 2; user 1: 4. (2 + 4)^2 / (2 * (4 + 16)) = 0.9.
    jobs = (job(1, 0, 0, 10), job(2, 0, 20, 30), job(3, 0, 30, 40, user=1, nodes=2))
    assert jain_by(jobs, by_user) == pytest.approx(0.9)
    assert jain_by(jobs, by_size) == pytest.approx(0.9)


def test_one_user_alone_is_no_case_of_fairness() -> None:
    assert jain_by((job(1, 0, 0, 10), job(2, 0, 20, 30)), by_user) is None


def test_fairness_is_not_stated_where_a_job_never_ended() -> None:
    assert jain_by((job(1, 0, 0, 10), job(2, 0, user=1, watched=90)), by_user) is None

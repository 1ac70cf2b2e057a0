"""Sessions over hosts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from perfdb.families.scaling.analysis.distribution import Distribution, HostRow, distribution


def of(sessions: dict[str, int], expected_hosts: int) -> Distribution:
    found = distribution(sessions, expected_hosts)
    assert found is not None
    return found


def test_hosts_that_take_turns_are_even() -> None:
    found = of({"b": 33, "a": 34, "c": 33}, 3)
    assert found.rows[0] == HostRow(host="a", sessions=34, share=0.34)
    assert [row.host for row in found.rows] == ["a", "b", "c"]
    assert found.spread == pytest.approx(0.03)
    assert found.even
    assert found.chi_square_p == pytest.approx(0.99, abs=0.001)  # exp(-0.02 / 2)
    assert found.text() == "even: 3 of 3 hosts answered, spread 3 %"


def test_five_percent_is_even_and_more_is_not() -> None:
    assert of({"a": 205, "b": 195}, 2).even
    assert not of({"a": 206, "b": 195}, 2).even


def test_a_host_that_never_answered_counts_as_one_without_sessions() -> None:
    found = of({"a": 50, "b": 50, "c": 0}, 3)
    assert (len(found.rows), found.silent) == (2, 1)
    assert found.spread == 1.5
    assert found.chi_square_p == pytest.approx(0.0, abs=1e-9)
    assert found.text() == "uneven: 2 of 3 hosts answered, spread 150 %"


def test_more_hosts_than_expected_are_not_even() -> None:
    assert not of({"a": 50, "b": 50}, 1).even


def test_one_host_has_nothing_to_compare_with() -> None:
    found = of({"a": 7}, 1)
    assert (found.spread, found.chi_square_p, found.even) == (0.0, None, True)
    assert found.text() == "1 of 1 host answered"


def test_sixteen_sessions_that_three_hosts_took_in_turns_are_not_called_uneven() -> None:
    found = of({"a": 6, "b": 5, "c": 5}, 3)
    assert not found.even
    assert found.text() == "no more uneven than chance: 3 of 3 hosts answered, spread 18.8 %"


def test_a_favoured_host_is_called_uneven_though_all_answered() -> None:
    assert of({"a": 90, "b": 15, "c": 15}, 3).text() == "uneven: 3 of 3 hosts answered, spread 188 %"


def test_no_answers_have_no_distribution() -> None:
    assert distribution({}, 3) is None
    assert distribution({"a": 0}, 3) is None


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=8))
def test_the_p_is_pearsons(counts: list[int]) -> None:
    found = of({f"host-{n}": count for n, count in enumerate(counts)}, len(counts))
    assert found.chi_square_p == pytest.approx(chisquare(counts).pvalue, abs=1e-12)

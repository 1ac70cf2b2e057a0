"""What n hosts bear against one."""

from __future__ import annotations

import pytest

from perfdb.families.scaling.analysis.ceiling import Ceiling, ceilings
from perfdb.families.scaling.analysis.cells import Cell, Criterion
from perfdb.families.scaling.analysis.factor import Deployment, Factor, NoFactor, judged, scaling
from tests.families.scaling.analysis.oracle import cell


def ceiling(*ends: tuple[float | None, float | None], wait_s: float = 1.0) -> Ceiling:
    """Of repetitions that passed at one load, failed at another, or did not try either."""
    cells: list[Cell] = []
    for number, (passed, failed) in enumerate(ends, 1):
        if passed is not None:
            cells.append(cell(passed, 1.1, repetition=number, wait_s=wait_s))
        if failed is not None:
            cells.append(cell(failed, 99.0, repetition=number, wait_s=wait_s))
    [found] = ceilings(cells, Criterion())
    return found


def near(*passed: float) -> Ceiling:
    """Searched to the very session."""
    return ceiling(*[(load, load + 1) for load in passed])


def factor(one: Ceiling, many: Ceiling, hosts: int, seen: int | None = None) -> Factor:
    found = scaling(
        Deployment(hosts=1, ceiling=one),
        Deployment(hosts=hosts, ceiling=many, unique_hosts=hosts if seen is None else seen),
    )
    assert isinstance(found, Factor)
    return found


def test_the_factor_is_the_ratio_of_mean_ceilings_and_the_efficiency_that_over_n() -> None:
    found = factor(near(990, 1000, 1010), near(2850, 2880, 2820), 3)
    assert (found.one, found.many) == (1000, 2850)
    assert found.factor == pytest.approx(2.85)
    assert found.efficiency == pytest.approx(0.95)
    assert found.bound == "exact"
    assert (found.judgement, found.sure) == ("near linear", True)
    assert found.remarks == ()


def test_the_interval_holds_the_factor_and_the_search_widens_it() -> None:
    found = factor(
        ceiling((990, 1040), (1000, 1050), (1010, 1060)), ceiling((2850, 2990), (2880, 3020), (2820, 2960)), 3
    )
    assert found.low is not None
    assert found.high is not None
    assert found.most is not None
    assert found.least < found.low < found.factor < found.high < found.most
    assert found.efficiency_interval == (found.low / 3, found.high / 3)
    assert found.efficiency_bounds == (found.least / 3, found.most / 3)
    # 95 % as found, and as far as the loads say 2,990 of 3 * 1,000 as well.
    assert found.judgement == "near linear"
    assert not found.sure
    assert "search finer" in found.remarks[-1]


def test_a_grid_that_doubles_leaves_a_factor_of_four_open() -> None:
    found = factor(ceiling(*[(512, 1024)] * 3), ceiling(*[(1024, 2048)] * 3), 2)
    assert (found.least, found.factor, found.most) == (1.0, 2.0, 4.0)
    assert (found.low, found.high) == (2.0, 2.0)  # the repetitions agree
    assert not found.sure


@pytest.mark.parametrize(
    ("efficiency", "judgement"),
    [
        (0.5, "look at the balancer"),
        (0.8999, "look at the balancer"),
        (0.9, "near linear"),
        (81 / 10 / 9, "near linear"),  # as a float it is below 0.9
        (1.0, "near linear"),
        (1.001, "suspicious"),
    ],
)
def test_efficiencies_below_90_percent_and_above_100_are_flagged(efficiency: float, judgement: str) -> None:
    assert judged(efficiency) == judgement


def test_a_weak_factor_says_to_look_at_the_balancer() -> None:
    found = factor(near(1000, 1000), near(1500, 1500), 2)
    assert (found.judgement, found.sure) == ("look at the balancer", True)
    assert "look at the balancer" in found.remarks[0]
    assert "75 %" in found.remarks[0]


def test_a_factor_beyond_n_is_suspicious() -> None:
    found = factor(near(1000, 1000), near(2600, 2600), 2)
    assert (found.judgement, found.sure) == ("suspicious", True)
    assert found.valid
    assert "130 %, above 100 %: suspicious" in found.remarks[0]


def test_fewer_hosts_than_meant_make_it_invalid_with_the_diagnosis() -> None:
    found = factor(near(1000, 1000), near(1000, 1000), 3, seen=1)
    assert not found.valid
    assert found.judgement is None
    assert found.remarks[0].startswith("invalid: 1 of 3 hosts answered; aim at the balancer, not at one of its workers")


def test_more_hosts_than_meant_make_it_invalid_too() -> None:
    assert not factor(near(1000, 1000), near(1000, 1000), 3, seen=4).valid
    several = Deployment(hosts=1, ceiling=near(1000), unique_hosts=2)
    found = scaling(several, Deployment(hosts=2, ceiling=near(1000), unique_hosts=2))
    assert isinstance(found, Factor)
    assert not found.valid


def test_ceilings_that_were_not_reached_are_bounds_of_the_factor() -> None:
    low, high = ceiling((1000, 1050)), ceiling((1000, None))
    many_low, many_high = ceiling((1500, 1550)), ceiling((1500, None))
    found = [factor(one, many, 2) for one in (low, high) for many in (many_low, many_high)]
    assert [one.bound for one in found] == ["exact", "at least", "at most", "unknown"]
    assert found[1].most is None
    assert found[2].least == 0.0
    assert "try larger" in found[1].remarks[0]
    # At least 75 % may be anything above; at most 75 % is below 90 % for sure.
    assert [one.judgement for one in found] == ["look at the balancer", None, "look at the balancer", None]
    assert found[2].sure


def test_an_upper_bound_of_90_percent_or_more_tells_nothing() -> None:
    assert factor(ceiling((1000, None)), near(1900), 2).judgement is None


def test_a_bound_above_100_percent_is_suspicious_whatever_the_truth() -> None:
    found = factor(ceiling((1000, 1010)), ceiling((2500, None)), 2)
    assert (found.judgement, found.sure, found.most) == ("suspicious", True, None)


def test_single_repetitions_have_no_interval_but_what_the_search_left_open() -> None:
    found = factor(ceiling((1000, 1050)), ceiling((1900, 2000)), 2)
    assert (found.low, found.high) == (None, None)
    assert found.least == pytest.approx(1900 / 1050)
    assert found.most == pytest.approx(2.0)


def test_repetitions_of_one_host_that_say_nothing_leave_no_upper_end() -> None:
    found = factor(near(10, 500, 1000), near(1500, 1501, 1502), 3)
    assert found.high is None
    assert found.most is None
    assert not found.sure


@pytest.mark.parametrize(
    ("one", "many", "why"),
    [
        (Deployment(hosts=2, ceiling=near(10)), Deployment(hosts=3, ceiling=near(10)), "measure one alone"),
        (Deployment(hosts=1, ceiling=near(10)), Deployment(hosts=1, ceiling=near(10)), "several hosts against one"),
        (
            Deployment(hosts=1, ceiling=ceiling((10, 11), wait_s=5.0)),
            Deployment(hosts=2, ceiling=near(10)),
            "p99 below 11 s; against 1 s",
        ),
        (
            Deployment(hosts=1, ceiling=ceiling((10, 11), (None, 10))),
            Deployment(hosts=2, ceiling=near(10)),
            "repetition 2 of 1 host failed at its smallest load (below 10 sessions)",
        ),
    ],
)
def test_what_has_no_factor_is_refused_in_words(one: Deployment, many: Deployment, why: str) -> None:
    found = scaling(one, many)
    assert isinstance(found, NoFactor)
    assert why in found.reason

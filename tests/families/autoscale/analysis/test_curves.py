"""Steps cross where they cross: counted out by hand, and against a count of every core and every instant."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.autoscale.analysis.curves import (
    Curve,
    crossovers,
    given_nodes,
    of_nodes,
    of_rounds,
    overtakings,
    ranges,
)

SERVERLESS = Curve.of([(2.5 * k, 1) for k in range(1, 65)])

curves = st.lists(st.tuples(st.integers(1, 60).map(lambda n: n / 4), st.integers(1, 4)), min_size=1, max_size=12).map(
    Curve.of
)


def test_given_nodes_that_are_asked_for_at_once_overlap_their_waits():
    assert given_nodes(27.87, 8, "at-once", 64) == Curve((27.87,), (64,))


def test_given_nodes_that_are_asked_for_in_turn_add_their_waits():
    assert given_nodes(27.87, 8, "in-turn", 20) == Curve((27.87, 55.74, 83.61), (8, 16, 24))


def test_nodes_at_once_are_first_from_the_core_that_serverless_gets_after_them():
    (start, change) = crossovers(given_nodes(27.87, 8, "at-once", 64), SERVERLESS, 64)
    assert (start.faster, start.cores, start.at_s) == (1, 1, (27.87, 2.5))
    assert (change.faster, change.cores, change.at_s) == (0, 12, (27.87, 30.0))


def test_nodes_in_turn_that_take_longer_per_core_are_never_first():
    (only,) = crossovers(given_nodes(27.87, 8, "in-turn", 64), SERVERLESS, 64)
    assert (only.faster, only.cores) == (1, 1)


def test_nodes_in_turn_overtake_at_each_nodes_last_cores_and_fall_back():
    # 3 s a core against 20 s for 8 cores: at 7 cores 21 s against 20 s, at 9 cores 27 s against 40 s.
    found = crossovers(of_nodes([20, 40, 60], 8), Curve.of([(3 * k, 1) for k in range(1, 25)]), 24)
    assert [(c.faster, c.cores) for c in found] == [(1, 1), (0, 7), (1, 9), (0, 14), (1, 17), (0, 21)]


def test_a_tie_is_nobodys_and_changes_nothing():
    one, other = Curve((1.0, 2.0, 3.0), (1, 2, 3)), Curve((1.5, 2.0, 3.5), (1, 2, 3))
    assert [(c.faster, c.cores) for c in crossovers(one, other, 3)] == [(0, 1)]
    assert crossovers(one, one, 3) == ()
    assert overtakings(one, one, 3) == ()


def test_sums_that_differ_in_the_last_bit_of_a_float_are_a_tie():
    assert 0.1 * 3 != 0.3
    assert crossovers(Curve.of([(0.1 * 3, 1)]), Curve.of([(0.3, 1)]), 1) == ()


def test_nothing_is_said_beyond_what_both_have():
    measured = of_nodes([5.0, 6.0], 4)
    assert all(c.cores <= 8 for c in crossovers(measured, SERVERLESS, 64))
    # The nodes end at 8 cores because no more were asked for: serverless does not overtake them with its ninth.
    assert [o.ahead for o in overtakings(measured, SERVERLESS, 64)] == [1, 0]


def test_no_cores_cross_nowhere():
    assert crossovers(Curve((), ()), SERVERLESS, 64) == ()
    assert Curve((), ()).time_of(1) is None


@given(curves, curves, st.integers(1, 50))
def test_crossovers_are_those_of_counting_every_core(one, other, most):
    ahead, counted = None, []
    for cores in range(1, min(most, one.total, other.total) + 1):
        mine, others = one.time_of(cores), other.time_of(cores)
        first = 0 if mine < others else 1 if others < mine else ahead
        if first != ahead:
            counted.append((first, cores, (mine, others)))
            ahead = first
    assert counted == [(c.faster, c.cores, c.at_s) for c in crossovers(one, other, most)]


@given(curves, curves, st.integers(1, 50))
def test_overtakings_are_those_of_looking_at_every_instant(one, other, most):
    end = min(most, one.total, other.total)
    ahead, seen = None, []
    for quarter in range(0, 61):
        mine, others = min(end, one.cores_at(quarter / 4)), min(end, other.cores_at(quarter / 4))
        first = 0 if mine > others else 1 if others > mine else ahead
        if first != ahead:
            seen.append((first, quarter / 4, (mine, others)))
            ahead = first
    assert seen == [(o.ahead, o.at_s, o.cores) for o in overtakings(one, other, most)]


@given(curves, st.integers(1, 50))
def test_a_curve_says_the_same_by_cores_and_by_time(curve, cores):
    at = curve.time_of(cores)
    assert (at is None) == (cores > curve.total)
    if at is not None:
        assert curve.cores_at(at) >= cores > curve.cores_at(at - 0.1)


def test_a_band_holds_the_median_and_the_ends_of_each_ordinal():
    band = of_rounds([(1.0, 5.0, 6.0), (3.0, 4.0, 8.0), (2.0, 9.0, 9.5)], 2)
    assert band.middle.at_s == (2.0, 5.0, 8.0)
    assert band.fastest.at_s == (1.0, 4.0, 6.0)
    assert band.slowest.at_s == (3.0, 9.0, 9.5)
    assert band.middle.cores == (2, 4, 6)


def test_a_node_that_some_round_lacks_is_on_no_curve():
    band = of_rounds([(1.0, 2.0), (10.0,), (11.0, 12.0)], 4)
    assert band.middle == Curve((10.0,), (4,))
    assert {curve.total for curve in band.rounds} == {4}


def test_a_crossover_has_a_range_over_the_rounds_and_counts_those_without():
    rounds = [of_nodes([at], 8) for at in (11.0, 16.0, 90.0)]
    never, first = sorted(ranges(rounds, SERVERLESS, 8), key=lambda r: -r.faster)
    assert (never.faster, never.low, never.high, never.rounds, never.of) == (1, 1, 1, 3, 3)
    # 2.5 s a core: after 11 s from the fifth core on, after 16 s from the seventh, after 90 s from none of eight.
    assert (first.faster, first.low, first.high, first.rounds, first.of) == (0, 5, 7, 2, 3)

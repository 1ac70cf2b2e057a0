"""Which changes of a series are believed, and which are not."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfdb.compare.changes import Change, change_points, told, turn_edges

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "changepoints.py"


@pytest.fixture(scope="module")
def benchmark() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("changepoints", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["changepoints"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["changepoints"]


def noise(count: int, seed: int = 1, size: float = 0.02) -> list[float]:
    return [float(v) for v in np.exp(np.random.default_rng(seed).normal(0, size, count))]


def confirmed(values: list[float]) -> list[int]:
    return [change.at for change in change_points(values) if change.certainty == "confirmed"]


@pytest.mark.drill
def test_the_share_of_false_alarms_and_of_steps_found_is_within_the_bounds(
    benchmark: ModuleType, drill_share: float
) -> None:
    series = max(30, int(benchmark.SERIES * drill_share))
    for kind, most in benchmark.MOST_FALSE.items():
        assert benchmark.false_alarms(kind, series)[0] <= most, kind
    for at in (95, 50):
        for factor in (1.1, 0.9):
            assert benchmark.found_near("iid", series, at, factor)[0] >= 0.9, (at, factor)


def test_a_step_is_told_with_the_medians_beside_it_and_their_ratio() -> None:
    values = [100.0, 101.0, 99.0] * 10 + [80.0, 81.0, 79.0] * 10
    (change,) = change_points(values)
    assert change == Change(
        at=30, before=100.0, after=80.0, ratio=0.8, p=change.p, certainty="confirmed", evidence="points"
    )
    assert change.p < 1e-9


def test_a_lone_outlier_is_no_change() -> None:
    values = noise(60)
    for at in (5, 30, 57):
        assert change_points([*values[:at], 0.5, *values[at:]]) == ()


def test_two_outliers_side_by_side_are_no_change() -> None:
    values = noise(60)
    values[30:32] = [0.7, 0.71]
    assert change_points(values) == ()


@pytest.mark.parametrize("points_after", [1, 2])
def test_a_change_that_one_or_two_points_show_is_suspected(points_after: int) -> None:
    values = noise(60) + [0.8 * v for v in noise(points_after, seed=2)]
    (change,) = change_points(values)
    assert (change.at, change.certainty) == (60, "suspected")
    assert change.ratio == pytest.approx(0.8, rel=0.05)


def test_three_points_confirm_what_two_only_let_suspect() -> None:
    assert confirmed(noise(97) + [0.8 * v for v in noise(2, seed=2)]) == []
    assert confirmed(noise(97) + [0.8 * v for v in noise(3, seed=2)]) == [97]


def test_two_points_confirm_nothing_however_long_the_series() -> None:
    assert confirmed(noise(400) + [0.8 * v for v in noise(2, seed=2)]) == []
    assert confirmed(noise(400) + [0.8 * v for v in noise(3, seed=2)]) == [400]


def test_a_change_below_five_per_cent_is_none_however_sure() -> None:
    quiet = noise(200, size=0.002)
    assert change_points([v * (1.04 if i >= 100 else 1.0) for i, v in enumerate(quiet)]) == ()
    assert confirmed([v * (1.06 if i >= 100 else 1.0) for i, v in enumerate(quiet)]) == [100]


def test_two_changes_are_both_found_with_the_stretch_between_them() -> None:
    values = [v * f for v, f in zip(noise(90), [1.0] * 30 + [1.3] * 30 + [1.1] * 30, strict=True)]
    first, second = change_points(values)
    assert (first.at, second.at) == (30, 60)
    assert first.after == second.before


def test_a_series_that_wanders_needs_more_than_one_that_does_not() -> None:
    draw = np.random.default_rng(7)
    wandering = [0.0]
    for _ in range(199):
        wandering.append(0.9 * wandering[-1] + float(draw.normal(0, 0.02)))
    assert confirmed([math.exp(v) for v in wandering]) == []


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [1.0, 2.0, 3.0], [0.0] * 50, [5.0] * 50, [-1.0, 1.0] * 20])
def test_what_is_too_short_or_never_changes_has_none(values: list[float]) -> None:
    assert change_points(values) == ()


def test_of_fewer_than_thirteen_points_none_is_confirmed() -> None:
    (change,) = change_points([*noise(6), *(2 * v for v in noise(6, seed=2))])
    assert (change.at, change.certainty) == (6, "suspected")


def test_values_that_are_not_positive_change_without_a_ratio() -> None:
    (change,) = change_points([0.0, 0.001, 0.0] * 10 + [3.0, 3.1, 2.9] * 10)
    assert (change.at, change.certainty, change.ratio) == (30, "confirmed", None)


def test_exact_steps_of_a_rounded_series_are_found() -> None:
    (change,) = change_points([10.0] * 20 + [12.0] * 20)
    assert (change.at, change.ratio) == (20, 1.2)


VALUES = st.lists(st.floats(0.001, 1000), min_size=0, max_size=60)


@settings(max_examples=40, deadline=None)
@given(values=VALUES, factor=st.sampled_from([0.25, 2.0, 1024.0]))
def test_the_unit_makes_no_difference(values: list[float], factor: float) -> None:
    plain, scaled = change_points(values), change_points([v * factor for v in values])
    assert [(c.at, c.certainty) for c in plain] == [(c.at, c.certainty) for c in scaled]


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40))
def test_any_finite_numbers_are_searched_without_an_error(values: list[float]) -> None:
    changes = change_points(values)
    assert [c.at for c in changes] == sorted({c.at for c in changes})
    assert all(0 < c.at < len(values) for c in changes)


def test_in_turns_one_release_with_five_repetitions_can_be_confirmed() -> None:
    level = [1.0] * 8 + [0.8] + [1.0] * 8
    groups = [[f * v for v in noise(5, seed=i, size=0.03)] for i, f in enumerate(level)]
    edges = turn_edges(groups)
    assert sorted(edges) == [8, 9]
    assert {edge.certainty for edge in edges.values()} == {"confirmed"}
    down, up = told([float(np.median(group)) for group in groups], edges)
    assert (down.evidence, up.evidence) == ("repetitions", "repetitions")
    assert down.ratio == pytest.approx(0.8, rel=0.06)
    assert up.ratio == pytest.approx(1.25, rel=0.06)


def test_in_turns_releases_that_are_alike_stay_together() -> None:
    alarms = 0
    for seed in range(40):
        draw = np.random.default_rng(seed)
        groups = [[float(v) for v in np.exp(draw.normal(0, 0.05, 5))] for _ in range(24)]
        alarms += bool(turn_edges(groups))
    assert alarms <= 2


def test_in_turns_four_repetitions_prove_nothing_and_five_do() -> None:
    before = [noise(5, seed=seed) for seed in range(6)]
    after = [1.2 * v for v in noise(5, seed=9)]
    assert turn_edges([*before, after[:4]]) == {}
    assert sorted(turn_edges([*before, after])) == [6]

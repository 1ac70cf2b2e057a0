"""Boxes, curves, differences and staircases: what was not seen to its end is shown as that, and never passed off as a value."""

from __future__ import annotations

import re
from statistics import fmean, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.charts import PictureData
from perfdb.families.spreads import Box, Boxes, Curve, Curves, Differences, Staircases
from perfdb.report.charts.drawing import svg
from perfdb.report.charts.ecdf import percentiles, steps
from perfdb.report.charts.pictures import drawn, table_of
from perfdb.report.charts.pictures.boxes import MOST_POINTS, shape_of
from tests.report.charts.expressions import expressions_of
from tests.report.charts.test_charts import HOSTILE, subtitle

FIRST = Box("size-2", "slurm:backfill", (1.0, 2.0, 3.0, 4.0, 5.0))
CUT = Box("size-2", "slurm:builtin", (6.0,), (7.0, 8.0))
BOXES = Boxes("experiment", "scheduler", "submission to end", "s", (FIRST, CUT))


def rows(data: PictureData, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = drawn(data)["datasets"][name]
    return found


def test_a_box_goes_from_quartile_to_quartile_with_its_median_and_mean() -> None:
    shape = shape_of(FIRST)
    assert (shape.low, shape.q1, shape.median, shape.q3, shape.high) == (1.0, 2.0, 3.0, 4.0, 5.0)
    assert shape.mean == 3.0
    assert shape.deviation == pytest.approx(2.5**0.5)


def test_a_whisker_ends_at_the_farthest_value_within_one_and_a_half_boxes() -> None:
    shape = shape_of(Box("a", "b", (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 100.0)))
    assert (shape.q1, shape.q3, shape.high) == (3.0, 7.0, 8.0)


def test_a_quartile_that_lies_among_what_was_not_seen_whole_is_not_known() -> None:
    shape = shape_of(CUT)
    assert (shape.q1, shape.median, shape.q3, shape.mean) == (None, None, None, None)
    assert shape_of(Box("a", "b", (1.0, 2.0, 3.0), (9.0,))).median == 2.5
    assert shape_of(Box("a", "b", (), (9.0,))).median is None


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=30), st.lists(st.floats(1e6, 1e7), max_size=30))
def test_mean_and_median_are_stated_only_where_they_are_those_of_all(values: list[float], unseen: list[float]) -> None:
    shape = shape_of(Box("a", "b", tuple(values), tuple(unseen)))
    assert (shape.mean is None) == bool(unseen)
    if not unseen:
        assert shape.mean == pytest.approx(fmean(values))
        assert shape.deviation == pytest.approx(stdev(values), abs=1e-3)
    if shape.median is not None:
        below = sum(value <= shape.median for value in values)
        assert 2 * below >= len(values) + len(unseen) - 1


def test_what_was_not_seen_to_its_end_is_a_triangle_and_no_point() -> None:
    assert [row["x"] for row in rows(BOXES, "unseen")] == [7.0, 8.0]
    assert [row["x"] for row in rows(BOXES, "points") if row["g"] == "slurm:builtin"] == [6.0]
    assert [row["told"] for row in rows(BOXES, "unseen")] == ["more than 7 s", "more than 8 s"]
    assert "Triangle: not seen to its end" in subtitle(drawn(BOXES, title="T"))
    assert "Triangle" not in subtitle(drawn(Boxes("a", "b", "c", "s", (FIRST,)), title="T"))


def test_every_value_is_a_point_where_they_are_few_and_the_farthest_where_they_are_many() -> None:
    assert [row["x"] for row in rows(BOXES, "points") if row["g"] == "slurm:backfill"] == [1.0, 2.0, 3.0, 4.0, 5.0]
    many = tuple(float(n % 100) for n in range(1000)) + tuple(1000.0 + n for n in range(2 * MOST_POINTS))
    shown = [row["x"] for row in rows(Boxes("a", "b", "c", "s", (Box("x", "y", many),)), "points")]
    assert (len(shown), min(shown)) == (MOST_POINTS, 1000.0 + MOST_POINTS)


def test_boxes_of_one_group_stand_side_by_side_in_one_order() -> None:
    other = Boxes("a", "b", "c", "s", (CUT, FIRST, Box("size-3", "slurm:backfill", (1.0, 2.0))))
    assert {(row["s"], row["g"]): row["k"] for row in rows(other, "points")} == {
        ("size-2", "slurm:builtin"): 0,
        ("size-2", "slurm:backfill"): 1,
        ("size-3", "slurm:backfill"): 1,
    }


def test_an_axis_of_boxes_is_straight_unless_boxes_would_vanish() -> None:
    def kind(*values: float) -> str:
        spec = drawn(Boxes("a", "b", "c", "s", (Box("x", "y", values),)))
        return str(spec["layer"][0]["encoding"]["x"]["scale"].get("type", "linear"))

    assert (kind(1.0, 200.0), kind(1.0, 400.0), kind(0.0, 400.0)) == ("linear", "log", "linear")


def test_the_table_of_boxes_has_mean_and_deviation_and_counts_what_was_cut() -> None:
    table = table_of(BOXES)
    assert table.columns[:5] == ("experiment", "scheduler", "values", "mean", "standard deviation")
    assert table.rows == (
        ("size-2", "slurm:backfill", "5", "3 s", "1.581 s", "2 s", "3 s", "4 s", "0"),
        ("size-2", "slurm:builtin", "3", "", "", "", "", "", "2"),
    )


def test_a_curve_ends_below_all_where_some_are_larger() -> None:
    assert steps([1.0, 2.0], 2) == [(1.0, 0.0), (1.0, 0.25), (2.0, 0.5)]
    data = Curves("wait", "s", (Curve("slurm:builtin", (1.0, 2.0), 2),))
    assert rows(data, "steps")[-1] == {"s": "slurm:builtin", "x": 2.0, "y": 0.5}
    assert subtitle(drawn(data, title="T")) == "slurm:builtin: 4 samples, 2 beyond the curve"


def test_an_axis_says_what_was_counted_and_what_adds_up() -> None:
    curves = Curves("wait", "s", (Curve("slurm:builtin", (1.0, 2.0), 1),), of="job")
    assert "share of jobs" in str(drawn(curves)) and "sample" not in str(drawn(curves, title="T"))
    assert table_of(curves).columns[1] == "jobs"
    stairs = Staircases("s", (("slurm:builtin", (("run", (3.0,)),)),), quantity="time since submission")
    assert "time since submission (s)" in str(drawn(stairs))


def test_a_percentile_among_the_larger_ones_is_not_stated() -> None:
    assert percentiles([1.0, 2.0, 3.0], 2) == [(0.5, 3.0)]
    assert percentiles([1.0, 2.0, 3.0], 3) == []
    assert percentiles([float(n) for n in range(19)], 1) == [(0.5, 9.5)]


def test_the_table_of_curves_tells_how_many_are_beyond() -> None:
    data = Curves("wait", "s", (Curve("slurm:builtin", (1.0, 2.0, 3.0), 2),))
    assert table_of(data).rows == (("slurm:builtin", "5", "3 s", "", "", "1 s", "3 s", "2"),)


def test_differences_are_drawn_about_zero_with_the_interval_of_their_median() -> None:
    data = Differences("difference to slurm:builtin", "s", (("makespan, slurm:backfill", (-9.0, -7.0, -8.0)),))
    spec = drawn(data, title="T")
    assert spec["datasets"]["zero"] == [{"x": 0}]
    assert {"low": -9.0, "x": -8.0, "high": -7.0}.items() <= spec["datasets"]["middles"][0].items()
    assert table_of(data).rows == (("makespan, slurm:backfill", "3", "-8 s", "-9 s to -7 s", "75.0 %", "no"),)
    across = Differences("difference", "s", (("wait", (-1.0, 1.0)), ("one", (2.0,))))
    assert [row[-1] for row in table_of(across).rows] == ["yes", ""]


def test_stairs_have_a_row_in_the_table_for_each_stage() -> None:
    data = Staircases("s", (("slurm:builtin", (("queue", (3.0, 5.0)), ("run", (12.0,)), ("none", ()))),))
    assert table_of(data).rows == (
        ("slurm:builtin", "queue", "4 s", "25 %", "2"),
        ("slurm:builtin", "run", "12 s", "75 %", "1"),
    )
    assert [(row["s"], row["from"], row["to"]) for row in rows(data, "bars")] == [
        ("queue", 0.0, 4.0),
        ("run", 4.0, 16.0),
    ]


def every(text: str) -> list[PictureData]:
    return [
        Boxes(text, text, text, text[:40], (Box(text, text, (1.0, 2.0), (3.0,)),), (text,)),
        Curves(text, text[:40], (Curve(text, (1.0, 2.0), 1),), (text,)),
        Differences(text, text[:40], ((text, (-1.0, 2.0)),), (text,)),
        Staircases(text[:40], ((text, ((text, (1.0,)),)),), (text,)),
    ]


@pytest.mark.parametrize("place", range(4))
def test_a_records_text_is_text(place: int) -> None:
    plain, bad = (expressions_of(drawn(every(word)[place], title=word)) for word in ("plain", HOSTILE))
    assert plain == bad
    image = svg(drawn(every(HOSTILE)[place], title=HOSTILE))
    assert "<script" not in image
    assert "NaN" not in re.sub(r">[^<]*<", "><", image)


def test_nothing_at_all_has_a_picture_and_a_table() -> None:
    for data in (Boxes("a", "b", "c", "s", ()), Curves("a", "s", ()), Staircases("s", ())):
        assert table_of(data).rows == ()
    assert svg(drawn(Boxes("a", "b", "c", "s", ()))).startswith("<svg")

"""Pictures that a family makes: their tables say what they show, and nothing is hidden, made up or told by colour alone."""

from __future__ import annotations

import json

import pytest

from perfdb.families.charts import Bars, Dot, Grid, Line, Lines, Picture, Pictures, Square
from perfdb.report.charts.drawing import svg
from perfdb.report.charts.pictures import drawn, table_of
from perfdb.report.charts.record_charts import charts_of
from tests.tracking.records import make_record

P99 = Line("p99", (Dot(32, 1.2, 1.1, 1.3, "100 % succeeded"), Dot(64, 4.8)))
BOUND = Line("p99", (Dot(32, 3.0), Dot(64, 3.0)), "limit")
LINES = Lines("load", "latency", "s", (Line("p50", (Dot(32, 1.0), Dot(64, 4.0))), P99, BOUND), log_x=True)
GRID = Grid(
    "load",
    "wait",
    ("32", "64"),
    ("1 s", "5 s"),
    (Square("32", "1 s", 1.0, "100 %", "passed"), Square("64", "5 s", 0.5, "50 %", "failed")),
    ("Deeper: more.",),
)
BARS = Bars("host", "sessions", (("a", 60), ("b", 40)), 50.0)


def test_a_line_has_its_own_colour_and_shape_and_a_rule_its_lines_colour_and_its_own_dashes() -> None:
    spec = drawn(LINES)
    assert {row["s"] for row in spec["datasets"]["measured"]} == {"p50", "p99"}
    assert {(row["s"], row["k"]) for row in spec["datasets"]["ruled"]} == {("p99", "limit")}
    told = str(spec["layer"])
    assert "'shape'" in told
    assert "'strokeDash'" in told


def test_what_a_dot_stands_for_is_on_it() -> None:
    first = next(row for row in drawn(LINES)["datasets"]["measured"] if row["s"] == "p99")
    assert (first["low"], first["y"], first["high"]) == (1.1, 1.2, 1.3)
    assert (first["told"], first["more"]) == ("1.2 s", "100 % succeeded")


def test_the_table_of_lines_has_a_row_for_each_place_and_a_column_for_each_line() -> None:
    table = table_of(LINES)
    assert table.columns == ("load", "p50", "p99", "p99, limit")
    assert table.rows == (("32", "1 s", "1.2 s (1.1 s to 1.3 s)", "3 s"), ("64", "4 s", "4.8 s", "3 s"))


def test_an_axis_along_loads_is_logarithmic_only_where_all_are_above_zero() -> None:
    def kind(*places: float, log_x: bool = True) -> str:
        data = Lines("x", "y", "s", (Line("a", tuple(Dot(at, 1.0) for at in places)),), log_x=log_x)
        return str(drawn(data)["layer"][1]["encoding"]["x"]["scale"]["type"])

    assert (kind(1.0, 2.0), kind(0.0, 2.0), kind(1.0, 2.0, log_x=False)) == ("log", "linear", "linear")


def test_a_square_that_nobody_tried_is_empty_and_said_so_in_the_table() -> None:
    assert len(drawn(GRID)["datasets"]["squares"]) == 2
    assert table_of(GRID).rows == (("32", "100 % (passed)", "not tried"), ("64", "not tried", "50 % (failed)"))


def test_a_squares_numbers_stand_in_it_so_that_its_colour_says_nothing_alone() -> None:
    image = svg(drawn(GRID, title="Success"))
    for words in ("100 %", "50 %", "passed", "failed", "Deeper: more."):
        assert words in image


def test_words_that_turn_a_line_round_or_never_end_are_neither_drawn_nor_kept() -> None:
    words = "\u202e\u2028" + "x" * 5000
    square = Square(words, words, 0.5, words, words)
    for data in (Grid("a", "b", (words,), (words,), (square,)), Bars(words, words, ((words, 1),), 1.0)):
        text = json.dumps(drawn(data), ensure_ascii=False)
        assert "\u202e" not in text
        assert len(text) < 10_000


@pytest.mark.parametrize("depth", [-3.0, 7.0])
def test_a_depth_outside_its_scale_is_drawn_at_its_end(depth: float) -> None:
    (square,) = drawn(Grid("a", "b", ("r",), ("c",), (Square("r", "c", depth, "x"),)))["datasets"]["squares"]
    assert square["d"] == min(1.0, max(0.0, depth))


def test_bars_are_told_beside_the_even_share() -> None:
    spec = drawn(BARS, title="Hosts")
    assert spec["datasets"]["even"] == [{"x": 50.0}]
    assert "Even share: 50. a: 60; b: 40." in spec["description"]
    assert table_of(BARS).rows == (("a", "60", "60 %", "120 %"), ("b", "40", "40 %", "80 %"))


def test_nothing_at_all_has_a_table_and_a_picture() -> None:
    for data in (Lines("x", "y", "s", ()), Grid("a", "b", (), (), ()), Bars("host", "sessions", (), 0.0)):
        assert table_of(data).rows == ()
        assert svg(drawn(data)).startswith("<svg")


def test_a_records_pictures_are_charts_with_their_remarks_and_tables() -> None:
    made = Pictures(lambda _record, _samples: [Picture("grid", "Grid", "What it shows.", GRID)])
    (chart,) = charts_of(make_record(), {}, (made,), titled=False)
    assert (chart.name, chart.shows) == ("grid", "What it shows. Deeper: more.")
    assert chart.table == table_of(GRID)
    assert "title" not in chart.spec

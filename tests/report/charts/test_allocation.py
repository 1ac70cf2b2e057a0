"""The figure of cores over time: steps as they are, what was measured through, what is given dashed."""

from __future__ import annotations

import json
import re

from perfdb.report.charts.allocation import Mark, Stairs, allocation, between
from perfdb.report.charts.drawing import svg
from tests.report.charts.test_charts import HOSTILE, subtitle

MEASURED = Stairs(
    "nodes (measured)",
    True,
    [(20.0, 8), (28.0, 16)],
    ([(22.0, 8), (30.0, 16)], [(19.0, 8), (27.0, 16)]),
)
GIVEN = Stairs("serverless (given)", False, [(2.5 * k, k) for k in range(1, 17)])


def test_every_way_begins_at_nothing_and_ends_with_its_last_step():
    rows = allocation([MEASURED, GIVEN])["datasets"]["steps"]
    mine = [(row["x"], row["y"]) for row in rows if row["s"] == MEASURED.label]
    assert mine == [(0.0, 0), (20.0, 8), (28.0, 16)]
    assert len(rows) == 3 + 17


def test_a_band_goes_from_the_slowest_to_the_fastest_at_each_instant():
    assert between(*MEASURED.band) == [(0.0, 0, 0), (19.0, 0, 8), (22.0, 8, 8), (27.0, 8, 16), (30.0, 16, 16)]


def test_what_is_given_is_dashed_and_said_to_be():
    spec = allocation([MEASURED, GIVEN], title="T")
    scales = re.findall(r'"range": (\[\[.*?\]\])', json.dumps(spec))
    assert scales == ["[[1, 0], [6, 3]]"]
    assert "Dashed: given, not measured." in subtitle(spec)
    assert "Band" in subtitle(spec)
    assert "Dashed" not in subtitle(allocation([MEASURED], title="T"))
    assert "Band" not in subtitle(allocation([GIVEN], title="T"))


def test_two_ways_of_one_label_stay_apart():
    rows = allocation([GIVEN, GIVEN])["datasets"]["steps"]
    assert {row["s"] for row in rows} == {"serverless (given)", "serverless (given) (2)"}


def test_long_times_are_in_minutes_and_marks_with_them():
    slow = Stairs("slow", False, [(1200.0, 1), (2400.0, 2)])
    spec = allocation([slow], [Mark(1200.0, 1, "1 core")])
    assert [row["x"] for row in spec["datasets"]["steps"]] == [0.0, 20.0, 40.0]
    assert spec["datasets"]["marks"] == [{"x": 20.0, "y": 1, "told": "1 core"}]
    assert "(min)" in json.dumps(spec)


def test_words_at_a_mark_near_the_axis_do_not_hang_over_it():
    spec = allocation([GIVEN], [Mark(2.5, 1, "near"), Mark(20.0, 8, "far"), Mark(25.0, 10, "")])
    told = {side: [row["told"] for row in spec["datasets"][side]] for side in ("before", "after")}
    assert told == {"before": ["far"], "after": ["near"]}
    aligned = {layer["data"]["name"]: layer["mark"].get("align") for layer in spec["layer"]}
    assert (aligned["before"], aligned["after"]) == ("right", "left")


def test_the_figure_is_drawn_with_the_text_as_text():
    bad = Stairs(HOSTILE, False, [(1.0, 1)])
    drawn = svg(allocation([MEASURED, GIVEN, bad], [Mark(20.0, 8, HOSTILE)], title=HOSTILE, notes=[HOSTILE]))
    assert "<script" not in drawn
    assert "NaN" not in re.sub(r">[^<]*<", "><", drawn)
    assert "mark-line" in drawn
    assert "nodes (measured)" in drawn

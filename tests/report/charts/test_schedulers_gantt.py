"""Gantt charts: a bar lies on its rows for its time, panels share one axis, and what can't be seen is not drawn."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from perfdb.families.gantt import Gantt, Level, Panel, Span, Turn
from perfdb.report.charts.drawing import page, svg
from perfdb.report.charts.pictures import drawn, table_of
from tests.report.charts.expressions import expressions_of
from tests.report.charts.test_charts import HOSTILE, subtitle

LONG = Span("job 1", "1", "size-3", ((0, 2),), (0.0, 20.0), (1.0, 19.0))
SHORT = Span("job 2", "2", "size-1", ((3, 3),), (2.0, 6.0), (2.0, 6.0))
CUT = Span("job 3", "3 …", "size-1", ((3, 3),), (21.0, 40.0), (21.0, 40.0), is_over=False)
TURN = Turn("job 3", "3", "size-1", 2.5, 21.0)
BUSY = Panel("slurm:backfill", "2 jobs in 20 s", 4, (LONG, SHORT), (), (), 20.0)
CLOGGED = Panel("slurm:builtin", "1 of 2 jobs not over after 40 s", 4, (LONG, CUT), (TURN,), (), 40.0)
LEVELS = (Level(0.0, 30.0, (10.0, 50.0)), Level(30.0, 60.0, (0.0, 100.0)))
MANY = Panel("simulated:easy", "9,000 jobs in 60 s", 100, (), (), LEVELS, 60.0)
GANTT = Gantt("node", "job", ("size-1", "size-3"), (BUSY, CLOGGED), ("A remark.",))


def rows(data: Gantt, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = drawn(data)["datasets"][name]
    return found


def test_a_bar_is_deep_while_it_runs_and_pale_while_it_holds_its_rows() -> None:
    deep, pale = (rows(Gantt("node", "job", GANTT.kinds, (BUSY,)), name) for name in ("ran", "held"))
    assert [(row["s"], row["x"], row["x2"]) for row in deep] == [
        ("slurm:backfill: job 1", 1.0, 19.0),
        ("slurm:backfill: job 2", 2.0, 6.0),
    ]
    # Where it ran all of the time there is nothing pale to see.
    assert [(row["s"], row["x"], row["x2"]) for row in pale] == [("slurm:backfill: job 1", 0.0, 20.0)]


def test_a_bar_covers_its_rows_and_no_other() -> None:
    (frame,) = rows(Gantt("node", "job", GANTT.kinds, (BUSY,)), "frames")
    long, short = rows(Gantt("node", "job", GANTT.kinds, (BUSY,)), "ran")
    row = (frame["y2"] - frame["y"]) / 4
    assert [round((bar[end] - frame["y"]) / row, 1) for bar in (long, short) for end in ("y", "y2")] == [0, 3, 3, 4]


def test_what_has_two_ranges_of_rows_has_two_bars() -> None:
    split = Span("job 1", "1", "size-3", ((0, 0), (2, 3)), (0.0, 1.0), (0.0, 1.0))
    panel = Panel("slurm:backfill", "", 4, (split,), (), (), 1.0)
    assert len(rows(Gantt("node", "job", ("size-3",), (panel,)), "ran")) == 2


def test_panels_lie_below_one_another_on_one_axis() -> None:
    first, second = rows(GANTT, "frames")
    assert first["y2"] < second["y"]
    assert (first["x2"], second["x2"]) == (20.0, 40.0)
    assert drawn(GANTT)["height"] >= second["y2"]


def test_a_panel_says_what_came_of_it() -> None:
    assert [row["told"] for row in rows(GANTT, "titles")] == [
        "slurm:backfill: 2 jobs in 20 s",
        "slurm:builtin: 1 of 2 jobs not over after 40 s",
    ]


def test_the_strip_shows_who_waited_first() -> None:
    (turn,) = rows(GANTT, "turns")
    assert (turn["s"], turn["x"], turn["x2"]) == ("slurm:builtin: job 3", 2.5, 21.0)
    assert turn["y"] >= rows(GANTT, "frames")[1]["y2"]


def test_what_was_not_over_says_so() -> None:
    assert [row["told"] for row in rows(GANTT, "ran") if "job 3" in row["s"]] == ["from 21 s to 40 s, not over by then"]
    assert table_of(GANTT).rows[-1][4] == "21 s to 40 s, not over by then"


def test_a_name_stands_on_a_bar_only_where_it_has_room() -> None:
    hair = Span("job 42", "42", "size-1", ((3, 3),), (10.0, 10.5), (10.0, 10.5))
    wide = Panel("slurm:backfill", "", 4, (LONG, hair), (), (), 20.0)
    assert [row["told"] for row in rows(Gantt("node", "job", GANTT.kinds, (wide,)), "names")] == ["1"]


def test_rows_of_many_nodes_are_low_and_not_all_numbered() -> None:
    panel = Panel("slurm:backfill", "", 64, (LONG,), (), (), 20.0)
    spec = drawn(Gantt("node", "job", GANTT.kinds, (panel,)))
    assert spec["height"] < 400
    assert [row["told"] for row in spec["datasets"]["numbers"]][:3] == ["0", "4", "8"]


def test_levels_lie_upon_one_another_and_never_above_all_rows() -> None:
    data = Gantt("node", "job", ("size-1", "size-3"), (MANY,))
    (frame,) = rows(data, "frames")
    first = [row for row in rows(data, "levels") if row["x"] == 0.0]
    height = frame["y2"] - frame["y"]
    shares = [[round((frame["y2"] - row[end]) / height, 2) for end in ("y2", "y")] for row in first]
    assert shares == [[0.0, 0.1], [0.1, 0.6]]
    mad = Panel("x", "", 100, (), (), (Level(0.0, 60.0, (90.0, 900.0)),), 60.0)
    assert min(row["y"] for row in rows(Gantt("node", "job", data.kinds, (mad,)), "levels")) == frame["y"]
    assert not rows(data, "ran")


def test_time_before_the_axis_begins_is_not_drawn() -> None:
    early = Span("job 1", "1", "size-3", ((0, 0),), (-5.0, 2.0), (-1.0, 2.0))
    data = Gantt("node", "job", ("size-3",), (Panel("a", "", 1, (early,), (), (), 2.0),))
    assert {row["x"] for name in ("held", "ran") for row in rows(data, name)} == {0.0}


def test_a_million_rows_without_a_bar_make_no_tower() -> None:
    data = Gantt("node", "job", (), (Panel("a", "0 jobs in 0 s", 10**6, (), (), (), 0.0),))
    assert drawn(data)["height"] < 200
    assert svg(drawn(data)).startswith("<svg")


def test_the_table_has_a_row_for_each_bar_while_they_are_few() -> None:
    table = table_of(GANTT)
    assert table.columns == ("of", "job", "kind", "nodes", "held", "ran")
    assert table.rows[0] == ("slurm:backfill", "job 1", "size-3", "0–2", "0 s to 20 s", "1 s to 19 s")
    many = Panel("slurm:backfill", "", 4, (SHORT,) * 301, (), (), 20.0)
    assert table_of(Gantt("node", "job", GANTT.kinds, (many,))).rows == (
        ("slurm:backfill", "301 jobs", "", "4 nodes", "0 s to 20 s", ""),
    )


def test_the_table_of_levels_says_how_much_was_in_use() -> None:
    assert [row[2:4] for row in table_of(Gantt("node", "job", ("size-1", "size-3"), (MANY,))).rows] == [
        ("size-1", "5 of 100 nodes"),
        ("size-3", "75 of 100 nodes"),
    ]


def test_a_reader_who_does_not_see_it_is_told() -> None:
    spec = drawn(GANTT, title="Nodes over time")
    assert spec["description"] == (
        "Nodes over time. slurm:backfill, 4 nodes: 2 jobs in 20 s; slurm:builtin, 4 nodes: 1 of 2 jobs not over after 40 s. "
        "A remark."
    )
    assert "A remark." in subtitle(spec)


def hostile(text: str) -> Gantt:
    span = Span(text, text, text, ((0, 1),), (0.0, 9.0), (1.0, 8.0))
    panels = (
        Panel(text, text, 2, (span,), (Turn(text, text, text, 0.0, 9.0),), (), 9.0),
        Panel(text, text, 100, (), (), (Level(0.0, 9.0, (1.0, 2.0)),), 9.0),
    )
    return Gantt("node", "job", (text, f"{text}!"), panels, (text,))


@pytest.mark.parametrize("text", [HOSTILE, "a.b[0]", "datum.x", "x" * 5000, "", "'"])
def test_a_records_text_is_text(text: str) -> None:
    plain, bad = (expressions_of(drawn(hostile(word), title=word)) for word in ("plain", text))
    assert plain == bad
    image = svg(drawn(hostile(text), title=text))
    assert "<script" not in image
    assert "NaN" not in re.sub(r">[^<]*<", "><", image)
    assert len(json.dumps(drawn(hostile(text), title=text))) < 30_000


def test_it_stands_on_a_page_that_needs_nothing_else() -> None:
    written = page(drawn(GANTT, title="Nodes over time"))
    assert "slurm:builtin: 1 of 2 jobs not over after 40 s" in written
    assert "default-src 'none'" in written

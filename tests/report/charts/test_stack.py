"""Who has how much over time: blocks lie upon each other, and nothing is told by colour alone."""

from __future__ import annotations

from perfdb.families.charts import Layer, Stack
from perfdb.report.charts.drawing import svg
from perfdb.report.charts.pictures import drawn, table_of
from perfdb.report.charts.pictures.stack import blocks_of

LOWER = Layer("elastic job 1", "e1", "elastic", ((0.0, 1), (0.4, 2), (1.2, 1), (2.0, 0)), 0.0)
UPPER = Layer("urgent job 2", "u2", "urgent", ((1.2, 1), (1.6, 0)), 1.1)
STACK = Stack("CPUs promised", 2, (LOWER, UPPER))


def test_a_layer_lies_upon_those_before_it_as_long_as_nothing_changes() -> None:
    assert sorted(blocks_of(STACK)) == [
        (0, 0.0, 0.4, 0, 1),
        (0, 0.4, 1.2, 0, 2),
        (0, 1.2, 2.0, 0, 1),
        (1, 1.2, 1.6, 1, 2),
    ]


def test_a_layer_is_lifted_when_one_below_grows() -> None:
    upper = Layer("b", "b", "rigid", ((0.0, 1), (2.0, 0)))
    lower = Layer("a", "a", "elastic", ((0.0, 1), (1.0, 2), (2.0, 0)))
    found = [block for block in blocks_of(Stack("CPUs", 3, (lower, upper))) if block[0] == 1]
    assert found == [(1, 0.0, 1.0, 1, 2), (1, 1.0, 2.0, 2, 3)]


def test_a_third_layer_lies_upon_both() -> None:
    layers = tuple(Layer(name, name, "rigid", ((0.0, 1), (1.0, 0))) for name in "abc")
    assert [block[3:] for block in blocks_of(Stack("CPUs", 3, layers))] == [(0, 1), (1, 2), (2, 3)]


def test_what_never_ends_goes_on_to_the_last_instant() -> None:
    endless = Layer("a", "a", "rigid", ((0.0, 1),))
    assert (0, 0.0, 3.0, 0, 1) in list(blocks_of(Stack("CPUs", 2, (endless, Layer("b", "b", "rigid", ((3.0, 0),))))))


def test_a_block_has_its_name_on_it_where_there_is_room() -> None:
    thin = Layer("thin", "t", "rigid", ((1.0, 1), (1.01, 0)))
    named = drawn(Stack("CPUs", 3, (LOWER, thin)))["datasets"]["named"]
    assert {row["short"] for row in named} == {"e1"}


def test_there_is_a_mark_where_each_came_and_a_line_at_what_there_is() -> None:
    data = drawn(STACK)["datasets"]
    assert [(row["s"], row["x"]) for row in data["came"]] == [("elastic job 1", 0.0), ("urgent job 2", 1.1)]
    assert data["most"] == [{"y": 2}]


def test_the_table_says_the_same() -> None:
    table = table_of(STACK)
    assert table.columns == ("of", "kind", "came at", "CPUs promised")
    assert table.rows[1] == ("urgent job 2", "urgent", "1.1 s", "1 from 1.2 s, 0 from 1.6 s")


def test_a_strangers_words_become_no_expression() -> None:
    hostile = Stack("datum['x']", 1, (Layer("<script>", "'+alert", "@slot:x", ((0.0, 1), (1.0, 0)), 0.0),))
    assert "<script>" not in svg(drawn(hostile, title="t"))


def test_no_layer_is_an_empty_chart() -> None:
    assert drawn(Stack("CPUs", 2, ()))["datasets"]["blocks"] == []

"""The staircase of stages: each step begins where the last one ended, and no stage is hidden or made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.charts import SamplesChart, StagesChart
from perfdb.record import Metric
from perfdb.report.charts.drawing import svg
from perfdb.report.charts.record_charts import charts_of
from perfdb.report.charts.samples import described_curves
from perfdb.report.charts.stages import Staircase, stages
from tests.tracking.records import make_record

HOSTILE = "</script> datum.x + 1 {{x}} a.b[0] @slot:x"
CHART = StagesChart(
    "way", "The way", "What it takes.", {"a_s": "first", "b_s": "second", "c_s": "third"}, {"cold": "", "warm": "warm_"}
)


def metric(name, *values, unit="s"):
    return Metric(name=name, unit=unit, direction="lower", values=values)


def drawn(*metrics, chart=CHART):
    return [found.spec for found in charts_of(make_record(metrics=metrics), {}, (chart,))]


def bars(spec):
    return [(bar["g"], bar["s"], bar["from"], bar["to"]) for bar in spec["datasets"]["bars"]]


def test_each_step_begins_where_the_last_one_ended():
    (spec,) = drawn(metric("a_s", 1.0, 3.0), metric("b_s", 4.0), metric("warm_a_s", 1.5), metric("warm_b_s", 0.0))
    assert bars(spec) == [
        ("cold", "first", 0, 2),
        ("cold", "second", 2, 6),
        ("warm", "first", 0, 1.5),
        ("warm", "second", 1.5, 1.5),
    ]
    assert spec["datasets"]["bars"][0]["n"] == "2 values"
    assert "cold: 6 s in all" in spec["title"]["subtitle"]
    assert "cold, second: 4 s" in spec["description"]


def test_a_stage_that_nobody_measured_has_no_step():
    (spec,) = drawn(metric("a_s", 1.0), metric("c_s", 2.0))
    assert bars(spec) == [("cold", "first", 0, 1), ("cold", "third", 1, 3)]


def test_without_any_stage_or_with_several_units_there_is_no_chart():
    assert drawn(metric("other_s", 1.0)) == []
    assert drawn(metric("a_s", 1.0), metric("b_s", 1.0, unit="tasks")) == []


@given(st.lists(st.lists(st.floats(0, 1e6), max_size=4), min_size=1, max_size=6).filter(any))
def test_steps_add_up_to_the_means(values):
    spec = stages([Staircase("all", [(str(n), found) for n, found in enumerate(values)])], unit="tasks")
    steps = bars(spec)
    assert all(low <= high for _, _, low, high in steps)
    assert steps[-1][3] == pytest.approx(sum(sum(v) / len(v) for v in values if v), rel=1e-4)


def test_text_in_labels_is_text_and_the_chart_can_be_drawn():
    spec = stages([Staircase(HOSTILE, [(HOSTILE, [1.0]), ("b", [2.0])])], unit="s", title=HOSTILE, notes=[HOSTILE])
    image = svg(spec)
    assert "&lt;/script&gt; datum.x + 1 {{x}}" in image
    assert "</script>" not in image


# Curves of samples in one long table.
TABLE = {
    "kind": ["cold", "cold", "warm", "cold"],
    "quantity": ["boot", "task", "boot", "other"],
    "value_s": [1.0, 2.0, 3.0, None],
}


def samples_chart(**changes):
    return SamplesChart("x", "X", "x", "value_s", "s", by="quantity", labels={"task": "t", "boot": "b"}, **changes)


def test_a_chart_of_samples_takes_the_rows_and_words_that_it_names_in_its_own_order():
    found = described_curves(TABLE, samples_chart(only=True, where={"kind": "cold"}))
    assert list(found.items()) == [("task", [2.0]), ("boot", [1.0])]
    assert described_curves(TABLE, samples_chart(where={"kind": "warm"})) == {"boot": [3.0]}
    assert described_curves(TABLE, samples_chart()) == {"boot": [1.0, 3.0], "task": [2.0]}


def test_more_words_than_a_reader_tells_apart_do_not_hide_those_that_are_named():
    many = {
        "kind": ["cold"] * 40,
        "quantity": [f"q{n}" for n in range(38)] + ["boot", "task"],
        "value_s": [float(n) for n in range(40)],
    }
    assert described_curves(many, samples_chart(only=True)) == {"task": [39.0], "boot": [38.0]}


@pytest.mark.parametrize(
    "table", [{}, {"value_s": [1.0]}, {**TABLE, "kind": ["cold"]}, {**TABLE, "kind": [[], {}, None, 3]}]
)
def test_samples_of_another_shape_make_no_curve(table):
    assert described_curves(table, samples_chart(only=True, where={"kind": "cold"})) == {}

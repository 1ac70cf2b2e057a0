"""What charts say: the numbers, how sure they are, how many there are; and that no record's text becomes more than text."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.charts import Bars, Dot, Grid, Line, Lines, Square
from perfdb.record import Metric
from perfdb.report.charts import (
    VEGALITE,
    Group,
    Place,
    Samples,
    Staircase,
    ecdf,
    history,
    iterations,
    pictures,
    ratios,
    repetitions,
    scaling,
    stages,
)
from perfdb.report.charts.ecdf import percentiles, steps
from perfdb.report.charts.scales import axis, named
from perfdb.report.charts.spec import Spec
from tests.report.charts.examples import comparison, metric, series

HOSTILE = "</script><script>alert(1)</script> \" ' \\ datum.x + 1 {{x}} ${y} a.b[0] @slot:x \u202e\u2028"


def subtitle(spec: Spec) -> str:
    return " ".join(spec["title"]["subtitle"])


def step(value, number, repetition=1):
    return Metric(name="rate", unit="tasks/s", direction="higher", value=value, step=number, repetition=repetition)


def made(text: str) -> list[Lines | Grid | Bars]:
    """What a family may make, with that text wherever one can stand."""
    line, rule = Line(text, (Dot(1.0, 1.0, told=text), Dot(2.0, 3.0, 2.0, 4.0))), Line(text, (Dot(1.0, 2.0),), text)
    square = Square(text, text, 0.5, text, text)
    return [
        Lines(text, text, text[:40], (line, rule), remarks=(text,)),
        Grid(text, text, (text,), (text,), (square,), (text,)),
        Bars(text, text, ((text, 3), (text, 4)), 3.5, (text,)),
    ]


def charts(text: str) -> list[Spec]:
    """Every kind of chart, with a record's text wherever one can stand."""
    told = comparison(metric("rate", 1.1))
    side = told.sides[0].model_copy(update={"label": text, "name": text})
    mark = series().marks[0].model_copy(update={"note": text})
    first = series().points[0].model_copy(update={"version": text})
    common = {"name": text, "unit": text[:40], "title": text, "notes": [text]}
    return [
        ecdf([Samples(text, [1.0, 2.0]), Samples(f"{text}!", [3.0])], **common),
        repetitions([Group(text, [1.0, 2.0]), Group(text, [3.0])], **common),
        iterations([step(1.0, 1), step(2.0, 2)], title=text, notes=[text]),
        history(
            series(marks=(mark,), points=(first, *series().points[1:])),
            metric=text,
            by="version",
            title=text,
            notes=[text],
        ),
        ratios(told.model_copy(update={"sides": (side, *told.sides[1:])}), title=text),
        scaling([Place(text, 1.0, [1.0], 1), Place(text, 2.0, [2.0], 1)], param=text, **common),
        stages([Staircase(text, [(text, [1.0]), ("b", [2.0])])], unit=text[:40], title=text, notes=[text]),
        *(pictures.drawn(data, title=text, notes=[text]) for data in made(text)),
    ]


def test_a_distributions_last_step_is_all_of_it():
    assert steps([5.0, 1.0, 2.0, 1.0]) == [(1.0, 0.0), (1.0, 0.5), (2.0, 0.75), (5.0, 1.0)]


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=2000))
def test_a_drawn_distribution_is_never_far_from_the_samples(values):
    drawn = steps(values)
    assert len(drawn) <= 121
    assert drawn[-1] == (max(values), 1.0)
    for value, share in drawn[1:]:
        assert sum(v <= value for v in values) / len(values) == pytest.approx(share, abs=1e-9)
    gaps = [b - a for (_, a), (_, b) in pairwise(drawn)]
    ties = max(values.count(v) for v in set(values)) / len(values)
    assert max(gaps) <= 0.0125 + 1 / len(values) + ties


def test_a_percentile_needs_enough_samples():
    assert [q for q, _ in percentiles([1.0] * 19)] == [0.5]
    assert [q for q, _ in percentiles([1.0] * 99)] == [0.5, 0.95]
    assert [q for q, _ in percentiles([1.0] * 100)] == [0.5, 0.95, 0.99]


def test_a_distribution_names_its_percentiles_and_how_many_samples_they_are_of():
    spec = ecdf([Samples("serial", [n / 1000 for n in range(1, 102)])], name="latency_s", unit="s", title="Latency")
    assert subtitle(spec) == "serial: 101 samples, p50 51 ms, p95 96 ms, p99 100 ms"
    assert [mark["x"] for mark in spec["datasets"]["marks"]] == [51.0, 96.0, 100.0]


def test_repetitions_say_how_sure_their_median_is():
    spec = repetitions([Group("a", [1.0, 2.0, 4.0])], name="cold_start_s", unit="s", title="Cold start")
    assert "75% confidence" in subtitle(spec)
    assert {"low": 1.0, "high": 4.0, "x": 2.0}.items() <= spec["datasets"]["middles"][0].items()


def test_groups_of_one_name_stay_apart():
    spec = repetitions([Group("a", [1.0]), Group("a", [2.0])], name="x", unit="s")
    assert [row["s"] for row in spec["datasets"]["points"]] == ["a", "a (2)"]


def test_a_forest_of_ratios_shows_interval_verdict_counts_and_what_was_left_out():
    spec = ratios(comparison(metric("warm_tasks_per_s", 1.2), metric("idle", 1.0, interval=None)), title="T")
    (row,) = spec["datasets"]["ratios"]
    assert (row["ratio"], row["low"], row["high"]) == (1.2, 1.14, 1.26)
    assert row["told"] == "1.20 [1.14, 1.26] better"
    told = subtitle(spec)
    assert "95% interval (Hodges-Lehmann), from 3 repetitions a side" in told
    assert "Left out: 1 invalid" in told
    assert spec["datasets"]["band"] == [{"low": 0.952381, "high": 1.05}]


def test_a_history_draws_its_changes_baselines_remarks_and_counts():
    spec = history(series(), metric="warm_tasks_per_s", by="version", title="T")
    data = spec["datasets"]
    assert [(c["x"], c["told"], c["kind"]) for c in data["changes"]] == [("2026.4.1", "-14.3%", "confirmed")]
    assert [(s["g"], s["y"]) for s in data["segments"]] == [
        (3, 600.0),
        (3, 600.0),
    ]  # no level is drawn through one point or two
    assert [remark["note"] for remark in data["remarks"]] == ["new kernel"]
    assert "6 records, 18 repetitions; left out: 1 invalid" in subtitle(spec)


def test_a_suspected_change_is_drawn_unlike_a_confirmed_one():
    change = series().changes[0].model_copy(update={"certainty": "suspected", "ratio": None})
    spec = history(series(changes=(change,)), metric="rate", by="date")
    assert spec["datasets"]["changes"] == []
    assert [each["told"] for each in spec["datasets"]["suspected"]] == ["changed"]


def test_the_labels_of_changes_side_by_side_stand_on_lines_of_their_own():
    change = series().changes[0]
    changes = tuple(change.model_copy(update={"at": at}) for at in (1, 2, 5))
    for by, width in (("version", 120), ("date", 120)):
        spec = history(series(changes=changes), metric="rate", by=by, width=width)
        first, second, far = (each["down"] for each in spec["datasets"]["changes"])
        assert first < second and far == first, by
    wide = history(series(changes=changes), metric="rate", by="version", width=900)
    assert [each["down"] for each in wide["datasets"]["changes"]] == [0, 0, 0]


def test_scaling_shows_the_median_and_the_spread_of_each_place():
    spec = scaling(
        [Place("a", 4, [9.0, 10.0, 30.0], 3)], name="rate", unit="tasks/s", param="provider.nodes_per_block", title="T"
    )
    (row,) = spec["datasets"]["places"]
    assert (row["x"], row["y"], row["low"], row["high"]) == (4, 10.0, 9.0, 30.0)
    assert "3 records, 3 values" in subtitle(spec)


@pytest.mark.parametrize("hostile", [HOSTILE, "a.b[0]", "x" * 5000, "", "\u202e", "'", '"', "\\"])
def test_a_records_text_is_never_a_field_or_part_of_an_expression(hostile):
    """Asked of what the engine runs: it makes expressions of its own."""

    def code(part):
        if isinstance(part, dict):
            for key, value in part.items():
                if key in ("field", "expr", "test", "signal", "update", "url", "href", "as") and isinstance(value, str):
                    yield key, value
                else:
                    yield from code(value) if key != "values" else ()
        if isinstance(part, list):
            for item in part:
                yield from code(item)

    def compiled(text):
        return [sorted(code(vl_convert.vegalite_to_vega(spec, vl_version=VEGALITE))) for spec in charts(text)]

    assert compiled("plain") == compiled(hostile)


def test_long_text_is_cut():
    assert all(len(json.dumps(spec)) < 40_000 for spec in charts("x" * 5000))


def test_no_colour_is_in_a_chart():
    told = json.dumps(charts("plain"))
    assert "#" not in told
    assert not [spec for spec in charts("plain") if "config" in spec]


def test_a_wide_span_gets_a_logarithmic_axis_unless_a_value_is_not_positive():
    assert axis("x", "s", [1.0, 29.0]).logarithmic is False
    assert axis("x", "s", [1.0, 31.0]).logarithmic is True
    assert axis("x", "s", [0.0, 31.0], log=True).logarithmic is False


@pytest.mark.parametrize(("value", "title"), [(2e-5, "x (µs)"), (0.02, "x (ms)"), (2, "x (s)"), (2000, "x (min)")])
def test_seconds_are_shown_in_the_unit_that_reads_best(value, title):
    assert title == axis("x_s", "s", [value]).title


def test_a_metrics_name_becomes_words():
    assert named("task_latency_p50_s", "s") == "task latency p50"
    assert named("warm_tasks_per_s", "tasks/s") == "warm tasks/s"


def test_the_same_data_gives_the_same_chart():
    values = [random.Random(1).random() for _ in range(500)]
    one, other = (ecdf([Samples("a", list(v))], name="x", unit="s") for v in (values, reversed(values)))
    assert one == other

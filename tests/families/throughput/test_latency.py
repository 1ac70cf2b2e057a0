"""Latencies: quantiles as others compute them, and no number from a line that lies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.throughput.latency import read_answers, summarise
from perfdb.registry.samples import to_parquet
from tests.families.throughput.outputs import lines


def samples(**counts):
    rows = [(mode, n, 0.0, (n + 1) / 1000) for mode, count in counts.items() for n in range(count)]
    return dict(zip(("mode", "task", "submitted_s", "latency_s"), zip(*rows, strict=True), strict=True))


@pytest.mark.parametrize(
    ("count", "names"),
    [(1, []), (2, ["p50"]), (19, ["p50"]), (20, ["p50", "p95"]), (99, ["p50", "p95"]), (100, ["p50", "p95", "p99"])],
)
def test_a_quantile_that_too_few_samples_support_is_left_out(count, names):
    assert [m.name for m in summarise(samples(serial=count))] == [f"task_latency_{name}_s" for name in names]


def test_the_median_of_one_to_hundred_milliseconds():
    p50, p95, p99 = summarise(samples(serial=100))
    assert (p50.value, p95.value, p99.value) == pytest.approx((0.0505, 0.09505, 0.09901))


def test_modes_are_kept_apart():
    assert [m.name for m in summarise(samples(serial=2, chain=2, burst=20))] == [
        "task_latency_p50_s",
        "chain_task_latency_p50_s",
        "burst_task_latency_p50_s",
        "burst_task_latency_p95_s",
    ]


def test_no_samples_no_metrics():
    assert summarise({}) == ()


def row(*fields, mode="serial"):
    return json.dumps({"kind": "samples", "mode": mode, "rows": [list(fields)]})


GOOD = row(3, 0.5, 0.25)


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "null",
        "[]",
        "5",
        '{"kind": "samples"}',
        '{"kind": ["end"]}',
        '{"kind": "worker", "facts": 5}',
        '{"kind": "samples", "mode": "serial", "rows": [[1, 2]]}',
        row(1, 0.0, 0.1, mode="../../etc"),
        row(1, 0.0, 0.1, mode="serial\n"),
        row(1, 0.0, -0.1),
        row(1, 0.0, float("nan")),
        row(1, float("inf"), 0.1),
        row(1, 0.0, 1).replace("1]", "1e999]"),
        row(-1, 0.0, 0.1),
        row(10**30, 0.0, 0.1),
        row("x", 0.0, 0.1),
        "[" * 60_000,
        '{"kind":' * 10_000,
        "9" * 5000,
    ],
)
def test_a_line_that_is_no_answer_is_passed_over(hostile):
    answers = read_answers(lines([hostile, GOOD]))
    assert answers.samples == {"mode": ["serial"], "task": [3], "submitted_s": [0.5], "latency_s": [0.25]}
    assert answers.workers == []
    assert not answers.complete


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda s: st.lists(s, max_size=3))
)
def test_whatever_rows_say_can_be_kept(value):
    text = json.dumps({"kind": "samples", "mode": "serial", "rows": [[0, 0.0, 0.1], value]})
    found = read_answers(lines([text, GOOD])).samples
    assert found["task"][-1] == 3
    to_parquet(found)


def test_the_same_samples_give_the_same_parquet():
    assert to_parquet(samples(serial=20)) == to_parquet(samples(serial=20))

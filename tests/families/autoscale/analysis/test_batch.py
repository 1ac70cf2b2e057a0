"""The batch analysis: by hand-counted numbers, with intervals only where rounds are enough for them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from perfdb.families.autoscale.analysis.batch import batch_of, events_of, interval_of_mean, ready_by_round, summary
from perfdb.registry.samples import to_parquet
from perfdb.registry.validator.parquet import ParquetReader
from tests.families.autoscale.analysis.told import columns_of, started


def test_cold_and_warm_rounds_of_one_number_stay_apart():
    events = events_of(columns_of({("cold", 1): started(9.0, 7.0), ("warm", 1): started(2.0)}), "a")
    assert ready_by_round(events, "cold") == ((7.0, 9.0),)
    assert ready_by_round(events, "warm") == ((2.0,),)
    assert batch_of(events[:1], "warm") is None


def test_rounds_of_one_number_in_two_records_are_two_rounds():
    one = events_of(columns_of({("cold", 1): started(9.0)}), "a")
    other = events_of(columns_of({("cold", 1): started(8.0)}), "b")
    assert ready_by_round([*one, *other], "cold") == ((9.0,), (8.0,))
    assert batch_of([*one, *other], "cold").rounds == 2


def test_events_stand_together_and_by_ordinal():
    rounds = {("cold", n): started(10.0 + n, 20.0 + n) for n in (1, 2, 3)}
    every, first, second = batch_of(events_of(columns_of(rounds), "a"), "cold").acquisition
    assert (every.what, every.n, every.rounds, every.min, every.mean, every.max) == (
        "all nodes",
        6,
        3,
        11.0,
        17.0,
        23.0,
    )
    assert (first.what, first.n, first.mean, first.median) == ("node 1", 3, 12.0, 12.0)
    assert (second.what, second.min, second.max) == ("node 2", 21.0, 23.0)


def test_the_seeds_definition_stands_beside_the_true_start():
    node = {"task_submitted": 0.0, "first_task_started": 5.0, "seed_acquisition": 11.5}
    batch = batch_of(events_of(columns_of({("cold", 1): [node]}), "a"), "cold")
    assert [s.mean for s in batch.acquisition] == [5.0]
    assert [s.mean for s in batch.seed] == [11.5]


def test_a_stage_is_counted_from_the_latest_milestone_before_it_and_one_without_a_wait_is_zero():
    known = {
        "task_submitted": 0.0,
        "job_pending": 2.0,
        "power_up_asked": None,
        "node_booted": None,
        "script_started": 7.0,
    }
    batch = batch_of(events_of(columns_of({("cold", 1): [known]}), "a"), "cold")
    assert {s.what: s.mean for s in batch.stages} == {
        "job_pending": 2.0,
        "power_up_asked": 0.0,
        "node_booted": 0.0,
        "script_started": 5.0,
    }


def test_a_block_that_never_came_is_in_no_number():
    batch = batch_of(events_of(columns_of({("cold", 1): started(5.0)}, never_came=2), "a"), "cold")
    assert [(s.what, s.n) for s in batch.acquisition] == [("node 1", 1)]
    assert {s.what for s in batch.stages} == {"first_task_started"}


def test_too_few_rounds_have_no_interval():
    told = {n: summary("x", [[float(v)] for v in range(n)]) for n in (1, 2, 3, 5, 6, 19, 20)}
    assert [n for n, s in told.items() if s.mean_interval] == [3, 5, 6, 19, 20]
    assert [n for n, s in told.items() if s.median_interval] == [6, 19, 20]
    assert [n for n, s in told.items() if s.p95 is not None] == [20]
    assert summary("x", []) is None


def test_nodes_of_one_round_do_not_count_as_independent():
    together = summary("x", [[1.0, 1.1, 1.2, 1.3], [2.0, 2.1, 2.2, 2.3]])
    assert together.n == 8
    assert together.mean_interval is None
    assert together.median_interval is None


@given(st.lists(st.floats(0.1, 1000), min_size=3, max_size=30))
def test_the_interval_of_the_mean_is_students(values):
    low, high = interval_of_mean(values)
    assert low <= high
    spread = stats.sem(values)
    if spread > 1e-6:
        wanted = stats.t.interval(0.95, len(values) - 1, loc=math.fsum(values) / len(values), scale=spread)
        assert (low, high) == pytest.approx((max(0.0, wanted[0]), wanted[1]), rel=1e-6, abs=1e-6)


def test_the_interval_of_waits_has_no_wait_below_none():
    low, high = interval_of_mean([0.0, 0.1, 2.0])
    assert (low, high) == (0.0, pytest.approx(3.5, abs=0.1))
    assert interval_of_mean([-0.5, 0.1, 2.0])[0] < -0.5


def test_rows_that_cannot_be_are_passed_over():
    columns = columns_of({("cold", 1): started(5.0), ("cold", 2): started(6.0)})
    good = len(columns["round"])
    wrong = {
        "round": ["1", True, 1, 1, 1, 1],
        "kind": ["cold", "cold", "tepid", "cold", "cold", "cold"],
        "ordinal": [1, 1, 1, -1, 1, 1],
        "quantity": ["first_task_started"] * 5 + [None],
        "value_s": [1.0, 1.0, 1.0, 1.0, math.inf, 1.0],
    }
    for name, values in columns.items():
        values.extend(wrong.get(name, [values[0]] * 6))
    assert len(columns["round"]) == good + 6
    events = events_of(columns, "a")
    assert ready_by_round(events, "cold") == ((5.0,), (6.0,))
    assert [event.kind for event in events] == ["cold", "cold"]
    assert events_of({}, "a") == ()
    assert events_of({**columns, "kind": columns["kind"][:-1]}, "a") == ()


def test_samples_mean_the_same_after_they_were_a_file():
    columns = columns_of({("cold", 1): [{"task_submitted": 0.0, "node_booted": None, "first_task_started": 3.5}]})
    with ParquetReader() as reader:
        reader.send(to_parquet(columns))
        assert events_of(reader.receive().columns, "a") == events_of(columns, "a")

"""Metrics: each can be recomputed from the samples, and checked by hand."""

from __future__ import annotations

import io
from dataclasses import replace
from statistics import mean

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.autoscale.metrics import HEADLINE, METRICS
from perfdb.families.autoscale.rounds.answers import read_answers
from perfdb.families.autoscale.rounds.chain import read_round
from perfdb.families.autoscale.samples import COLUMNS, columns
from perfdb.families.autoscale.summarise import summarise
from perfdb.platforms import Job
from perfdb.registry.samples import to_parquet
from perfdb.registry.validator.parquet import ParquetReader
from tests.families.autoscale.planted import COLD, IDLE_S, RELEASE_S, WARM, Planted, child


def read(planted: Planted, answers=None, jobs=None, powers=True):
    said = child("02-cold-1", planted.answers() if answers is None else answers)
    return read_round(
        planted.kind, planted.number, read_answers(said.log.stdout), planted.jobs() if jobs is None else jobs, powers
    )


def several(rounds=2):
    planted = [Planted(number=n + 1, stages={**COLD, "node_booted": 2.5 + n}) for n in range(rounds)]
    return [read(p) for p in (*planted, *(Planted("warm", n + 1, WARM) for n in range(rounds)))]


def values(metrics):
    return {metric.name: metric.all_values for metric in metrics}


def about(*numbers):
    return tuple(pytest.approx(number, abs=2e-5) for number in numbers)


def test_numbers_of_two_rounds_can_be_checked_by_hand():
    found = values(summarise(columns(several())))
    start = sum(COLD.values()) - 5.0625
    assert found["node_1_acquisition_s"] == about(start, start + 1)
    assert found["node_3_acquisition_s"] == about(start + 1, start + 2)
    assert "node_4_acquisition_s" not in found
    assert found["acquisition_s"] == about(start + 0.5, start + 1.5)
    assert found["acquisition_min_s"] == about(start)
    assert found["acquisition_median_s"] == about(start + 1)
    assert found["acquisition_max_s"] == about(start + 2)
    assert "acquisition_p95_s" not in found
    assert found["stage_node_booted_s"] == about(2.5, 3.5)
    assert found["warm_stage_node_booted_s"] == (0.0, 0.0)
    assert found["stage_job_allocated_s"] == about(1.0, 1.0)
    assert found["acquired_nodes"] == (3.0, 3.0)
    assert found["censored_blocks"] == (0.0, 0.0)
    # The last node's task came back a 16th of a second after its end; the others had been idle for longer.
    idle = IDLE_S + 0.0625
    assert found["idle_to_cancel_s"] == about(idle + 0.5, idle + 0.5)
    assert found["cancel_to_release_s"] == about(RELEASE_S, RELEASE_S)
    assert found["node_s_used"] == about(30.0, 30.0)
    held = [sum(COLD.values()) + 1 + 6 + IDLE_S + RELEASE_S - 2.75 - n / 2 for n in range(3)]
    assert found["node_s_allocated"][0] == pytest.approx(sum(held), abs=1e-4)
    assert found["node_use_share"][0] == pytest.approx(30 / sum(held))


def test_the_mean_stages_add_up_to_the_mean_total():
    found = values(summarise(columns(several(1))))
    total = sum(found[f"stage_{name}_s"][0] for name in COLD)
    assert total == pytest.approx(mean(sum(COLD.values()) + n / 2 for n in range(3)), abs=1e-5)


def test_a_percentile_of_few_nodes_is_left_out():
    assert "acquisition_p95_s" not in values(summarise(columns([read(Planted(nodes=19))])))
    assert "acquisition_p95_s" in values(summarise(columns([read(Planted(nodes=20))])))


def test_every_metric_is_defined_and_every_headline_is_a_metric():
    metrics = summarise(
        columns([*several(), read(Planted(number=9, nodes=20)), read(Planted("warm", 9, WARM, nodes=20))])
    )
    assert {m.name for m in metrics} == set(METRICS)
    for metric in metrics:
        assert (metric.unit, metric.direction) == (METRICS[metric.name].unit, METRICS[metric.name].direction)
    assert set(HEADLINE) <= set(METRICS)


def test_samples_that_went_through_parquet_say_the_same():
    told = columns(several())
    data = to_parquet(told)
    again = pyarrow.parquet.read_table(io.BytesIO(data)).to_pydict()
    assert tuple(again) == COLUMNS
    assert summarise(again) == summarise(told)
    with ParquetReader() as reader:  # as whoever checks a contribution reads it
        reader.send(data)
        assert summarise(reader.receive().columns) == summarise(told)


@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_says_nothing(chance):
    told = columns(several())
    rows = list(zip(*told.values(), strict=True))
    chance.shuffle(rows)
    mixed = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    assert values(summarise(mixed)) == values(summarise(told))


def test_no_round_no_samples_no_metrics():
    assert columns([]) == {}
    assert columns([read(Planted(), [], ())]) == {}
    assert summarise({}) == ()


def test_a_block_that_never_came_up_is_kept_and_counted():
    planted = Planted()
    answers = [a for a in planted.answers() if a.get("block") != "1" or a["kind"] == "block"]
    jobs = list(planted.jobs())
    jobs[1] = Job(job_id="101", pending=jobs[1].pending, state="CANCELLED", why="PartitionDown")
    told = columns([read(planted, answers, tuple(jobs))])
    rows = [dict(zip(told, row, strict=True)) for row in zip(*told.values(), strict=True)]
    kept = {row["quantity"]: row["value_s"] for row in rows if row["block"] == "1"}
    assert {row["ordinal"] for row in rows if row["block"] == "1"} == {0}
    assert {row["node"] for row in rows if row["block"] == "1"} == {""}
    assert list(kept) == [
        "task_submitted",
        "scale_out_decided",
        "submit_returned",
        "job_pending",
        "cancel_called",
        "cancel_returned",
        "allocated",
        "watched_until",
    ]
    assert kept["watched_until"] == kept["cancel_called"]
    found = values(summarise(told))
    assert found["censored_blocks"] == (1.0,)
    assert found["acquired_nodes"] == (2.0,)
    # It held no node, and its wait for nothing is no release.
    assert found["node_use_share"][0] == pytest.approx(20 / found["node_s_allocated"][0])
    assert found["cancel_to_release_s"] == about(RELEASE_S)


def test_every_node_of_a_block_that_ran_no_task_is_held_and_counted_in_the_cost():
    planted = Planted(nodes=1)
    answers = [a for a in planted.answers() if a["kind"] != "task"]
    for answer in answers:
        if answer["kind"] == "begin":
            answer["nodes_per_block"] = 2
    (job,) = planted.jobs()
    told = columns([read(planted, answers, (job.model_copy(update={"nodes": ("n0", "n1")}),))])
    held = [v for q, v in zip(told["quantity"], told["value_s"], strict=True) if q == "allocated"]
    assert tuple(held) == about(2 * (job.ended.at - job.allocated.at).total_seconds())


def test_a_block_that_held_a_node_in_vain_counts_in_the_cost():
    planted = Planted()
    answers = [a for a in planted.answers() if a.get("block") != "1" or a["kind"] == "block"]
    whole, lacking = (values(summarise(columns([read(planted, said)]))) for said in (None, answers))
    assert lacking["node_s_allocated"] == whole["node_s_allocated"]
    assert lacking["node_s_used"] == about(20.0)


def test_a_block_is_idle_once_the_last_of_its_nodes_is():
    planted = Planted(nodes=2)
    answers = planted.answers()
    for answer in answers:
        if answer["kind"] == "begin":
            answer["nodes_per_block"] = 2
        if answer["kind"] in ("task", "registered"):
            answer["block"] = "0"
    found = values(summarise(columns([read(planted, answers)])))
    assert found["idle_to_cancel_s"] == about(IDLE_S + 0.0625)


def test_a_node_whose_cost_nobody_tells_leaves_its_round_out_of_the_cost():
    planted = Planted()
    untold = (planted.jobs()[0].model_copy(update={"ended": None}), *planted.jobs()[1:])
    found = values(summarise(columns([read(planted, jobs=untold), read(replace(planted, number=2))])))
    assert len(found["node_s_allocated"]) == 1
    assert len(found["node_s_used"]) == 2


def test_without_a_scheduler_a_block_is_released_when_cancel_returns():
    found = values(summarise(columns([read(Planted(batch=False), powers=False)])))
    assert found["cancel_to_release_s"] == about(0.25)
    assert "stage_node_booted_s" not in found
    assert "stage_job_allocated_s" not in found


def test_no_sample_names_a_node_as_the_scheduler_does():
    told = columns(several())
    texts = {value for column in told.values() for value in column if isinstance(value, str)}
    assert not texts & {"n0", "n1", "n2", "100", "101", "102"}


@pytest.mark.parametrize(
    "hostile",
    [
        {"value_s": float("nan")},
        {"value_s": float("inf")},
        {"value_s": "x"},
        {"ordinal": "1"},
        {"round": None},
        {"value_s": 10**400},
        {"value_s": 1e300},
        {"round": 2**62},
        {"round": 0},
        {"ordinal": 2**62},
        {"ordinal": -1},
        {"kind": "tepid"},
        {"resolution_s": -1.0},
        {"source": "a\x1b[31m"},
        {"source": "a" * 1000},
    ],
)
def test_numbers_that_are_none_are_refused_as_the_validator_expects(hostile):
    told = {name: list(column) for name, column in columns(several()).items()}
    for name, value in hostile.items():
        told[name][5] = value
    with pytest.raises((ValueError, TypeError, ArithmeticError)):
        summarise(told)

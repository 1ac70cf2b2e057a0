"""What people see of a run: lines while it goes on, a table afterwards, and charts."""

from __future__ import annotations

import json

import pytest

from perfdb.families import Program
from perfdb.families.charts import Pictures, RepetitionsChart, Stack, StagesChart
from perfdb.families.elastic import FAMILY
from perfdb.families.elastic.charts import CHARTS, MOST_JOBS, pictures
from perfdb.families.elastic.metrics import METRICS
from perfdb.families.elastic.progress import progress
from perfdb.families.elastic.shown import shown
from perfdb.report.charts.record_charts import charts_of
from tests.families.elastic.arms import SPEC, lines, on, runs
from tests.tracking.records import make_record

MEASURED = FAMILY.assemble(SPEC, None, runs())
RECORD = make_record(family="elastic", metrics=MEASURED.metrics)


def heard(*said: str) -> list[str]:
    hear = progress(Program("rep-1-on", ()))
    return [told for line in said if (told := hear(line)) is not None]


def test_the_end_of_an_arm_is_told_with_what_came_of_it() -> None:
    assert heard(*lines("on", on())) == ["2 jobs, 2 resizes, makespan 1.102 s"]


def test_a_job_that_did_not_complete_is_told() -> None:
    happened = [{**one, "state": "FAILED"} if "state" in one and one["job"] == 2 else one for one in on()]
    assert heard(*lines("on", happened)) == ["2 jobs, 2 resizes, makespan 1.102 s; 1 did not complete"]


def test_a_long_arm_tells_how_it_stands_less_and_less_often() -> None:
    begin = lines("on", [])[0]
    stands = [
        json.dumps({"kind": "progress", "at_s": float(at), "arrived": 2, "running": 1, "ended": 1, "promised": 2})
        for at in range(1, 10)
    ]
    assert heard(begin, *stands) == [
        "2 s, 1 of 2 jobs over, 1 running on 2 CPUs",
        "3 s, 1 of 2 jobs over, 1 running on 2 CPUs",
        "5 s, 1 of 2 jobs over, 1 running on 2 CPUs",
        "8 s, 1 of 2 jobs over, 1 running on 2 CPUs",
    ]


def test_trouble_is_told_and_nonsense_is_not() -> None:
    end = json.dumps({"kind": "end", "outcome": "failed", "trouble": "no room", "given": {}})
    assert heard("", "{", '{"kind": "end"}', end) == ["failed: no room"]


def test_the_table_has_a_row_an_arm_and_one_of_the_difference() -> None:
    heads, *rows = shown(RECORD, MEASURED.samples).table
    assert heads[:4] == ("elasticity", "makespan", "promised", "turnaround")
    assert [row[0] for row in rows] == ["off", "on", "threshold", "on less off"]
    known = {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
    assert known["on"]["makespan"] == "1.102 s"
    assert known["on less off"]["makespan"] == "-400 ms"
    assert (known["off"]["grows"], known["on"]["shrinks"]) == ("0", "1")
    assert (known["off"]["told p50"], known["on"]["told p50"]) == ("-", "4 ms")


def test_a_record_of_nothing_has_no_table() -> None:
    assert shown(make_record(family="elastic", metrics=()), {}).table == ()


def test_the_allocation_of_each_arm_is_drawn_with_the_arrivals() -> None:
    made = {picture.name: picture for picture in pictures(RECORD, MEASURED.samples)}
    assert list(made) == ["allocation-off", "allocation-on", "allocation-threshold"]
    data = made["allocation-on"].data
    assert isinstance(data, Stack)
    elastic, urgent = data.layers
    assert elastic.steps == ((0.002, 1), (0.02, 2), (0.142, 1), (1.102, 0))
    assert (elastic.kind, elastic.arrived, urgent.kind, urgent.arrived) == ("elastic", 0.0, "urgent", 0.1)
    assert data.most == 2


def test_a_strangers_thousand_jobs_are_cut_to_what_can_be_seen() -> None:
    spec = SPEC.model_copy(update={"elastic_jobs": 100})
    found = FAMILY.assemble(spec, None, runs(spec))
    data = next(pictures(RECORD, found.samples)).data
    assert isinstance(data, Stack)
    assert (len(data.layers), data.remarks) == (MOST_JOBS, ("60 of 101 jobs.",))


@pytest.mark.parametrize(
    "samples", [{}, {"arm": ["on"]}, {**MEASURED.samples, "cpus": ["many"] * len(MEASURED.samples["cpus"])}]
)
def test_what_is_no_elastic_run_has_no_picture(samples: dict[str, list[object]]) -> None:
    assert list(pictures(RECORD, samples)) == []


def test_every_chart_that_has_data_is_drawn() -> None:
    spec = SPEC.model_copy(update={"reps": 2})
    found = FAMILY.assemble(spec, None, runs(spec))
    record = make_record(family="elastic", metrics=found.metrics)
    drawn = [chart.name for chart in charts_of(record, dict(found.samples), CHARTS)]
    assert drawn == [
        "allocation-off",
        "allocation-on",
        "allocation-threshold",
        "reaction-acknowledged",
        "reaction-applied",
        "grow-stages",
        "shrink-stages",
        "elastic-against-rigid",
        "waits",
        "utilisation",
    ]


def test_charts_name_metrics_that_there_are() -> None:
    for chart in CHARTS:
        if isinstance(chart, RepetitionsChart):
            assert set(chart.metrics) <= set(METRICS)
        elif isinstance(chart, StagesChart):
            assert {f"{prefix}{stem}" for prefix in chart.groups.values() for stem in chart.stages} <= set(METRICS)
    assert any(isinstance(chart, Pictures) for chart in CHARTS)

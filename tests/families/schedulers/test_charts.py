"""The charts of a comparison: by the arms' names, from what the record says, and nothing that was cut off is hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from perfdb.families.charts import Picture
from perfdb.families.gantt import Gantt
from perfdb.families.schedulers.charts import CHARTS, pictures
from perfdb.families.schedulers.metrics import METRICS
from perfdb.families.schedulers.outcome import ArmRun
from perfdb.families.schedulers.summarise import summarise
from perfdb.families.spreads import Boxes, Curves, Differences, Staircases
from perfdb.report.charts.drawing import FORMATS
from perfdb.report.charts.record_charts import charts_of
from tests.families.schedulers.on_nodes import arm, clogged, columns_of, ran
from tests.tracking.records import make_record


def made(runs: list[ArmRun]) -> dict[str, Picture]:
    samples = columns_of(runs)
    record = make_record(family="schedulers", metrics=summarise(samples))
    return {picture.name: picture for picture in pictures(record, samples)}


def with_cut_jobs() -> list[ArmRun]:
    """Of the second arm, the last two jobs never began."""
    runs = []
    for run in clogged():
        jobs = run.outcomes
        if run.arm == 2:
            jobs = tuple(
                replace(ran(j.work.job, "", (1.0,), seen_until=31.0), work=j.work) if j.work.job > 2 else j
                for j in jobs
            )
        runs.append(replace(run, outcomes=jobs))
    return runs


def test_a_comparison_has_these_charts_in_every_format() -> None:
    samples = columns_of(clogged())
    record = make_record(family="schedulers", metrics=summarise(samples))
    charts = list(charts_of(record, samples, CHARTS))
    assert [chart.name for chart in charts] == ["gantt", "waits", "total-time", "differences", "decomposition"]
    assert all(chart.table is not None and chart.table.rows for chart in charts)
    assert all(record.record_id in str(chart.spec["title"]["subtitle"]) for chart in charts)
    for chart in charts:
        assert b"slurm:builtin" in FORMATS["svg"](chart.spec, 1.0)
    assert FORMATS["png"](charts[0].spec, 1.0).startswith(b"\x89PNG")
    assert FORMATS["html"](charts[0].spec, 1.0).startswith(b"<!doctype html>")


def test_the_timetable_is_that_of_the_middle_iteration() -> None:
    picture = made(clogged())["gantt"]
    assert isinstance(picture.data, Gantt)
    assert picture.title == "Nodes over time, iteration 1"
    assert [panel.told for panel in picture.data.panels] == ["4 jobs in 24 s", "4 jobs in 30 s"]


def test_waits_are_of_all_jobs_of_an_arm() -> None:
    data = made(clogged())["waits"].data
    assert isinstance(data, Curves)
    assert [(curve.label, sorted(curve.values)) for curve in data.curves] == [
        ("slurm:backfill", [1.0, 1.0, 1.0, 1.0, 6.0, 6.0, 12.0, 14.0]),
        ("slurm:builtin", [1.0, 1.0, 12.0, 14.0, 24.0, 24.0, 26.0, 26.0]),
    ]


def test_a_job_that_never_began_waits_longer_than_the_curve_and_is_told() -> None:
    data = made(with_cut_jobs())["waits"].data
    assert isinstance(data, Curves)
    assert [(len(curve.values), curve.larger) for curve in data.curves] == [(8, 0), (4, 4)]
    assert "slurm:builtin: 4 of 8 jobs never began." in data.remarks


def test_an_arm_in_which_nothing_began_has_no_curve_and_is_told() -> None:
    stuck = [arm(ran(1, "", (0.0,), seen_until=30.0), label="slurm:builtin", place=2)]
    data = made([arm(ran(1, "0", (0.0, 1.0, 1.0, 9.0, 9.0))), *stuck])["waits"].data
    assert isinstance(data, Curves)
    assert [curve.label for curve in data.curves] == ["slurm:backfill"]
    assert "slurm:builtin: 1 of 1 job never began." in data.remarks


def test_boxes_are_by_experiment_and_arm_from_submission_to_end() -> None:
    data = made(clogged())["total-time"].data
    assert isinstance(data, Boxes)
    assert [(box.group, box.series, box.values) for box in data.boxes][:2] == [
        ("size-1", "slurm:backfill", (5.0, 10.0, 5.0, 10.0)),
        ("size-1", "slurm:builtin", (28.0, 28.0, 30.0, 30.0)),
    ]
    assert [box.group for box in data.boxes] == ["size-1"] * 2 + ["size-3"] * 2 + ["size-4"] * 2


def test_a_job_that_was_not_over_is_in_its_box_with_what_it_took_until_then() -> None:
    data = made(with_cut_jobs())["total-time"].data
    assert isinstance(data, Boxes)
    (box,) = [box for box in data.boxes if (box.group, box.series) == ("size-1", "slurm:builtin")]
    assert (box.values, box.at_least) == ((), (30.0,) * 4)


def test_a_job_that_failed_is_told_and_no_value() -> None:
    failed = replace(ran(2, "0", (0.0, 1.0, 1.0, 2.0, 2.0)), state="FAILED")
    data = made([arm(ran(1, "0", (0.0, 1.0, 1.0, 9.0, 9.0)), failed)])["total-time"].data
    assert isinstance(data, Boxes)
    assert [box.values for box in data.boxes] == [(9.0,)]
    assert data.remarks == ("slurm:backfill: without 1 job that failed or was cut off.",)


def test_differences_are_those_of_the_records_metrics() -> None:
    picture = made(clogged())["differences"]
    assert isinstance(picture.data, Differences)
    assert picture.data.quantity == "difference to slurm:backfill"
    assert picture.data.rows == (
        ("makespan, slurm:builtin", (6.0, 6.0)),
        ("wait, slurm:builtin", (10.25, 11.25)),
        ("turnaround, slurm:builtin", (10.25, 11.25)),
    )


def test_simulators_alone_have_no_differences_since_each_gives_the_same_again() -> None:
    names = {1: "simulated:easy", 2: "simulated:fifo"}
    runs = [replace(run, label=names[run.arm]) for run in clogged()]
    assert "differences" not in made(runs)
    measured = [replace(run, arm=3, label="slurm:backfill") for run in clogged() if run.arm == 1]
    data = made([*runs, *measured])["differences"].data
    assert isinstance(data, Differences)
    assert [label for label, _ in data.rows] == [
        "makespan, slurm:backfill",
        "wait, slurm:backfill",
        "turnaround, slurm:backfill",
    ]
    assert data.remarks[1] == "Without simulated:fifo: simulators give the same each time, so chance has no part."


def test_one_iteration_has_no_distribution_of_differences() -> None:
    assert "differences" not in made(clogged()[:2])


def test_a_jobs_time_is_made_of_queue_start_up_run_and_release() -> None:
    data = made(clogged())["decomposition"].data
    assert isinstance(data, Staircases)
    assert [label for label, _ in data.groups] == ["slurm:backfill", "slurm:builtin"]
    assert [name for name, _ in data.groups[0][1]] == ["queue", "start-up, nodes held", "run", "release, nodes held"]
    assert data.groups[0][1][1][1] == (0.5, 0.5)


def test_an_arm_without_means_is_left_out_of_them_and_named() -> None:
    found = made(with_cut_jobs())
    data = found["decomposition"].data
    assert isinstance(data, Staircases)
    assert [label for label, _ in data.groups] == ["slurm:backfill"]
    assert data.remarks == ("Without slurm:builtin: where a job was not seen to its end, no mean is stated.",)
    assert "differences" not in found


def test_what_is_simulated_is_said_on_every_chart() -> None:
    runs = [replace(run, label="simulated:easy") if run.arm == 2 else run for run in clogged()]
    found = made(runs)
    assert len(found) == 5
    assert all(picture.data.remarks[0] == "Simulated, not measured: simulated:easy." for picture in found.values())
    assert not any("imulated" in remark for picture in made(clogged()).values() for remark in picture.data.remarks)


def test_arms_of_one_name_stay_apart() -> None:
    found = made([replace(run, label="slurm=here") for run in clogged()])
    data = found["waits"].data
    assert isinstance(data, Curves)
    assert [curve.label for curve in data.curves] == ["slurm=here (1)", "slurm=here (2)"]


def test_charts_name_metrics_that_there_are() -> None:
    from perfdb.families.schedulers.charts import PAIRED, PARTS

    assert {f"arm2_less_arm1_{name}" for name in PAIRED} | {f"arm1_{name}" for name in PARTS} <= set(METRICS)


@pytest.mark.parametrize(
    "samples", [{}, {"iteration": [1]}, {**columns_of(clogged()), "arm": ["x"] * 24}, {"iteration": 3}]
)
def test_samples_of_another_shape_make_no_picture(samples: Any) -> None:
    assert list(pictures(make_record(family="schedulers"), samples)) == []


def test_waits_are_of_jobs_and_a_jobs_time_is_counted_from_its_submission() -> None:
    found = made(clogged())
    waits, parts = found["waits"].data, found["decomposition"].data
    assert isinstance(waits, Curves) and waits.of == "job"
    assert isinstance(parts, Staircases) and parts.quantity == "time since submission"

"""Boxes for a figure: values as they are, jobs that did not end among them, and nothing unlike on one axis."""

from __future__ import annotations

import pytest

from perfdb.errors import UsageError
from perfdb.families.charts import Picture
from perfdb.families.schedulers.analysis.boxes import boxes_of
from perfdb.families.schedulers.analysis.case import RUNNING_TO_END, TOTAL, Row
from perfdb.families.spreads import Box, Boxes
from tests.families.schedulers.analysis.given import case, row

BOTH = ("scheduler", "experiment")


def data(picture: Picture) -> Boxes:
    assert isinstance(picture.data, Boxes)
    return picture.data


def test_each_scheduler_and_experiment_has_a_box_in_order_of_the_numbers_in_their_names() -> None:
    picture = boxes_of(
        [
            case("fluence", row(0, 40), row(1, 60), experiment="size-10"),
            case("default", row(0, 30), experiment="size-10"),
            case("fluence", row(0, 20), experiment="size-2"),
        ],
        TOTAL,
        BOTH,
    )
    assert picture.title == "Submission to end, by scheduler and experiment"
    assert (data(picture).quantity, data(picture).unit) == ("submission to end", "s")
    assert data(picture).boxes == (
        Box("size-2", "fluence", (20.0,)),
        Box("size-10", "default", (30.0,)),
        Box("size-10", "fluence", (40.0, 60.0)),
    )


@pytest.mark.parametrize(("by", "group"), [("scheduler", "default"), ("experiment", "size-2")])
def test_what_is_not_told_apart_is_in_one_box(by: str, group: str) -> None:
    cases = [case("default", row(0, 10), experiment="size-2"), case("default", row(0, 20), experiment="size-2")]
    picture = boxes_of(cases, TOTAL, (by,))
    assert data(picture).boxes == (Box(group, "all", (10.0, 20.0)),)
    assert picture.title == f"Submission to end, by {by}"


def test_a_job_that_was_not_over_is_as_long_as_it_was_watched_and_one_that_failed_is_left_out_and_told() -> None:
    watched = Row((0, 0), 0.0, None, None, {}, is_censored=True, watched_s=300.0)
    failed = Row((0, 0), 0.0, 1.0, 2.0, {}, is_censored=True)
    picture = boxes_of([case("slurm", row(0, 10), watched, failed, made="measured")], TOTAL, BOTH)
    assert data(picture).boxes == (Box("size-2", "slurm", (10.0,), (300.0,)),)
    assert data(picture).remarks == ("slurm: without 1 job of which it is not known.",)


def test_an_experiment_whose_jobs_all_clogged_has_a_box_that_says_so() -> None:
    clogged = Row((0, 0), 0.0, None, None, {}, is_censored=True, watched_s=300.0)
    cases = [case("slurm", row(0, 10), made="measured"), case("slurm", clogged, made="measured", experiment="size-3")]
    assert data(boxes_of(cases, TOTAL, BOTH)).boxes[1] == Box("size-3", "slurm", (), (300.0,))


def test_what_was_simulated_and_what_was_imported_says_so() -> None:
    for made, said in (
        ("simulated", "Simulated, not measured: easy."),
        ("imported", "Imported, not measured here: easy."),
    ):
        assert data(boxes_of([case("easy", row(0, 10), made=made)], TOTAL, BOTH)).remarks == (said,)


def test_measured_and_simulated_arms_of_one_record_share_a_figure() -> None:
    cases = [
        case("slurm", row(0, 10), made="measured", of="clog here"),
        case("simulated:easy", row(0, 9), made="simulated", of="clog, simulated"),
    ]
    assert len(data(boxes_of(cases, TOTAL, BOTH)).boxes) == 2


def test_two_runs_are_refused_with_their_records() -> None:
    cases = [case("slurm", row(0, 10), of="clog"), case("slurm", row(0, 10), of="mixed", record="2" * 16)]
    with pytest.raises(
        UsageError, match=f"these are 2, .* imported: clog .*: {'1' * 16}; imported: mixed .*: {'2' * 16}"
    ):
        boxes_of(cases, TOTAL, BOTH)


def test_total_times_of_two_definitions_are_refused_and_other_times_of_these_jobs_are_not() -> None:
    cases = [
        case("slurm", row(0, 10, wall=5)),
        case("kueue", row(0, 10, wall=6), definition=RUNNING_TO_END, record="2" * 16),
    ]
    with pytest.raises(UsageError, match=r"first seen running to end"):
        boxes_of(cases, TOTAL, BOTH)
    assert data(boxes_of(cases, "wall_time_s", BOTH)).quantity == "wall time"

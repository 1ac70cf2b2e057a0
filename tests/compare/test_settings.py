"""Runs on schedulers that are set differently are unlike, setting by setting."""

from __future__ import annotations

from typing import Any

import pytest

from perfdb.compare.dimensions import dimensions_of
from perfdb.compare.history import history
from perfdb.compare.settings import FIRST, PREFIX, in_order, telling
from perfdb.errors import UnlikeRunsError
from tests.compare.made import compared, only, rate, run, runs

NEW = "2025.11.3"
BACKFILL = {"SchedulerType": "sched/backfill", "SelectType": "select/cons_tres", "SelectTypeParameters": "CR_CPU"}
BUILTIN = {**BACKFILL, "SchedulerType": "sched/builtin"}
LINEAR = {"SchedulerType": "sched/backfill", "SelectType": "select/linear"}
CLOUD = {**BACKFILL, "ResumeProgram": "set", "ResumeTimeout": "32 sec", "SuspendTime": "12 sec", "boot_s": "2"}


def on(settings: dict[str, str] | None, **changes: Any) -> list[Any]:
    return runs(700, scheduler="slurm", settings=settings, **changes)


def test_each_setting_is_a_dimension_what_people_ask_for_first_first():
    found = [name for name in dimensions_of(run(rate(1.0), settings=CLOUD)) if name.startswith(PREFIX)]
    assert [name.removeprefix(PREFIX) for name in found] == [
        "SchedulerType",
        "SelectType",
        "boot_s",
        "ResumeProgram",
        "ResumeTimeout",
        "SelectTypeParameters",
        "SuspendTime",
    ]


def test_of_one_setting_that_differs_it_is_that_which_is_compared_and_names_the_sides():
    comparison = compared(on(BACKFILL), on(BUILTIN), by=None)
    assert comparison.compared == ("scheduler_settings.SchedulerType",)
    assert [side.name for side in comparison.sides] == ["sched/backfill", "sched/builtin"]
    assert comparison.came_along == ()


def test_of_several_that_differ_all_are_compared_and_told_one_by_one():
    comparison = compared(on(BACKFILL), on(LINEAR), by=None)
    assert comparison.compared == ("scheduler_settings",)
    assert [(d.dimension, d.values) for d in comparison.came_along] == [
        ("scheduler_settings.SelectType", (("'select/cons_tres'",), ("'select/linear'",))),
        ("scheduler_settings.SelectTypeParameters", (("'CR_CPU'",), ("unknown",))),
    ]


@pytest.mark.parametrize(
    ("by", "changes"),
    [("machine", {"machine": "birch"}), ("parsl_version", {"parsl": NEW}), ("spec.time", {"spec": {"time": 9.0}})],
)
def test_whatever_else_is_compared_other_settings_are_refused_and_named(by: str, changes: dict[str, Any]):
    with pytest.raises(UnlikeRunsError) as refused:
        compared(on(BACKFILL), on(BUILTIN, **changes), by=by)
    assert "  scheduler_settings.SchedulerType: 'sched/backfill' against 'sched/builtin'\n" in str(refused.value)
    assert str(refused.value).endswith("--ignore scheduler_settings.SchedulerType")


def test_many_are_ignored_by_one_name():
    with pytest.raises(UnlikeRunsError, match=r"with --ignore scheduler_settings$"):
        compared(on(BACKFILL), on(CLOUD, parsl=NEW))
    comparison = compared(on(BACKFILL), on(CLOUD, parsl=NEW), ignore=["scheduler_settings"])
    assert only(comparison).baseline.n == 8
    assert len(comparison.ignored) == 4


def test_one_that_is_ignored_by_name_leaves_the_others_refused():
    name = "scheduler_settings.SelectType"
    with pytest.raises(UnlikeRunsError, match="SelectTypeParameters") as refused:
        compared(on(BACKFILL), on(LINEAR, parsl=NEW), ignore=[name])
    assert f"{name}:" not in str(refused.value)


def test_a_scheduler_brings_its_settings():
    comparison = compared(on(BACKFILL), runs(630, scheduler="kubernetes"), by="scheduler")
    assert {d.dimension.removeprefix(PREFIX) for d in comparison.came_along} == set(BACKFILL)


def test_records_from_before_settings_were_kept_are_unlike_as_with_any_unknown():
    with pytest.raises(UnlikeRunsError, match="unknown against 'sched/backfill'"):
        compared(on(None), on(BACKFILL, parsl=NEW))
    assert only(compared(on(None), on(None, parsl=NEW))).baseline.n == 8


def test_unlike_settings_of_one_side_are_never_pooled():
    both = [*on(BACKFILL, count=4), *on(BUILTIN, count=4, first_hour=4)]
    other = [*on(BACKFILL, parsl=NEW), *on(BUILTIN, parsl=NEW)]
    cases = compared(both, other).cases
    types = [case.alike["scheduler_settings.SchedulerType"] for case in cases]
    assert types == ["sched/backfill", "sched/builtin"]


def test_a_history_never_mixes_settings_and_names_as_few_as_tell_them_apart():
    records = [run(rate(v), hour=v, settings=s) for v, s in ((1, BACKFILL), (2, CLOUD), (3, LINEAR), (4, CLOUD))]
    found = history(records, "warm_tasks_per_s").series
    assert sorted(len(each.points[0].records) for each in found) == [1, 1, 2]
    names = {name for each in found for name in each.circumstances if name.startswith(PREFIX)}
    assert names == {"scheduler_settings.SelectType", "scheduler_settings.boot_s"}


def test_as_few_as_tell_all_apart_are_told():
    assert telling([]) == telling([{}]) == telling([CLOUD, CLOUD]) == []
    assert telling([BACKFILL, BUILTIN]) == ["SchedulerType"]
    assert telling([BACKFILL, CLOUD, {**CLOUD, "boot_s": "6", "ResumeTimeout": "36 sec"}]) == ["boot_s"]
    assert telling([{"a": "1"}, {"b": "1"}, {}]) == ["a", "b"]


def test_the_order_is_of_all_names():
    assert in_order(["b", "boot_s", "a", "SchedulerType"]) == ["SchedulerType", "boot_s", "a", "b"]
    assert len(set(FIRST)) == len(FIRST)

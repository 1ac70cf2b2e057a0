"""Which records make one series, which points it has, and where a baseline ends."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from perfdb.compare.history import Past, Series, history
from perfdb.record import Annotation, Code, ConfigRef, Environment, Metric, Origin, Record, Sitting
from tests.tracking.records import STARTED, make_record

RATE = "warm_tasks_per_s"


def at(day: float, version: str | None = "2024.1.1", *values: float, unit: str = "tasks/s", **changes: Any) -> Record:
    """A record of that day, that version and those repetitions."""
    metric = Metric(name=RATE, unit=unit, direction="higher", values=values or (100.0,))
    began = STARTED + timedelta(days=day)
    source = changes.pop("source", None)
    measured = {"parsl": version} if version else {}
    fields: dict[str, Any] = {
        "metrics": (metric,),
        "code": Code(perfdb_version="0.1.0", measured={**measured, **({"parsl_source": source} if source else {})}),
        "started_at": began,
        "ended_at": began + timedelta(seconds=30),
        **changes,
    }
    return make_record(**fields)


def config(name: str = "local_htex", source: str = "a", params: str = "b") -> ConfigRef:
    return ConfigRef(name=name, source_sha256=source * 64, fingerprint=params * 64)


def only(records: list[Record], **asked: Any) -> Series:
    (series,) = history(records, RATE, **asked).series
    return series


def about(*records: Record, resets: bool = True) -> Annotation:
    return Annotation(
        uuid="5" * 32,
        at=STARTED,
        record_ids=tuple(record.record_id for record in records),
        note="new switches",
        resets_baseline=resets,
    )


def test_versions_stand_in_their_own_order_not_in_that_of_text_or_time() -> None:
    versions = ["2024.10.7", "2024.9.30", "2023.12.4", "2024.10.21"]
    series = only([at(day, version) for day, version in enumerate(versions)])
    assert [p.version for p in series.points] == ["2023.12.4", "2024.9.30", "2024.10.7", "2024.10.21"]


def test_records_of_one_version_make_one_point_and_one_spelled_otherwise_joins_them() -> None:
    records = [at(1, "2024.7.1", 90.0, 110.0, 100.0), at(2, "2024.07.01", 120.0), at(3, "2024.7.1", 130.0)]
    (point,) = only(records).points
    assert point.medians == (100.0, 120.0, 130.0)
    assert point.value == 120.0
    assert (point.low, point.high) == (90.0, 130.0)
    assert point.records == tuple(record.record_id for record in records)


def test_by_date_each_record_is_a_point() -> None:
    series = only([at(day, "2024.7.1", 100.0 + day) for day in (3, 1, 2)], by="date")
    assert [p.value for p in series.points] == [101.0, 102.0, 103.0]


def test_a_commit_is_a_point_of_its_own_after_the_release_it_calls_itself() -> None:
    series = only([at(1, "2024.7.1", source="commit abc"), at(2, "2024.7.1"), at(3, "2024.7.8")])
    assert [(p.version, p.source) for p in series.points] == [
        ("2024.7.1", None),
        ("2024.7.1", "commit abc"),
        ("2024.7.8", None),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"environment": Environment(machine="desktop")},
        {"config": config("local_threads")},
        {"config": config(source="c", params="d")},
        {"spec": {"time_s": 9}},
        {"overrides": {"provider.max_blocks": 2}},
        {"experiment": "before-the-move"},
        {"family": "scaling", "experiment": "throughput"},
        {"unit": "1"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_unlike_records_are_never_in_one_series(change: dict[str, Any]) -> None:
    found = history([at(1), at(2, "2024.1.8", **change)], RATE)
    assert [len(series.points) for series in found.series] == [1, 1]


def test_how_often_it_was_repeated_and_how_long_at_most_makes_no_other_series() -> None:
    spec = {"time": 5, "reps": 3}
    series = only([at(1, spec=spec), at(2, "2024.1.8", spec={"time": 5, "reps": 10, "timeout_s": 60.0})])
    assert len(series.points) == 2


def test_a_changed_comment_in_the_config_makes_no_other_series() -> None:
    """Its source is another one, and what it sets up is the same under one release at least."""
    records = [
        at(1, "2024.1.1", config=config(source="a", params="1")),
        at(2, "2024.1.8", config=config(source="a", params="2")),
        at(3, "2024.1.8", config=config(source="c", params="2")),
        at(4, "2024.1.15", config=config(source="c", params="3")),
    ]
    assert [len(p.records) for p in only(records).points] == [1, 2, 1]


def test_imported_records_without_a_config_are_told_apart_by_their_parameters() -> None:
    origin = Origin(kind="imported", source_kind="csv", source="x", source_sha256="d" * 64)
    records = [at(day, config=None, origin=origin, params={"size": size}) for day, size in ((1, 4), (2, 8))]
    found = history(records, RATE, by="date")
    assert sorted(str(series.circumstances["param.size"]) for series in found.series) == ["4", "8"]


def test_what_failed_or_was_withdrawn_counts_for_nothing_and_is_told() -> None:
    gone = at(2, "2024.1.8", 1.0)
    failed = at(3, "2024.1.15", status="failed", reason="no such file", metrics=())
    series = only([at(1, "2024.1.1"), gone, failed, at(4, "2024.1.22")], withdrawn={gone.record_id})
    assert [p.version for p in series.points] == ["2024.1.1", "2024.1.22"]
    told = [(each.record, each.why, each.before) for each in series.left_out]
    assert told == [(gone.record_id, "withdrawn", 1), (failed.record_id, "failed", 1)]
    assert series.left_out[1].reason == "no such file"


def test_a_release_that_does_not_install_is_told_in_the_series_it_took_turns_with() -> None:
    sitting = Sitting(uuid="a" * 32, turns=(1,))
    measured = [at(1, version, sitting=sitting) for version in ("2024.1.1", "2024.1.8")]
    refused = {"status": "failed", "metrics": (), "config": None, "params": {}, "sitting": sitting}
    stray, known = at(1.1, "2024.1.4", **refused), at(1.2, "2024.1.8", **refused)
    series = only([*measured, stray, known])
    assert [(each.record, each.before) for each in series.left_out] == [(stray.record_id, 1)]


def test_a_record_without_a_version_has_no_place_among_versions() -> None:
    series = only([at(1, None), at(2)])
    assert len(series.points) == 1
    assert [each.why for each in series.left_out] == ["no version"]


def test_a_new_baseline_cuts_the_series_and_no_change_is_found_across_it() -> None:
    records = [at(day, f"2024.1.{day + 1}", 100.0 + day % 3 if day < 20 else 50.0 + day % 3) for day in range(40)]
    (change,) = only(records).changes
    assert (change.at, change.certainty) == (20, "confirmed")
    series = only(records, annotations=[about(records[20])])
    assert series.stretches == (0, 20)
    assert series.changes == ()
    assert [(mark.at, mark.note) for mark in series.marks] == [(20, "new switches")]
    assert only(records, annotations=[about(records[20], resets=False)]).changes == (change,)


def test_changes_after_a_new_baseline_are_told_by_their_place_in_the_whole_series() -> None:
    levels = [100.0] * 10 + [50.0] * 20 + [60.0] * 20
    records = [at(day, "2024.1.1", level + day % 3) for day, level in enumerate(levels)]
    (change,) = only(records, by="date", annotations=[about(records[10])]).changes
    assert (change.at, change.before, change.after) == (30, 51.0, 61.0)


def test_what_was_measured_before_a_new_baseline_is_not_mixed_with_the_same_version_after_it() -> None:
    old = [at(day, f"2024.1.{day + 1}", 100.0) for day in range(5)]
    new = [at(10 + day, f"2024.1.{day + 1}", 50.0) for day in range(5)]
    series = only([*old, *new], annotations=[about(new[0])])
    assert [p.value for p in series.points] == [50.0] * 5
    assert series.stretches == (0,)
    assert {each.why for each in series.left_out} == {"before a new baseline"}


def test_among_those_that_took_turns_a_new_baseline_begins_at_its_version() -> None:
    sitting = Sitting(uuid="a" * 32, turns=(1,))
    records = [at(random.Random(i).random(), f"2024.1.{i + 1}", sitting=sitting) for i in range(6)]
    assert only(records, annotations=[about(records[3])]).stretches == (0, 3)


def test_one_release_that_is_off_is_confirmed_where_all_took_turns() -> None:
    draw = random.Random(1)
    records = [
        at(draw.random(), f"2024.{i + 1}.1", *(draw.lognormvariate(0, 0.03) * (80 if i == 6 else 100) for _ in range(5)),
           sitting=Sitting(uuid="a" * 32, turns=tuple(range(1 + i, 61, 12))))
        for i in range(12)
    ]  # fmt: skip
    series = only(records)
    assert [(c.at, c.certainty, c.evidence) for c in series.changes] == [
        (6, "confirmed", "repetitions"),
        (7, "confirmed", "repetitions"),
    ]
    # The same numbers, each measured on a day of its own: one point proves nothing.
    apart = [record.model_copy(update={"sitting": None}) for record in records]
    assert not [change for change in only(apart).changes if change.certainty == "confirmed"]


def test_by_date_the_newest_version_stands_for_a_sitting() -> None:
    sitting = Sitting(uuid="a" * 32, turns=(1,))
    records = [
        at(1 + i / 10, version, sitting=sitting) for i, version in enumerate(["2024.1.8", "2024.1.15", "2024.1.1"])
    ]
    series = only([at(0), *records, at(5)], by="date")
    assert [p.version for p in series.points] == ["2024.1.1", "2024.1.15", "2024.1.1"]
    assert [each.why for each in series.left_out] == ["an older version of the same sitting"] * 2


def test_another_machine_under_the_same_label_is_remarked_on() -> None:
    environments = [Environment(machine="laptop-7f3a", machine_fingerprint=sign * 16) for sign in "ab"]
    series = only([at(day, environment=each) for day, each in enumerate(environments)])
    assert "2 fingerprints" in series.remarks[0]


def test_the_order_of_the_records_makes_no_difference() -> None:
    records = [at(day, f"2024.1.{day % 7 + 1}", 100.0 + day) for day in range(20)]
    shuffled = random.Random(3).sample(records, len(records))
    for by in ("version", "date"):
        assert history(records, RATE, by=by) == history(shuffled, RATE, by=by)


def test_the_metrics_of_whole_runs_are_listed() -> None:
    assert Past([make_record()]).metrics() == ["cold_start_s", "warm_tasks_per_s"]


def test_a_metric_that_nobody_measured_has_no_series() -> None:
    assert history([at(1)], "no_such_metric").series == ()


@pytest.mark.parametrize(
    ("turns", "evidence"),
    [((range(1, 17, 2), range(2, 17, 2)), ["repetitions"]), ((range(1, 9), range(9, 17)), [])],
    ids=["in turns", "one after the other"],
)
def test_repetitions_decide_only_where_versions_took_turns_in_their_sitting(
    turns: tuple[range, range], evidence: list[str]
) -> None:
    records = [
        at(day, version, *(level + i for i in range(8)), sitting=Sitting(uuid="a" * 32, turns=tuple(its)))
        for day, (version, level, its) in enumerate(zip(("2024.1.1", "2024.2.1"), (700.0, 600.0), turns, strict=True))
    ]
    assert [change.evidence for change in only(records).changes] == evidence

"""What a record may hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from perfdb.record import Metric, Record, is_label, is_run_name, utc_text
from tests.tracking.records import make_record

RATE = {"name": "warm_tasks_per_s", "unit": "tasks/s", "direction": "higher"}


@pytest.mark.parametrize("good", ["a", "throughput", "laptop-7f3a", "Hopper_CPU.2", "2026-11", "x" * 64, "0a"])
def test_these_are_labels(good):
    assert is_label(good)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "0",
        "20261121",
        "²",
        ".hidden",
        "-flag",
        "_machines",
        "a/b",
        "a\\b",
        "a b",
        "a\n",
        "ends.",
        "..",
        "é",
        "x" * 65,
    ],
)
def test_these_are_no_labels(bad):
    assert not is_label(bad)
    with pytest.raises(ValidationError, match="a label is"):
        make_record(experiment=bad)


@pytest.mark.parametrize("good", ["a", "a run of Tuesday", "é", "-x", "..", "x" * 200])
def test_these_are_run_names(good):
    assert is_run_name(good)
    assert make_record(run_name=good).run_name == good


@pytest.mark.parametrize(
    "bad", ["", " ", " a", "a ", "a/b", "a\\b", "a\nb", "\x1b[31m", "a\x00", "a\u202eb", "\ud800", "x" * 201]
)
def test_these_are_no_run_names(bad):
    assert not is_run_name(bad)


@given(st.text())
def test_a_label_is_one_plain_folder_name(text):
    if is_label(text):
        assert text.isascii()
        assert not set(text) & set("/\\ \n\0:") and text not in (".", "..")


@pytest.mark.parametrize("model", ["document", "metric", "environment"])
def test_an_unknown_field_is_refused_at_every_level(model):
    document = make_record().document()
    inner = {"document": document, "metric": document["metrics"][0], "environment": document["environment"]}[model]
    inner["surprise"] = 1
    with pytest.raises(ValidationError, match="surprise"):
        Record.model_validate_json(json.dumps(document))


def test_a_record_without_a_schedulers_settings_is_spelled_as_before_there_were_any():
    assert b"scheduler_settings" not in make_record(environment={"machine": "m", "scheduler": "slurm"}).to_bytes()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"SchedulerType": ""},
        {"SchedulerType": "a\nb"},
        {"SchedulerType": "\x1b[31m"},
        {"SchedulerType": "x" * 501},
        {"SchedulerType": 7},
        {"a b": "x"},
        {"": "x"},
        {"../x": "x"},
        {"x" * 101: "x"},
        {f"n{n}": "x" for n in range(65)},
    ],
    ids=lambda settings: repr(settings)[:30],
)
def test_settings_that_are_no_short_printable_text_are_refused(settings):
    with pytest.raises(ValidationError):
        make_record(environment={"machine": "m", "scheduler_settings": settings})


def test_an_instant_without_a_time_zone_is_refused():
    with pytest.raises(ValidationError, match="time zone"):
        make_record(started_at=datetime(2026, 11, 21, 2, 28))


def test_instants_of_all_zones_are_kept_as_utc():
    local = datetime(2026, 11, 21, 4, 28, tzinfo=timezone(timedelta(hours=2)))
    assert make_record(started_at=local).document()["started_at"] == "2026-11-21T02:28:00.000000Z"


@pytest.mark.parametrize(
    "instant", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "+99999-01-01T00:00:00Z"]
)
def test_an_instant_out_of_range_is_a_validation_error_not_a_crash(instant):
    document = {**make_record().document(), "started_at": instant}
    with pytest.raises(ValidationError):
        Record.model_validate_json(json.dumps(document))


def test_an_instant_of_an_early_year_keeps_four_digits():
    assert utc_text(datetime(33, 4, 3, tzinfo=UTC)) == "0033-04-03T00:00:00.000000Z"


def test_a_metric_has_one_value_or_many():
    assert Metric(**RATE, value=1.0).all_values == (1.0,)
    assert Metric(**RATE, values=(1.0, 2.0)).all_values == (1.0, 2.0)


@pytest.mark.parametrize("given_", [{}, {"value": 1.0, "values": (1.0,)}, {"values": ()}])
def test_a_metric_without_a_value_or_with_both_is_refused(given_):
    with pytest.raises(ValidationError, match=r"values?`"):
        Metric(**RATE, **given_)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("field", ['"value": {}', '"values": [1.0, {}]'])
def test_a_metric_that_is_no_finite_number_is_refused(number, field):
    start = json.dumps(RATE)[:-1]
    with pytest.raises(ValidationError):
        Metric.model_validate_json(f"{start}, {field.format(number)}}}")


@pytest.mark.parametrize("changes", [{"duration_s": -0.1}, {"status": "great"}, {"spec": {"a": [1]}}, {"metrics": [1]}])
def test_values_out_of_bounds_are_refused(changes):
    with pytest.raises(ValidationError):
        make_record(**changes)


@pytest.mark.parametrize(
    "file", ["../secrets", "/etc/passwd", "a/../b", ".hidden", "a//b", "a\\b", "", "a/", "x" * 201]
)
def test_a_file_outside_the_records_folder_cannot_be_named(file):
    with pytest.raises(ValidationError):
        make_record(artifacts=({"file": file, "sha256": "d" * 64, "bytes": 1},))


def test_numbers_and_truths_stay_what_they_were():
    record = make_record(params={"truth": True, "one": 1, "half": 0.5, "digits": "1", "nothing": None})
    params = Record.model_validate_json(record.to_bytes()).params
    assert [(k, type(v).__name__) for k, v in sorted(params.items())] == [
        ("digits", "str"),
        ("half", "float"),
        ("nothing", "NoneType"),
        ("one", "int"),
        ("truth", "bool"),
    ]


def test_a_record_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        make_record().status = "ok"


def test_a_runs_metric_is_told_from_an_iterations():
    record = make_record()
    assert record.metric("tasks_per_s") is None
    assert record.metric("cold_start_s").value == 1.5

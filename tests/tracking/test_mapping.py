"""What MLflow is told about a record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.record import Code, Metric
from perfdb.tracking.mapping import LONGEST_PARAM, Point, fit_key, fit_value, payload_of
from tests.tracking.records import make_record


def test_sorting_by_a_metrics_name_sorts_by_its_median():
    points = payload_of(make_record()).points
    assert [Point("warm_tasks_per_s", 710.0, 0)] == [p for p in points if p.key == "warm_tasks_per_s"]


def test_every_repetition_is_a_step_of_its_own():
    points = payload_of(make_record()).points
    assert [(p.value, p.step) for p in points if p.key == "repetitions/warm_tasks_per_s"] == [
        (700.0, 1),
        (710.0, 2),
        (900.0, 3),
    ]


def test_iterations_are_steps_and_repetitions_are_told_apart():
    points = payload_of(make_record()).points
    assert [(p.value, p.step) for p in points if p.key == "rep2/tasks_per_s"] == [(100.0, 1), (700.0, 2)]


def test_an_iteration_without_a_repetition_does_not_hide_the_metric_of_the_run():
    metrics = (
        Metric(name="rate", unit="1/s", direction="higher", value=5.0),
        Metric(name="rate", unit="1/s", direction="higher", value=1.0, step=9),
    )
    points = payload_of(make_record(metrics=metrics, params={}, spec={})).points
    assert (Point("rate", 5.0, 0), Point("iterations/rate", 1.0, 9)) == points


def test_numeric_parameters_come_again_as_metrics_and_others_do_not():
    points = {p.key: p.value for p in payload_of(make_record()).points if p.key.startswith("param.")}
    assert points == {"param.provider.max_blocks": 4.0, "param.spec.time_s": 5.0, "param.spec.reps": 3.0}


def test_numbers_that_a_float_cannot_hold_stay_text():
    from perfdb.tracking.mapping import _numbers

    assert _numbers({"huge": 10**400, "endless": float("inf"), "none": float("nan"), "flag": True}) == []


@pytest.mark.parametrize(
    ("status", "mlflow_status", "validity"),
    [
        ("ok", "FINISHED", "valid"),
        ("invalid", "FINISHED", "invalid"),
        ("failed", "FAILED", "invalid"),
        ("timeout", "FAILED", "invalid"),
        ("interrupted", "KILLED", "invalid"),
    ],
)
def test_a_runs_status_says_how_the_measurement_ended(status, mlflow_status, validity):
    payload = payload_of(make_record(status=status))
    assert (mlflow_status, validity) == (payload.status, payload.tags["perfdb.validity"])


def test_unit_and_direction_are_tags():
    tags = payload_of(make_record()).tags
    assert (tags["perfdb.unit.warm_tasks_per_s"], tags["perfdb.direction.warm_tasks_per_s"]) == ("tasks/s", "higher")


def test_mlflow_is_not_told_who_ran_it():
    assert "mlflow.user" not in payload_of(make_record()).tags
    assert payload_of(make_record()).tags["mlflow.source.name"] == "perfdb"


def test_the_commit_is_a_tag_only_where_it_is_known():
    assert payload_of(make_record()).tags["mlflow.source.git.commit"] == "c" * 40
    assert "mlflow.source.git.commit" not in payload_of(make_record(code=Code(perfdb_version="0.1.0"))).tags


def test_a_long_value_is_shortened_and_says_so():
    fitted = payload_of(make_record(params={"provider.worker_init": "x" * 8123})).params["provider.worker_init"]
    assert len(fitted) == LONGEST_PARAM
    assert fitted.endswith(" … [shortened: 8123 characters, whole in record.json]")


def test_two_keys_that_mlflow_would_confuse_stay_two():
    assert fit_key("a=b") != fit_key("a?b")
    assert len({fit_key("x" * 300), fit_key("x" * 299 + "y")}) == 2


def test_a_clean_key_is_left_as_it_is():
    assert fit_key("executors.0.provider.max_blocks") == "executors.0.provider.max_blocks"


@given(st.text(max_size=400) | st.text(alphabet="a./ :", min_size=1, max_size=8))
def test_every_fitted_key_is_one_that_mlflow_accepts(name):
    from mlflow.utils.validation import _validate_metric_name, _validate_param_name, _validate_tag_name

    for validate in (_validate_metric_name, _validate_param_name, _validate_tag_name):
        validate(fit_key(name))
    assert len(fit_key(name)) <= 250


@given(st.text(), st.integers(min_value=80, max_value=200))
def test_every_fitted_value_is_within_the_limit(text, limit):
    assert len(fit_value(text, limit)) <= limit
    assert "\x00" not in fit_value(text, limit)

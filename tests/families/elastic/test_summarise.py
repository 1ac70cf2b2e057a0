"""The metrics of arms whose every time is known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.elastic import FAMILY
from perfdb.families.elastic.events import Answer, Arm, read_answers
from perfdb.families.elastic.measure import arm_of
from perfdb.families.elastic.metrics import HEADLINE, METRICS
from perfdb.families.elastic.samples import COLUMNS, Told, columns
from perfdb.families.elastic.summarise import summarise
from perfdb.registry.samples import to_parquet
from perfdb.registry.validator.parquet import ParquetReader
from tests.families.elastic.arms import SPEC, child, lines, off, on, runs


def samples() -> dict[str, list[object]]:
    told = []
    for run in runs():
        which = arm_of(run.log.name)
        assert which is not None
        told.append(Told(*which, read_answers(run.log.stdout)))
    return columns(SPEC.mix, SPEC.cooldown_s, told)


def _answers(happened: list[dict[str, Any]], arm: Arm = "on") -> tuple[Answer, ...]:
    return read_answers(child(f"rep-1-{arm}", lines(arm, happened)).log.stdout)


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[float, ...]]:
    return {metric.name: metric.all_values for metric in summarise(samples())}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("on_makespan_s", 1.102),
        ("off_makespan_s", 1.502),
        ("on_less_off_makespan_s", -0.4),
        ("on_urgent_wait_s", 0.050),
        ("off_urgent_wait_s", 0.010),
        ("on_less_off_urgent_wait_s", 0.040),
        ("on_elastic_wait_s", 0.010),
        ("on_wait_s", 0.030),
        ("on_urgent_turnaround_s", 0.250),
        ("on_elastic_turnaround_s", 1.102),
        ("on_turnaround_s", 0.676),
        # Job 1: 18 ms of one CPU, 122 ms of two, 960 ms of one; job 2: 207 ms of one.
        ("on_promised_share", 1.429 / (2 * 1.102)),
        ("on_used_share", 1.2 / (2 * 1.102)),
        ("off_promised_share", (1.5 + 0.208) / (2 * 1.502)),
        ("on_completed_share", 1.0),
        ("on_grows", 1.0),
        ("on_shrinks", 1.0),
        ("on_flaps", 1.0),
        ("off_grows", 0.0),
        ("off_flaps", 0.0),
        ("on_lost_units", 1.0),
        ("on_lost_s", 0.010),
        ("on_paused_s", 0.004),
        ("on_cost_per_resize_s", 0.007),
        ("on_grow_to_acknowledged_p50_s", 0.004),
        ("on_grow_to_applied_p50_s", 0.008),
        ("on_grow_stage_written_p50_s", 0.001),
        ("on_grow_stage_signalled_p50_s", 0.001),
        ("on_grow_stage_acknowledged_p50_s", 0.002),
        ("on_grow_stage_applied_p50_s", 0.004),
        ("on_shrink_to_applied_p50_s", 0.040),
        ("on_shrink_stage_applied_p50_s", 0.036),
        ("on_shrink_to_applied_max_s", 0.040),
    ],
)
def test_a_metric_is_what_a_reader_works_out_by_hand(
    found: dict[str, tuple[float, ...]], name: str, value: float
) -> None:
    assert found[name] == pytest.approx((value,), abs=1e-9)


def test_what_nobody_measured_is_no_metric(found: dict[str, tuple[float, ...]]) -> None:
    assert not [name for name in found if "granted" in name or "p99" in name or "rigid" in name]
    assert not [name for name in found if name.startswith(("off_grow_", "off_shrink_", "off_cost"))]


def test_each_metric_is_defined_and_of_its_definitions_unit() -> None:
    for metric in summarise(samples()):
        assert (metric.unit, metric.direction) == (METRICS[metric.name].unit, METRICS[metric.name].direction)
        assert all(METRICS[metric.name].least <= value <= METRICS[metric.name].most for value in metric.all_values)
    assert set(HEADLINE) <= set(METRICS)


def test_a_99th_percentile_needs_a_hundred_resizes() -> None:
    def many(count: int) -> set[str]:
        spec = SPEC.model_copy(update={"reps": count})
        answers = read_answers(runs()[1].log.stdout)
        told = [Told(repetition, "on", answers) for repetition in range(1, count + 1)]
        return {metric.name for metric in summarise(columns(spec.mix, spec.cooldown_s, told))}

    assert "on_grow_to_acknowledged_p99_s" not in many(99)
    assert "on_grow_to_acknowledged_p99_s" in many(100)


def test_a_job_that_never_started_leaves_its_class_without_a_wait() -> None:
    happened = [one for one in on() if (one.get("job"), one.get("what")) != (2, "started")]
    answers = _answers(happened)
    found = {metric.name for metric in summarise(columns(SPEC.mix, 0.5, [Told(1, "on", answers)]))}
    assert "on_urgent_wait_s" not in found
    assert "on_wait_s" not in found
    assert "on_elastic_wait_s" in found


def test_a_turn_after_the_cooldown_is_no_flap() -> None:
    answers = _answers(on())
    # The turn came 82 ms after the resize before.
    for cooldown_s, flaps in ((0.083, 1.0), (0.081, 0.0)):
        found = summarise(columns(SPEC.mix, cooldown_s, [Told(1, "on", answers)]))
        assert [metric.all_values for metric in found if metric.name == "on_flaps"] == [(flaps,)]


def test_a_resize_that_was_withdrawn_is_none() -> None:
    happened = [
        {**one, "what": "withdrawn"} if (one["kind"], one.get("generation"), one.get("what")) == ("resize", 2, "written") else one
        for one in on()
    ]  # fmt: skip
    found = {m.name: m.all_values for m in summarise(columns(SPEC.mix, 0.5, [Told(1, "on", _answers(happened))]))}
    assert (found["on_shrinks"], found["on_grows"], found["on_flaps"]) == ((0.0,), (1.0,), (0.0,))


def test_samples_survive_their_file() -> None:
    with ParquetReader() as reader:
        reader.send(to_parquet(samples()))
        table = reader.receive()
    assert tuple(table.columns) == COLUMNS
    assert summarise(table.columns) == summarise(samples())


@given(data=st.data())
def test_samples_of_a_stranger_are_refused_or_understood(data: st.DataObject) -> None:
    changed = {name: list(values) for name, values in samples().items()}
    name = data.draw(st.sampled_from(COLUMNS))
    place = data.draw(st.integers(0, len(changed[name]) - 1))
    strange = st.one_of(
        st.none(), st.integers(-(10**20), 10**20), st.floats(allow_nan=True), st.text(max_size=5), st.booleans()
    )
    changed[name][place] = data.draw(strange)
    try:
        found = summarise(changed)
    except ValueError:
        return
    assert {metric.name for metric in found} <= set(METRICS)


def test_a_table_without_a_column_is_refused() -> None:
    with pytest.raises(KeyError):
        FAMILY.summarise({name: values for name, values in samples().items() if name != "word"})


def test_an_arm_that_was_off_is_told_as_that() -> None:
    found = {m.name for m in summarise(columns(SPEC.mix, 0.5, [Told(1, "off", _answers(off(), "off"))]))}
    assert "off_makespan_s" in found
    assert not [name for name in found if name.startswith("on_")]

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
from tests.families.elastic.arms import SPEC, child, lines, off, on, resize, runs


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
        ("on_shrink_to_freed_p50_s", 0.040),
    ],
)
def test_a_metric_is_what_a_reader_works_out_by_hand(
    found: dict[str, tuple[float, ...]], name: str, value: float
) -> None:
    assert found[name] == pytest.approx((value,), abs=1e-9)


def _of_resizes(*resizes: list[dict[str, Any]]) -> dict[str, tuple[float, ...]]:
    """The metrics of the arm `on`, told without its own resizes and with these."""
    happened = [*(one for one in on() if one["kind"] not in ("resize", "cost")), *(one for r in resizes for one in r)]
    return {m.name: m.all_values for m in summarise(columns(SPEC.mix, 0.5, [Told(1, "on", _answers(happened))]))}


def _stages(found: dict[str, tuple[float, ...]], direction: str) -> dict[str, float]:
    first = f"on_{direction}_stage_"
    return {
        name.removeprefix(first).removesuffix("_p50_s"): round(values[0] * 1e3)
        for name, values in found.items()
        if name.startswith(first) and name.endswith("_p50_s")
    }


def test_a_stage_is_counted_from_the_one_that_came_before_it_whatever_their_order() -> None:
    """Slurm's: it gives nodes before the job is told of them, and takes them when the job has let go."""
    found = _of_resizes(
        resize(1, 1, 2, decided=20, granted=320, written=321, signalled=323, acknowledged=343, applied=347),
        resize(2, 2, 1, decided=402, written=403, signalled=405, acknowledged=425, applied=455, granted=755),
    )
    assert _stages(found, "grow") == {"granted": 300, "written": 1, "signalled": 2, "acknowledged": 20, "applied": 4}
    assert _stages(found, "shrink") == {"granted": 300, "written": 1, "signalled": 2, "acknowledged": 20, "applied": 30}


def test_a_job_that_read_of_it_before_its_signal_was_sent_has_stages_that_add_up() -> None:
    found = _of_resizes(resize(1, 1, 2, decided=20, written=21, acknowledged=24, signalled=25, applied=28))
    assert _stages(found, "grow") == {"written": 1, "signalled": 1, "acknowledged": 3, "applied": 3}


@pytest.mark.parametrize(
    ("stages", "freed_s"),
    [
        ({"applied": 142}, 0.040),
        # Slurm takes the nodes afterwards; a job that was too slow is made narrower without its word.
        ({"applied": 142, "granted": 152}, 0.050),
        ({"overdue": 132, "applied": 142}, 0.030),
        ({}, None),
    ],
)
def test_a_shrink_is_free_for_others_when_the_scheduler_has_it_back(
    stages: dict[str, float], freed_s: float | None
) -> None:
    found = _of_resizes(resize(1, 1, 2, decided=20, applied=28), resize(2, 2, 1, decided=102, signalled=104, **stages))
    assert found.get("on_shrink_to_freed_p50_s") == (None if freed_s is None else pytest.approx((freed_s,)))
    assert not [name for name in found if name.startswith("on_grow_to_freed")]


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


def test_a_job_that_was_ended_is_no_fast_one() -> None:
    happened = [
        {**one, "state": "CANCELLED"} if one.get("what") == "ended" and one["job"] == 1 else one for one in on()
    ]
    found = {m.name for m in summarise(columns(SPEC.mix, 0.5, [Told(1, "on", _answers(happened))]))}
    assert not found & {"on_makespan_s", "on_turnaround_s", "on_elastic_turnaround_s", "on_promised_share"}
    assert {"on_elastic_wait_s", "on_urgent_turnaround_s", "on_completed_share"} <= found

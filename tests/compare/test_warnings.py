"""What makes a comparison weaker than it looks is said, and what does not is not."""

from __future__ import annotations

import random

import pytest

from perfdb.compare.stability import instability, two_groups
from perfdb.record import Code, Finding, Metric, Origin
from tests.compare.made import STEADY, compared, rate, run, runs

OLD, NEW = "2025.8.4", "2025.11.3"
TURNS = ((1, 4, 5, 8), (2, 3, 6, 7))


def told(*sides: list, **options: object) -> str:
    return "\n".join(compared(*sides, **options).warnings)


def in_turns(level: float, parsl: str, turns: tuple[int, ...], **changes: object) -> list:
    """Two sittings of four repetitions each."""
    return [
        run(
            rate(*(level * (factor + number / 1000) for factor in STEADY[:4])),
            parsl=parsl,
            turns=turns,
            sitting=f"{number:032x}",
            hour=number,
            **changes,
        )
        for number in range(2)
    ]


def test_sides_that_took_turns_under_equal_load_are_warned_of_nothing():
    assert told(in_turns(700, OLD, TURNS[0], load=0.2), in_turns(630, NEW, TURNS[1], load=0.3)) == ""


def test_sides_measured_apart_in_time_are_named_with_their_days():
    text = told(runs(700), runs(630, parsl=NEW, first_hour=48))

    assert f"{OLD} and {NEW} were measured apart in time" in text
    assert "2026-11-21 02:28 to 2026-11-21 09:28 against 2026-11-23 02:28 to 2026-11-23 09:28" in text


def test_records_that_alternate_are_not_called_apart():
    text = told(runs(700), runs(630, parsl=NEW, first_hour=0.5))

    assert "apart in time" not in text


def test_records_that_hardly_alternate_are_called_mostly_apart():
    hours = ([0, 1, 2, 3, 5], [4, 6, 7, 8, 9])
    sides = [
        [run(rate(level + hour), parsl=parsl, hour=hour) for hour in side]
        for side, level, parsl in zip(hours, (700, 630), (OLD, NEW), strict=True)
    ]

    assert f"{OLD} and {NEW} were measured mostly apart in time" in told(*sides)


def test_unequal_load_is_told_with_both_loads():
    text = told(runs(700, load=0.1), runs(630, parsl=NEW, load=6.0, first_hour=0.5))

    assert "unequal load" in text
    assert "0.1 against 6.0 runnable processes" in text


def test_unequal_numbers_of_records_and_of_repetitions_are_told():
    other = [run(rate(630, 640 + i), parsl=NEW, hour=i + 0.5) for i in range(5)]
    text = told(runs(700), other)

    assert f"unequal numbers of records of {OLD} and {NEW} (8 against 5)" in text
    assert "unequal counts of values" in text
    assert "(1 against 2)" in text


def test_missing_repetitions_are_told_with_the_record():
    short = run(rate(700, 701), spec={"time": 5.0, "reps": 3}, hour=9)
    text = told([*runs(700, spec={"time": 5.0, "reps": 1}), short], runs(630, parsl=NEW, spec={"time": 5.0, "reps": 1}))

    assert f"repetitions of {OLD} are missing (record {short.record_id} has 2 of 3)" in text


def test_missing_jobs_are_told():
    finding = Finding(name="jobs_missing", value="3", evidence="17 jobs here, 20 there")
    text = told(runs(700), runs(630, parsl=NEW, findings=(finding,)))

    assert f"jobs of {NEW} are missing" in text


@pytest.mark.parametrize(("unit", "direction"), [("tasks/min", "higher"), ("tasks/s", "lower")])
def test_a_metric_whose_definition_changed_is_told_and_not_compared(unit: str, direction: str):
    changed = Metric(name="warm_tasks_per_s", unit=unit, direction=direction, value=630)  # type: ignore[arg-type]
    comparison = compared(runs(700), [run(changed, parsl=NEW, hour=i) for i in range(8)])

    assert any("the definition of warm_tasks_per_s changed" in warning for warning in comparison.warnings)
    assert comparison.cases[0].metrics == ()


def test_another_perfdb_that_measured_is_told_where_it_was_ignored():
    newer = Code(perfdb_version="0.2.0", measured={"parsl": NEW})
    text = told(runs(700), runs(630, code=newer), ignore=["perfdb_version"])

    assert "perfdb 0.1.0 and 0.2.0 measured" in text


def test_values_that_scatter_too_much_are_told():
    wild = [run(rate(value), parsl=NEW, hour=i + 0.5) for i, value in enumerate((400, 500, 600, 700, 800, 900))]

    assert f"warm_tasks_per_s of {NEW} is unstable (the standard deviation is 29 % of the mean)" in told(
        runs(700), wild
    )


def test_imported_records_are_told():
    origin = Origin(kind="imported", source_kind="csv", source="x", source_sha256="0" * 64)
    text = told(runs(700, origin=origin), runs(630, parsl=NEW, origin=origin))

    assert f"{NEW} holds imported records" in text


def test_copies_are_told():
    twins = [run(rate(700.5), hour=i) for i in range(2)]

    assert f"very same values: one may be a copy of the other ({twins[0].record_id} and" in told(
        [*twins, *runs(700)], runs(630, parsl=NEW)
    )


def test_a_side_that_lost_many_runs_is_told():
    lost = [run(rate(1), parsl=NEW, status="failed", reason="x", hour=i) for i in range(4)]

    assert f"4 of 12 runs of {NEW} did not end well" in told(runs(700), [*runs(630, parsl=NEW), *lost])


def test_what_two_series_spliced_together_look_like_is_named():
    spliced = [*(170 + i / 10 for i in range(7)), *(330 + 20 * i for i in range(13))]
    found = two_groups(spliced)

    assert found is not None
    assert (found.low[2], found.high[2]) == (7, 13)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("draw", ["bell", "even", "outlier"])
def test_one_series_is_not_taken_for_two(seed: int, draw: str):
    rng = random.Random(seed)
    values = [rng.uniform(80, 600) if draw == "even" else rng.gauss(100, 3) for _ in range(20)]
    if draw == "outlier":
        values[:2] = [400, 420]

    assert two_groups(values) is None


def test_three_values_are_the_fewest_that_can_scatter():
    assert instability([1, 100]) is None
    assert instability([99, 100, 101]) is None
    assert "extreme" in (instability([100.0] * 200 + [151]) or "")

"""Which runs are compared with which, what is refused, and what counts as one value."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfdb.compare.between import Chosen, compare
from perfdb.errors import UnlikeRunsError, UsageError
from perfdb.record import ConfigRef, Host, Metric, Origin, Record
from tests.compare.made import HEADLINES, cold, compared, only, rate, run, runs

OLD, NEW = "2025.8.4", "2025.11.3"
CONFIGS = {
    name: ConfigRef(name=name, source_sha256=sign * 64, fingerprint=sign * 64)
    for name, sign in (("a", "1"), ("b", "2"))
}


def test_a_release_that_is_a_tenth_slower_is_worse():
    found = only(compared(runs(700, parsl=OLD), runs(630, parsl=NEW)))

    assert found.verdict == "worse"
    assert found.unit_of_analysis == "record"
    assert math.isclose(0.9, found.ratio or 0, rel_tol=0.01)
    assert found.cliffs_delta == -1.0
    assert (found.baseline.n, found.other.n) == (8, 8)


def test_what_takes_longer_is_worse_where_lower_is_better():
    one = [run(cold(2.0 + i / 100), parsl=OLD, hour=i) for i in range(6)]
    other = [run(cold(2.5 + i / 100), parsl=NEW, hour=i) for i in range(6)]

    assert only(compared(one, other), "cold_start_s").verdict == "worse"
    assert only(compared(other, one), "cold_start_s").verdict == "better"


def test_a_metric_that_has_no_better_is_never_better_or_worse():
    def metric(value: float) -> Metric:
        return Metric(name="run_time_s", unit="s", direction="none", value=value)

    one, other = ([run(metric(level + i / 100), parsl=p) for i in range(8)] for level, p in ((2.0, OLD), (4.0, NEW)))

    assert only(compared(one, other, metrics=["run_time_s"]), "run_time_s").verdict == "undecided"


def test_unlike_runs_are_refused_with_every_difference_and_what_to_type():
    with pytest.raises(UnlikeRunsError) as refused:
        compared(
            runs(700, scheduler="slurm", python="3.11"),
            runs(630, scheduler="kubernetes", python="3.12", machine="birch", kernel="6.8"),
            by="machine",
        )

    assert str(refused.value) == (
        "these runs differ in more than what is compared:\n"
        "  python: '3.11' against '3.12'\n"
        "  scheduler: 'slurm' against 'kubernetes'\n"
        "compare them anyway with --ignore python --ignore scheduler"
    )
    assert refused.value.exit_code == 2


def test_what_is_ignored_may_differ_and_is_told():
    comparison = compared(
        runs(700, python="3.11"), runs(630, python="3.12", machine="birch"), by="machine", ignore=["python"]
    )

    assert only(comparison).verdict == "worse"
    assert [(d.dimension, d.values) for d in comparison.ignored] == [("python", (("'3.11'",), ("'3.12'",)))]


def test_a_machine_brings_its_hardware_and_its_system():
    comparison = compared(runs(700), runs(630, machine="birch", kernel="6.8", cpu_count=64), by="machine")

    assert comparison.compared == ("machine",)
    assert {"kernel", "cpu_count"} == {d.dimension for d in comparison.came_along}


def test_a_release_brings_packages_and_what_it_says_of_the_same_config():
    comparison = compared(
        runs(700, packages={"parsl": OLD, "dill": "0.3"}, params={"executor.new_option": None}),
        runs(630, parsl=NEW, packages={"parsl": NEW, "dill": "0.4"}, params={"executor.new_option": 5}),
    )

    assert {"package.dill", "param.executor.new_option"} == {d.dimension for d in comparison.came_along}


def test_another_configs_parameters_are_unlike_when_releases_are_compared():
    with pytest.raises(UnlikeRunsError, match=r"--ignore config"):
        compared(runs(700, config=CONFIGS["a"]), runs(630, parsl=NEW, config=CONFIGS["b"], params={"x": 1}))


def test_how_often_something_was_repeated_is_no_difference():
    comparison = compared(
        runs(700, spec={"time": 5.0, "reps": 3}), runs(630, parsl=NEW, spec={"time": 5.0, "reps": 10})
    )

    assert only(comparison).verdict == "worse"


@pytest.mark.parametrize("changes", [{"spec": {"time": 9.0}}, {"overrides": {"provider.max_blocks": 4}}])
def test_what_was_asked_for_must_be_alike(changes: dict[str, object]):
    with pytest.raises(UnlikeRunsError, match=r"spec.time|override.provider.max_blocks"):
        compared(runs(700), runs(630, parsl=NEW, **changes))


def test_of_records_named_one_by_one_the_one_group_that_differs_is_compared():
    comparison = compared(runs(700), runs(630, machine="birch", kernel="6.8"), by=None)

    assert comparison.compared == ("machine",)


def test_of_records_named_one_by_one_that_differ_in_several_the_rest_is_refused():
    with pytest.raises(UnlikeRunsError, match=r"--ignore machine$"):
        compared(runs(700), runs(630, machine="birch", parsl=NEW), by=None)


def test_a_side_against_its_like_compares_nothing():
    comparison = compared(runs(700), runs(701, first_hour=8), by=None)

    assert comparison.compared == ()
    assert only(comparison).verdict == "equivalent"


def test_machines_are_never_pooled():
    sides = [[*runs(700, parsl=p), *runs(100, parsl=p, machine="birch")] for p in (OLD, NEW)]
    comparison = compared(*sides)

    assert {"hopper", "birch"} == {str(case.alike["machine"]) for case in comparison.cases}
    assert all(case.metrics[0].baseline.n == 8 for case in comparison.cases)


def test_the_cases_of_one_sitting_stand_in_the_order_of_their_versions():
    versions = ["2026.10.26", "2023.9.1", "2026.9.7"]
    sides = [[run(rate(7), parsl=v, config=CONFIGS[name]) for v in versions] for name in ("a", "b")]
    comparison = compared(*sides, by="config")

    assert [case.alike["parsl_version"] for case in comparison.cases] == ["2023.9.1", "2026.9.7", "2026.10.26"]


def test_runs_that_nothing_is_compared_with_bring_nothing_along():
    alone = runs(300, parsl=NEW, machine="birch", packages={"dill": "0.4"}, params={"partition": "hopper"})
    comparison = compared(runs(700), [*runs(630, parsl=NEW), *alone])

    assert comparison.came_along == ()
    assert "birch" in comparison.unmatched[0]


def test_unlike_runs_of_one_side_are_never_pooled():
    side = [*runs(700, 4, packages={"dill": "0.3"}), *runs(700, 4, packages={"dill": "0.4"})]
    with pytest.raises(UnlikeRunsError, match=r"'0.3' and '0.4'\n.*--ignore package.dill"):
        compared(side, runs(630, parsl=NEW, packages={"dill": "0.4"}))

    assert only(compared(side, runs(630, parsl=NEW), ignore=["packages"])).baseline.n == 8


def test_what_one_side_alone_has_is_told_with_what_would_match_it():
    one = [*runs(700), *runs(300, machine="birch")]
    other = [*runs(630, parsl=NEW), *runs(300, machine="birch", parsl=NEW, python="3.12", first_hour=-1)]
    comparison = compared(one, other)
    (first, second) = comparison.unmatched

    assert [case.alike["machine"] for case in comparison.cases] == ["hopper"]
    assert "birch" in first
    assert "--ignore python" in first
    assert "birch" in second


def test_a_case_of_which_a_side_only_failed_is_told_and_counted():
    one = [*runs(700), *runs(300, machine="birch"), *runs(200, machine="cedar")]
    failed = [run(rate(1), parsl=NEW, machine="birch", status="failed", reason="it broke")]
    comparison = compared(one, [*runs(630, parsl=NEW), *runs(190, machine="cedar", parsl=NEW), *failed])

    assert any("1 failed" in told for told in comparison.unmatched)
    assert comparison.summaries[0].failed == 1


@pytest.mark.parametrize("status", ["failed", "invalid", "timeout", "interrupted"])
def test_what_did_not_end_well_is_left_out_and_counted(status: str):
    bad = run(rate(1.0), parsl=NEW, status=status, reason="it broke")
    comparison = compared(runs(700), [*runs(700, parsl=NEW), bad])

    assert {status: (bad.record_id,)} == comparison.sides[1].left_out
    assert only(comparison).other.n == 8


def test_withdrawn_records_are_left_out_and_counted():
    other = runs(630, parsl=NEW)
    comparison = compared(runs(700), other, withdrawn=[other[0].record_id])

    assert {"withdrawn": (other[0].record_id,)} == comparison.sides[1].left_out
    assert only(comparison).other.n == 7


def test_a_side_without_a_record_that_counts_is_refused():
    with pytest.raises(UsageError, match="side B has no record that counts \\(1 failed\\)"):
        compared(runs(700), [run(rate(1), parsl=NEW, status="failed", reason="it broke")])


def test_a_record_on_two_sides_is_refused():
    shared = runs(700)
    with pytest.raises(UsageError, match="on two sides, A and B"):
        compared(shared, shared)


def test_a_dimension_that_is_none_is_refused_with_what_there_is():
    with pytest.raises(UsageError, match=r"--ignore pyton: .* python"):
        compared(runs(700), runs(630, parsl=NEW), ignore=["pyton"])


def test_a_metric_that_no_record_has_is_refused_with_those_near():
    with pytest.raises(UsageError, match=r"--metric warm_task_per_s: .* warm_tasks_per_s"):
        compared(runs(700), runs(630, parsl=NEW), metrics=["warm_task_per_s"])


def test_repetitions_count_where_the_sides_took_turns_in_one_sitting():
    values = [700 + i for i in range(10)]
    one = run(rate(*values), turns=(1, 4, 5, 8, 9, 12, 13, 16, 17, 20))
    other = run(rate(*(v * 0.8 for v in values)), parsl=NEW, turns=(2, 3, 6, 7, 10, 11, 14, 15, 18, 19))
    found = only(compared([one], [other]))

    assert found.unit_of_analysis == "repetition"
    assert (found.baseline.n, found.other.n) == (10, 10)
    assert found.verdict == "worse"


def test_repetitions_that_ran_one_side_after_the_other_do_not_count_as_one_each():
    one = run(rate(*(700 + i for i in range(10))), turns=tuple(range(1, 11)))
    other = run(rate(*(500 + i for i in range(10))), parsl=NEW, turns=tuple(range(11, 21)))
    comparison = compared([one], [other])

    assert only(comparison).unit_of_analysis == "record"
    assert only(comparison).verdict == "too few"
    assert any("took no turns" in warning for warning in comparison.warnings)


def test_repetitions_of_unlike_sittings_are_compared_within_each():
    rng = random.Random(1)
    sides: list[list] = [[], []]
    for number, level in enumerate((700, 1400, 350)):
        for side, (factor, parsl) in enumerate(((1.0, OLD), (0.8, NEW))):
            values = [level * factor * rng.lognormvariate(0, 0.01) for _ in range(4)]
            turns = (1, 4, 5, 8) if side == 0 else (2, 3, 6, 7)
            sides[side].append(run(rate(*values), parsl=parsl, turns=turns, sitting=f"{number:032x}", hour=number))
    found = only(compared(*sides))

    assert found.unit_of_analysis == "repetition"
    assert found.baseline.n == 12
    assert found.interval is not None
    assert 0.78 < found.interval.low < found.interval.high < 0.82


def test_below_five_values_a_side_nothing_is_decided():
    found = only(compared(runs(700, 4), runs(300, 8, parsl=NEW)))

    assert found.verdict == "too few"
    assert found.p is None


def test_many_metrics_at_once_are_corrected():
    rng = random.Random(2)

    def side(parsl: str, level: float) -> list:
        return [
            run(
                rate(level * rng.lognormvariate(0, 0.001)),
                *(
                    Metric(name=f"m_{i}", unit="s", direction="lower", value=rng.lognormvariate(0, 0.1))
                    for i in range(30)
                ),
                parsl=parsl,
                hour=hour,
            )
            for hour in range(5)
        ]

    sides = side(OLD, 700), side(NEW, 500)
    alone = only(compared(*sides))
    among = only(compared(*sides, metrics=["warm_tasks_per_s", *(f"m_{i}" for i in range(30))]))

    assert alone.verdict == "worse"
    assert alone.p == among.p
    assert (among.p_adjusted or 0) > (alone.p_adjusted or 0)
    assert among.verdict == "undecided"  # 31 tests at once: the smallest p of 5 against 5 is no longer small


def test_a_suite_is_summed_up_by_the_geometric_mean_of_its_ratios():
    one = [*runs(700), *runs(400, machine="birch")]
    other = [*runs(1400, parsl=NEW), *runs(200, machine="birch", parsl=NEW)]
    (summary,) = compared(one, other).summaries

    assert math.isclose(1.0, summary.ratio, rel_tol=1e-9)
    assert summary.verdicts == {"better": 1, "worse": 1}


def test_values_that_are_all_alike_are_equivalent_even_where_they_are_zero():
    def zero(parsl: str) -> list:
        return [run(cold(0.0), parsl=parsl, run_name=f"{parsl}-{i}") for i in range(6)]

    found = only(compared(zero(OLD), zero(NEW)), "cold_start_s")

    assert found.verdict == "equivalent"
    assert found.interval is None


def test_imported_runs_are_told_from_measured_ones():
    origin = Origin(kind="imported", source_kind="csv", source="x", source_sha256="0" * 64)
    with pytest.raises(UnlikeRunsError, match="origin: 'measured' against 'imported: csv'"):
        compared(runs(700), runs(630, parsl=NEW, origin=origin))


def test_three_sides_are_each_compared_with_the_first():
    comparison = compared(runs(700), runs(630, parsl=NEW), runs(700, parsl="2026.1.1"))

    assert [(case.other, case.metrics[0].verdict) for case in comparison.cases] == [(1, "worse"), (2, "equivalent")]
    assert [side.name for side in comparison.sides] == [OLD, NEW, "2026.1.1"]


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(rnd: random.Random):
    one, other = runs(700), runs(630, parsl=NEW)
    expected = compared(one, other)

    assert expected == compared(rnd.sample(one, len(one)), rnd.sample(other, len(other)))


def test_a_record_named_twice_counts_once():
    one = runs(700)
    found = compare([Chosen("A", [*one, *one]), Chosen("B", runs(630, parsl=NEW))], headlines=HEADLINES)

    assert found.cases[0].metrics[0].baseline.n == 8


def pairs_of_one(count: int) -> tuple[list[Record], list[Record]]:
    """A value a side in each of so many sittings, in which both took turns."""
    return tuple(
        [run(rate(level + n), parsl=parsl, turns=turns, sitting=f"{n:032x}", hour=n) for n in range(count)]
        for level, parsl, turns in ((700.0, OLD, (1,)), (500.0, NEW, (2,)))
    )  # type: ignore[return-value]


def test_pairs_of_single_values_count_as_turns_only_where_they_can_give_an_interval():
    few, enough = only(compared(*pairs_of_one(5))), only(compared(*pairs_of_one(6)))

    assert (few.unit_of_analysis, few.verdict) == ("record", "worse")
    assert few.interval is not None
    assert (enough.unit_of_analysis, enough.interval is not None) == ("repetition", True)
    assert only(compared(*pairs_of_one(1))).unit_of_analysis == "record"


def both_configs(status: str) -> tuple[list[Record], list[Record]]:
    """A release that ran with configs a and b, and one whose runs with b ended like that, before any worker came."""
    workers = {"workers": (Host(pseudonym="node-0001", cpu_count=8),)}
    one = [record for config in CONFIGS.values() for record in runs(700, config=config, **workers)]
    lost = [run(parsl=NEW, status=status, reason="x", config=CONFIGS["b"], hour=hour) for hour in range(2)]
    return one, [*runs(700, parsl=NEW, config=CONFIGS["a"], **workers), *lost]


@pytest.mark.parametrize("status", ["failed", "invalid", "timeout"])
def test_a_case_that_the_other_side_no_longer_runs_is_told(status: str):
    (failed,) = compared(*both_configs(status)).failed

    assert (failed.other, failed.statuses, failed.alike["config"]) == (1, {status: 2}, "b")


def test_a_case_that_only_the_baseline_failed_or_the_other_side_never_ran_is_not_failed():
    one, other = both_configs("failed")

    assert compared(other, one).failed == ()
    assert compared(one, other[:8]).failed == ()
    assert compared(one, both_configs("interrupted")[1]).failed == ()


def test_a_failed_run_of_another_config_or_spec_is_no_failed_case():
    one, other = both_configs("failed")
    stray = [run(parsl=NEW, status="failed", reason="x", config=None, params={})]
    unasked = [run(parsl=NEW, status="failed", reason="x", config=CONFIGS["b"], spec={"time": 9.0})]

    assert compared(one, [*other[:8], *stray, *unasked]).failed == ()


def test_the_band_is_told_with_the_verdicts_that_it_made():
    assert compared(runs(700), runs(630, parsl=NEW)).band == 0.05
    assert compared(runs(700), runs(630, parsl=NEW), band=0.2).band == 0.2


VALUES = (100.0, 101.0, 99.0, 100.5, 99.5, 100.2)
FORGED = {
    "two machines": ({"turns": (1, 3, 5, 7, 9, 11)}, {"turns": (2, 4, 6, 8, 10, 12), "machine": "birch"}),
    "one turn for six values": ({"turns": (1,)}, {"turns": (2,)}),
    "times that do not overlap": ({"turns": (1, 3, 5, 7, 9, 11)}, {"turns": (2, 4, 6, 8, 10, 12), "hour": 8000}),
    "one turn taken by both": ({"turns": (1, 3, 5, 7, 9, 11)}, {"turns": (1, 3, 5, 7, 9, 11)}),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_sitting_that_cannot_have_been_makes_no_repetitions(how: str):
    mine, others = FORGED[how]
    one = run(rate(*VALUES), **mine)
    other = run(rate(*(1.2 * value for value in VALUES)), parsl="2025.9.1", **others)
    found = compare(
        [
            Chosen("a", [one], compared=("parsl_version", "machine")),
            Chosen("b", [other], compared=("parsl_version", "machine")),
        ],
        headlines=HEADLINES,
    )
    ((metric,),) = (case.metrics for case in found.cases)
    assert (metric.unit_of_analysis, metric.verdict) == ("record", "too few")

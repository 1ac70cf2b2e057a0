"""Records as cases: ours by arm and experiment, others' one each, and nothing that could not be."""

from __future__ import annotations

import pytest

from perfdb.families.schedulers.analysis.case import RUNNING_TO_END, START_TO_END, SUBMISSION_TO_END
from perfdb.families.schedulers.analysis.cases import cases_of
from perfdb.record import Environment, Metric, Origin, Record
from tests.families.schedulers.done import arm, job, samples_of
from tests.tracking.records import make_record

TIMES = {"batch": [0, 0], "iteration": [0, 1], "started_s": [10.0, 20.0], "ended_s": [40.0, 60.0]}


def imported(**changes: object) -> Record:
    fields = {
        "family": "schedulers",
        "params": {"scheduler": "kueue", "experiment": "size-2", "size": 2},
        "origin": Origin(
            kind="imported", source_kind="fluence", source="run/logs#kueue/size-2", source_sha256="0" * 64
        ),
        "metrics": (),
    }
    return make_record(**{**fields, **changes})


def test_an_imported_record_is_one_case_of_its_scheduler_and_experiment() -> None:
    samples = {**TIMES, "submitted_s": [0.0, 0.0], "total_time_s": [40.0, 60.0]}
    [case] = cases_of(imported(), samples)
    assert (case.scheduler, case.experiment, case.made, case.of, case.size) == (
        "kueue", "size-2", "imported", "run/logs", 2,
    )  # fmt: skip
    assert case.is_dated
    assert [row.turn for row in case.rows] == [(0, 0), (0, 1)]
    assert [row.submission_to_end_s for row in case.rows] == [40.0, 60.0]


@pytest.mark.parametrize(
    ("submitted", "totals", "definition"),
    [
        ([0.0, 0.0], [40.0, 60.0], SUBMISSION_TO_END),
        ([0.0, 0.0], [30.0, 40.0], RUNNING_TO_END),
        ([None, None], [30.0, 40.0], START_TO_END),
    ],
)
def test_instants_tell_what_a_source_calls_total_time(
    submitted: list[float | None], totals: list[float], definition: str
) -> None:
    [case] = cases_of(imported(), {**TIMES, "submitted_s": submitted, "total_time_s": totals})
    assert case.definition == definition


def test_a_table_has_no_instants_and_is_known_by_its_day() -> None:
    record = imported()
    [case] = cases_of(record, {"job": [0, 1], "total_time_s": [40.0, 60.0], "wall_time_s": [30.0, 30.0]})
    assert (case.is_dated, case.span, case.definition) == (False, None, SUBMISSION_TO_END)
    assert case.of == f"run/logs, {record.started_at:%Y-%m-%d}"
    assert case.values("wall_time_s") == [30.0, 30.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"total_time_s": [40.0, float("nan")]},
        {"total_time_s": [40.0, "60"]},
        {"total_time_s": [40.0]},
        {"iteration": [0, -1]},
        {"batch": [0]},
    ],
)
def test_samples_that_no_import_makes_are_refused(wrong: dict[str, list[object]]) -> None:
    samples = {**TIMES, "submitted_s": [0.0, 0.0], "total_time_s": [40.0, 60.0], **wrong}
    with pytest.raises(ValueError):
        cases_of(imported(), samples)


def test_samples_that_say_something_else_than_the_record_are_refused() -> None:
    metric = Metric(name="total_time_s", unit="s", direction="lower", values=(40.0, 61.0))
    record = imported(metrics=(metric,))
    with pytest.raises(ValueError, match="total_time_s is not that of its samples"):
        cases_of(record, {**TIMES, "total_time_s": [40.0, 60.0]})


def test_a_record_that_names_no_scheduler_is_refused() -> None:
    record = imported(params={})
    with pytest.raises(ValueError, match="no scheduler"):
        cases_of(record, {**TIMES, "total_time_s": [40.0, 60.0]})


def ours(names: str = "slurm:backfill,simulated:fifo", **spec: object) -> Record:
    return make_record(family="schedulers", spec={"arms": names, "job": "sleep", "nodes": 4, **spec})


RUNS = (
    arm(job(1, 0, 5, 20), job(2, 1, 20, 40, nodes=2), place=1),
    arm(job(1, 0, 5, 20), job(2, 1, watched=90, nodes=2), place=2),
)
NAMES = {1: "slurm:backfill", 2: "simulated:fifo"}


def test_a_record_of_ours_is_a_case_for_each_arm_and_experiment() -> None:
    cases = cases_of(ours(), samples_of(*RUNS, names=NAMES))
    assert [(case.scheduler, case.experiment, case.made, case.size) for case in cases] == [
        ("slurm:backfill", "size-1", "measured", 1),
        ("slurm:backfill", "size-2", "measured", 2),
        ("simulated:fifo", "size-1", "simulated", 1),
        ("simulated:fifo", "size-2", "simulated", 2),
    ]
    assert [case.values("total_time_s") for case in cases] == [[20], [39], [20], []]
    assert [row.is_censored for case in cases for row in case.rows] == [False, False, False, True]
    assert cases[0].definition == SUBMISSION_TO_END


def test_what_was_simulated_is_never_of_a_run_that_was_measured() -> None:
    measured, _, simulated, _ = cases_of(ours(), samples_of(*RUNS, names=NAMES))
    assert measured.of != simulated.of


def test_another_list_of_jobs_other_nodes_or_another_machine_are_another_run() -> None:
    def of(record: Record, *outcomes, nodes: int = 4) -> str:
        return cases_of(record, samples_of(arm(*outcomes, nodes=nodes), names={1: "slurm:backfill"}))[0].of

    one = job(1, 0, 5, 20)
    first = of(ours(iters=5, arms="slurm:backfill"), one)
    assert first == of(ours(iters=9), one)
    elsewhere = make_record(family="schedulers", spec={"job": "sleep"}, environment=Environment(machine="hopper"))
    assert (
        len(
            {
                first,
                of(ours(), job(1, 0, 5, 20, run=11)),
                of(ours(), one, nodes=8),
                of(elsewhere, one),
                of(ours(job="burn"), one),
            }
        )
        == 5
    )

"""What a record's metrics of the repetitions must be, given those of its iterations. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from perfdb.families.throughput.metrics import METRICS
from perfdb.record import Metric, Record

# By repetition, step and name.
Told = dict[int, dict[int, dict[str, float]]]
_OF_ONE = ("iteration_run_time_s", "iteration_task_count", "iteration_tasks_per_s", "iteration_submission_tasks_per_s")
DERIVED = frozenset(
    (
        "warm_tasks_per_s",
        "submission_tasks_per_s",
        "submission_share",
        "cold_start_s",
        "run_time_s",
        "task_count",
        "iteration_count",
    )
)


def derive(record: Record) -> tuple[Metric, ...]:
    """Each metric that the iterations imply; none where an iteration's own four are not all there.

    Numbers agree to a rounding error: a rate is divided here that was multiplied there.
    """
    told: Told = {}
    for metric in record.metrics:
        if metric.step is not None and metric.repetition is not None and metric.name in _OF_ONE:
            told.setdefault(metric.repetition, {}).setdefault(metric.step, {})[metric.name] = metric.all_values[0]
    reps = [[steps[number] for number in sorted(steps)] for _, steps in sorted(told.items())]
    if any(set(step) != set(_OF_ONE) or min(step.values()) <= 0 for steps in reps for step in steps):
        return ()
    warm = [steps[1:] for steps in reps if len(steps) > 1]
    return (
        *_metric(
            "warm_tasks_per_s", [_sum(its, "iteration_task_count") / _sum(its, "iteration_run_time_s") for its in warm]
        ),
        *_metric("submission_tasks_per_s", [_sum(its, "iteration_task_count") / _submission_s(its) for its in warm]),
        *_metric("submission_share", [_submission_s(its) / _sum(its, "iteration_run_time_s") for its in warm]),
        *_metric("cold_start_s", [its[0]["iteration_run_time_s"] for its in reps]),
        *_metric("run_time_s", [_sum(its, "iteration_run_time_s") for its in reps]),
        *_metric("task_count", [_sum(its, "iteration_task_count") for its in reps]),
        *_metric("iteration_count", [len(its) for its in reps]),
        *_rates(told),
    )


def _rates(told: Told) -> Iterator[Metric]:
    """Of one iteration its rate follows from its tasks and its run time."""
    definition = METRICS["iteration_tasks_per_s"]
    for repetition, steps in told.items():
        for step, told_of in steps.items():
            yield Metric(
                name="iteration_tasks_per_s",
                unit=definition.unit,
                direction=definition.direction,
                value=told_of["iteration_task_count"] / told_of["iteration_run_time_s"],
                step=step,
                repetition=repetition,
            )


def _metric(name: str, values: Sequence[float]) -> tuple[Metric, ...]:
    definition = METRICS[name]
    if not values:
        return ()
    return (Metric(name=name, unit=definition.unit, direction=definition.direction, values=tuple(values)),)


def _sum(iterations: Sequence[dict[str, float]], name: str) -> float:
    return math.fsum(iteration[name] for iteration in iterations)


def _submission_s(iterations: Sequence[dict[str, float]]) -> float:
    return math.fsum(its["iteration_task_count"] / its["iteration_submission_tasks_per_s"] for its in iterations)

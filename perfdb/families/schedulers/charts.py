"""What is worth a look in scheduler comparisons: who ran where when, who waited how long, and by how much arms differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from perfdb.families.charts import ChartDescription, Picture, Pictures
from perfdb.families.schedulers.alike import Alike
from perfdb.families.schedulers.arms import is_simulated
from perfdb.families.schedulers.measures.spans import total_time_s, wait_s
from perfdb.families.schedulers.metrics import of_arm, of_difference
from perfdb.families.schedulers.outcome import ArmRun
from perfdb.families.schedulers.reading import read
from perfdb.families.schedulers.timetable import middle_iteration, timetable
from perfdb.families.spreads import Box, Boxes, Curve, Curves, Differences, Staircases
from perfdb.record import Record
from perfdb.units import counted

PAIRED = {"makespan_s": "makespan", "wait_s": "wait", "turnaround_s": "turnaround"}
PARTS = {
    "queue_part_s": "queue",
    "startup_part_s": "start-up, nodes held",
    "run_part_s": "run",
    "release_part_s": "release, nodes held",
}


def pictures(record: Record, samples: Mapping[str, Sequence[object]]) -> Iterator[Picture]:
    """Who had which nodes, waits, times from submission to end, differences to the first arm, and where the time went."""
    try:
        runs = [run for run in read(samples) if run.outcomes]
    except (KeyError, ValueError, TypeError):
        return  # whatever it is, no samples of this family
    if not runs:
        return
    arms = _arms(runs)
    said = _simulated(arms)
    iteration = middle_iteration(runs)
    yield Picture(
        "gantt",
        f"Nodes over time, iteration {iteration}",
        "Which job had which nodes when, in the iteration that is the middle one by the time it took. Deep: it ran; pale: it "
        "held its nodes without. The strip below says which job had waited the longest.",
        timetable([run for run in runs if run.iteration == iteration], said),
    )
    yield _waits(runs, arms, said)
    yield _total_times(runs, arms, said)
    yield from _differences(record, arms, said)
    yield from _decomposition(record, arms, said)


def _arms(runs: Sequence[ArmRun]) -> dict[int, str]:
    """The arms' names by their places, unlike one another."""
    labels = {run.arm: run.label for run in sorted(runs, key=lambda run: run.arm)}
    told = [*labels.values()]
    return {arm: label if told.count(label) == 1 else f"{label} ({arm})" for arm, label in labels.items()}


def _simulated(arms: Mapping[int, str]) -> tuple[str, ...]:
    found = [label for label in arms.values() if is_simulated(label)]
    return (f"Simulated, not measured: {', '.join(found)}.",) if found else ()


def _waits(runs: Sequence[ArmRun], arms: Mapping[int, str], said: tuple[str, ...]) -> Picture:
    curves, remarks = [], list(said)
    for place, label in arms.items():
        jobs = [job for run in runs if run.arm == place for job in run.outcomes]
        waits = [wait for job in jobs if (wait := wait_s(job)) is not None]
        if waits:
            curves.append(Curve(label, tuple(waits), len(jobs) - len(waits)))
        if len(waits) < len(jobs):
            remarks.append(f"{label}: {len(jobs) - len(waits):,} of {counted(len(jobs), 'job')} never began.")
    if any(curve.larger for curve in curves):
        remarks.append("A job that never began counts as one that waits longer than any other.")
    return Picture(
        "waits",
        "Wait, by scheduler",
        "The share of jobs, of all iterations, whose program began so soon after they were submitted.",
        Curves("wait", "s", tuple(curves), tuple(remarks), of="job"),
    )


def _total_times(runs: Sequence[ArmRun], arms: Mapping[int, str], said: tuple[str, ...]) -> Picture:
    jobs = [(run.arm, job) for run in runs for job in run.outcomes]
    alike = Alike(job for _, job in jobs)
    remarks = list(said)
    found: dict[tuple[str, int], tuple[list[float], list[float]]] = {
        (name, place): ([], []) for name in alike.names for place in arms
    }
    failed = dict.fromkeys(arms, 0)
    for place, job in jobs:
        values, at_least = found[alike.of(job), place]
        took = total_time_s(job)
        if took is not None:
            values.append(took)
        elif job.seen_until_s is not None and job.submitted_s is not None:
            at_least.append(max(0.0, job.seen_until_s - job.submitted_s))
        else:
            failed[place] += 1
    remarks += (
        f"{arms[place]}: without {counted(count, 'job')} that failed or was cut off."
        for place, count in failed.items()
        if count
    )
    boxes = tuple(
        Box(name, arms[place], tuple(values), tuple(at_least))
        for (name, place), (values, at_least) in found.items()
        if values or at_least
    )
    return Picture(
        "total-time",
        "From submission to end, by scheduler and experiment",
        "How long jobs took from their submission to the end of their program (total_time), of all iterations: quartiles with "
        "the median, the mean as a diamond, and whiskers to the farthest values within 1.5 times the box.",
        Boxes("experiment", "scheduler", "submission to end", "s", boxes, tuple(remarks)),
    )


def _differences(record: Record, arms: Mapping[int, str], said: tuple[str, ...]) -> Iterator[Picture]:
    first = arms.get(1, "the first arm")
    same = [label for label in arms.values() if is_simulated(label) and is_simulated(first) and label != first]
    rows = []
    for name, words in PAIRED.items():
        for place, label in arms.items():
            has_simulated = is_simulated(first) or is_simulated(label)
            metric = record.metric(of_difference(place, name, is_simulated=has_simulated))
            if metric is not None and metric.unit == "s" and metric.all_values and label not in same:
                rows.append((f"{words}, {label}", tuple(metric.all_values)))
    without = (
        (f"Without {', '.join(same)}: simulators give the same each time, so chance has no part.",) if same else ()
    )
    # One value is no distribution: a table says it better.
    if any(len(values) > 1 for _, values in rows):
        yield Picture(
            "differences",
            f"Difference to {first}, iteration by iteration",
            f"Each scheduler less {first} in the same iteration, with the median and its interval; right of zero it took longer.",
            Differences(f"difference to {first}", "s", tuple(rows), (*said, *without)),
        )


def _decomposition(record: Record, arms: Mapping[int, str], said: tuple[str, ...]) -> Iterator[Picture]:
    groups, left = [], []
    for place, label in arms.items():
        metrics = {
            words: record.metric(of_arm(place, name, is_simulated=is_simulated(label))) for name, words in PARTS.items()
        }
        steps = tuple((words, tuple(m.all_values)) for words, m in metrics.items() if m is not None and m.unit == "s")
        if steps:
            groups.append((label, steps))
        else:
            left.append(label)
    without = (f"Without {', '.join(left)}: where a job was not seen to its end, no mean is stated.",) if left else ()
    if groups:
        yield Picture(
            "decomposition",
            "Where a job's time goes",
            "From submission until its nodes are free again: means over jobs, and over iterations.",
            Staircases("s", tuple(groups), (*said, *without), quantity="time since submission"),
        )


CHARTS: tuple[ChartDescription, ...] = (Pictures(pictures),)

"""parsl-perf's output, taken at its word and no further.

parsl-perf rounds times to a millisecond and rates to a thousandth of a task a second. A fast iteration's rate says more
than its time, a slow one's time more than its rate: the larger number is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from perfdb.processes.log import Line


@dataclass(frozen=True)
class Iteration:
    """One iteration of parsl-perf.

    Attributes:
        number: Counted from 1; the first one contains the start of the blocks and is cold.
        task_count: Tasks it ran.
        submission_s: Seconds to submit them all.
        run_s: Seconds from the first submission to the last result.
        cpu_s: CPU seconds that the process tree used meanwhile, by role; None where it was not sampled.
    """

    number: int
    task_count: int
    submission_s: float
    run_s: float
    cpu_s: dict[str, float] | None = None

    @property
    def tasks_per_s(self) -> float:
        """Tasks over run time."""
        return self.task_count / self.run_s

    @property
    def submission_tasks_per_s(self) -> float:
        """Tasks over submission time."""
        return self.task_count / self.submission_s


@dataclass(frozen=True)
class ParslPerfOutput:
    """What one parsl-perf said.

    Attributes:
        iterations: The whole ones.
        complete: Whether it closed as it does after its last iteration.
        not_understood: The first line that does not belong, None when all do.
        expected: What should have come in its place.
    """

    iterations: tuple[Iteration, ...]
    complete: bool
    not_understood: str | None = None
    expected: str | None = None


_COUNT = r"[0-9]{1,15}"
_NUMBER = rf"{_COUNT}(?:\.[0-9]{{1,15}})?(?:e[+-]?[0-9]{{1,2}})?"
# One iteration, line for line. Releases up to 2023 close the second line with the target.
_ITERATION = (
    ("==== Iteration N ====", re.compile(rf"==== Iteration (?P<number>{_COUNT}) ====")),
    ("Will run N tasks", re.compile(rf"Will run (?P<tasks>{_COUNT}) tasks(?: to target {_NUMBER} seconds runtime)?")),
    ("Submitting tasks / invoking apps", re.compile(r"Submitting tasks / invoking apps")),
    (
        "All N tasks submitted ...",
        re.compile(rf"All (?P<again>{_COUNT}) tasks submitted \.\.\. waiting for completion"),
    ),
    (
        "Submission took X seconds = Y tasks/second",
        re.compile(
            rf"Submission took (?P<submission_s>{_NUMBER}) seconds = (?P<submission_rate>{_NUMBER}) tasks/second"
        ),
    ),
    (
        "Runtime: actual Xs vs target Ys",
        re.compile(rf"Runtime: actual (?P<run_s>{_NUMBER})s vs target {_NUMBER}s"),
    ),
    ("Tasks per second: Y", re.compile(rf"Tasks per second: (?P<rate>{_NUMBER})")),
)
_CLOSING = (
    ("Tests complete - leaving DFK block", re.compile(r"Tests complete - leaving DFK block|Cleaning up DFK")),
    ("The end", re.compile(r"The end")),
)
# What rounding to three decimals takes at most, with as much again for older releases' ways of rounding.
_ROUNDED = 0.001
# At these the tree's CPU time is sampled: the start of each iteration, and the end of the last.
SAMPLE_ON = r"==== Iteration|Tests complete|Cleaning up DFK"


def parse(lines: Sequence[Line]) -> ParslPerfOutput:
    """The iterations in parsl-perf's standard output, up to the first line that is not understood."""
    iterations: list[Iteration] = []
    cpu_at_start: dict[str, float] | None = None
    found: dict[str, str] = {}
    at = 0
    closing = 0
    for line in lines:
        if closing == len(_CLOSING):
            return ParslPerfOutput(tuple(iterations), False, line.text, "nothing more")
        if at == 0 and iterations and (closing or _CLOSING[0][1].fullmatch(line.text)):
            expected, pattern = _CLOSING[closing]
            closing += 1
        else:
            expected, pattern = _ITERATION[at]
            at = (at + 1) % len(_ITERATION)
        match = pattern.fullmatch(line.text)
        if match is None:
            return ParslPerfOutput(tuple(iterations), False, line.text, expected)
        found.update({k: v for k, v in match.groupdict().items() if v is not None})
        if line.cpu is not None:
            if iterations:
                iterations[-1] = _with_cpu(iterations[-1], cpu_at_start, line.cpu)
            cpu_at_start = line.cpu
        if expected.startswith("Tasks per second"):
            iteration = _iteration(found, len(iterations) + 1)
            if iteration is None:
                return ParslPerfOutput(tuple(iterations), False, line.text, "numbers that fit those above it")
            iterations.append(iteration)
            found = {}
    return ParslPerfOutput(tuple(iterations), closing == len(_CLOSING))


def _iteration(found: dict[str, str], number: int) -> Iteration | None:
    """The iteration that these fields tell, or None where they contradict one another."""
    tasks = int(found["tasks"])
    if int(found["number"]) != number or int(found["again"]) != tasks or tasks == 0:
        return None
    run_s = _seconds(tasks, float(found["run_s"]), float(found["rate"]))
    submission_s = _seconds(tasks, float(found["submission_s"]), float(found["submission_rate"]))
    if run_s is None or submission_s is None:
        return None
    return Iteration(number, tasks, submission_s, run_s)


def _seconds(tasks: int, time_s: float, rate: float) -> float | None:
    """The time behind a rounded time and a rounded rate, or None where their product can't be the number of tasks."""
    least = max(0.0, time_s - _ROUNDED) * max(0.0, rate - _ROUNDED)
    most = (time_s + _ROUNDED) * (rate + _ROUNDED)
    if not least <= tasks <= most or max(time_s, rate) <= 0:
        return None
    return tasks / rate if rate > time_s else time_s


def _with_cpu(iteration: Iteration, before: dict[str, float] | None, after: dict[str, float]) -> Iteration:
    if before is None:
        return iteration
    # A process that ended in between takes its seconds with it: such a role is left out rather than told wrong.
    used = {role: round(s - before.get(role, 0.0), 3) for role, s in after.items() if s >= before.get(role, 0.0)}
    return Iteration(iteration.number, iteration.task_count, iteration.submission_s, iteration.run_s, used)

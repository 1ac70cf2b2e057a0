"""Delays of arms, and how the simulator fares with them: found in runs, told to people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from perfdb.cli.render_history import aligned
from perfdb.cli.terminal import printable
from perfdb.errors import UsageError
from perfdb.families.quantile import quantile
from perfdb.families.schedulers.arms import parse
from perfdb.families.schedulers.outcome import ArmRun
from perfdb.families.schedulers.simulator.against import Against, against, policy_of
from perfdb.families.schedulers.simulator.fit import Fit, fitted
from perfdb.units import counted

# A cycle shows in the waits of many jobs: of fewer iterations it is found or missed by chance.
FEWEST_ITERATIONS = 5
# Between the quartiles of a delay.
_FAR_APART_S = 0.2


@dataclass(frozen=True)
class Measured:
    """A record's arms, each as often as it was given the list. `workload`: the list's name."""

    record_id: str
    workload: str
    runs: tuple[ArmRun, ...]

    @property
    def arms(self) -> dict[int, list[ArmRun]]:
        """By their places in `--arms`."""
        found: dict[int, list[ArmRun]] = {}
        for run in self.runs:
            found.setdefault(run.arm, []).append(run)
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class Learned:
    """What one arm takes, as found in so many iterations."""

    arm: int
    label: str
    fit: Fit
    iterations: int

    @property
    def flags(self) -> str:
        """What makes the simulator take as long; '' where no policy stands for the arm."""
        policy = policy_of(parse(self.label)[0])
        if policy is None:
            return ""
        delays = self.fit.delays
        cycle = f" --schedule-cycle-s {delays.cycle_s:g}" if delays.cycle_s else ""
        return f"--arms simulated:{policy} --schedule-delay-s {delays.schedule_s:g} --release-delay-s {delays.release_s:g}{cycle}"

    @property
    def warning(self) -> str:
        """What to mind of the delays; '' where nothing is."""
        low_s, high_s = (quantile(self.fit.schedule_s, share) for share in (0.25, 0.75))
        if self.iterations < FEWEST_ITERATIONS:
            return (
                f"{self.label}: from so few iterations ({self.iterations}) a cycle cannot be told from delays that differ: run more, "
                f"--iters {FEWEST_ITERATIONS} or more."
            )
        if not self.fit.cycle_s and high_s - low_s > _FAR_APART_S:
            return (
                f"{self.label}: no cycle was found, and half of the schedule delays are spread over {high_s - low_s:.3f} s: one delay for "
                "all jobs is a guess. Run more iterations, and hold the simulator against another run with --against."
            )
        return ""


@dataclass(frozen=True)
class HeldAgainst:
    """The simulator with an arm's delays, and that arm in another run."""

    record_id: str
    workload: str
    label: str
    found: Against


def learned(source: Measured, arm: int | None) -> tuple[Learned, ...]:
    """The delays of each arm that was measured, or of one.

    Raises:
        UsageError: there is no such arm, or none that tells.
    """
    arms = source.arms
    if arm is not None and arm not in arms:
        raise UsageError(f"{source.record_id} has no arm {arm}. Give --arm one of {', '.join(map(str, arms))}.")
    found: list[Learned] = []
    untold: list[str] = []
    for place, runs in arms.items():
        if arm not in (None, place):
            continue
        if parse(runs[0].label)[0].is_simulated:
            untold.append(f"{runs[0].label} was not measured")
            continue
        try:
            found.append(Learned(place, runs[0].label, fitted(runs), len({run.iteration for run in runs})))
        except ValueError as error:
            untold.append(f"{runs[0].label}: {error}")
    if not found:
        raise UsageError(
            f"no arm of {source.record_id} tells what its scheduler takes ({'; '.join(untold)}). Name a run of another one: perfdb run "
            "schedulers size-2-3 --arms slurm:backfill,slurm:builtin"
        )
    return tuple(found)


def held_against(fits: Sequence[Learned], other: Measured) -> Iterator[HeldAgainst]:
    """The arms of another run whose delays are known and which a policy stands for.

    Raises:
        UsageError: it has none of them.
    """
    known = {one.label: one.fit for one in fits}
    is_any = False
    for runs in other.arms.values():
        label = runs[0].label
        policy = policy_of(parse(label)[0])
        if policy is None or label not in known:
            continue
        is_any = True
        try:
            yield HeldAgainst(other.record_id, other.workload, label, against(runs, policy, known[label].delays))
        except ValueError as error:
            raise UsageError(f"{label} of {other.record_id}: {error}. Name another run with --against.") from error
    if not is_any:
        has = ", ".join(runs[0].label for runs in other.arms.values())
        raise UsageError(
            f"{other.record_id} has no arm whose delays were learned ({', '.join(known)}) and that can be simulated: it has {has}. "
            "Name a run of the same arms with --against."
        )


def print_fits(source: Measured, fits: Sequence[Learned], found: Sequence[HeldAgainst]) -> None:
    """For people."""
    jobs = len(source.runs[0].outcomes)
    iterations = len({run.iteration for run in source.runs})
    print(
        printable(f"{source.workload}, {counted(jobs, 'job')}, {counted(iterations, 'iteration')} ({source.record_id})")
    )
    rows = [["arm", "scheduler", "cycle", "schedule delay", "half of them", "release delay", "half of them", "jobs"]]
    for one in fits:
        delays = one.fit.delays
        rows.append(
            [
                str(one.arm),
                one.label,
                f"{delays.cycle_s:.3f} s" if delays.cycle_s else "at once",
                f"{delays.schedule_s:.3f} s",
                _half(one.fit.schedule_s),
                f"{delays.release_s:.3f} s" if one.fit.release_s else "not known",
                _half(one.fit.release_s),
                f"{len(one.fit.schedule_s):,}",
            ]
        )
    for line in aligned(rows):
        print(printable(f"  {line}"))
    for one in fits:
        if one.flags:
            print(printable(f"simulate {one.label}: {one.flags}"))
    if found:
        print()
        rows = [["list", "scheduler", "simulated makespan", "measured, median", "from", "to", "off by"]]
        for row in found:
            took = row.found.measured_s
            rows.append(
                [
                    f"{row.workload} ({row.record_id})",
                    row.label,
                    f"{row.found.simulated_s:.2f} s, {row.found.policy}",
                    f"{median(took):.2f} s of {len(took)}",
                    f"{took[0]:.2f} s",
                    f"{took[-1]:.2f} s",
                    f"{row.found.off_percent:+.1f} %",
                ]
            )
        for line in aligned(rows):
            print(printable(line))


def document(source: Measured, fits: Sequence[Learned], found: Sequence[HeldAgainst]) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "record_id": source.record_id,
        "workload": source.workload,
        "arms": [
            {
                "arm": one.arm,
                "label": one.label,
                "jobs": len(one.fit.schedule_s),
                "schedule_cycle_s": one.fit.delays.cycle_s,
                "schedule_delay_s": one.fit.delays.schedule_s,
                "release_delay_s": one.fit.delays.release_s if one.fit.release_s else None,
                "flags": one.flags or None,
                "warning": one.warning or None,
            }
            for one in fits
        ],
        "against": [
            {
                "record_id": row.record_id,
                "workload": row.workload,
                "label": row.label,
                "policy": row.found.policy,
                "simulated_makespan_s": row.found.simulated_s,
                "measured_makespan_s": median(row.found.measured_s),
                "measured": list(row.found.measured_s),
                "off_percent": row.found.off_percent,
            }
            for row in found
        ],
    }


def _half(values: Sequence[float]) -> str:
    return f"{quantile(values, 0.25):.3f}–{quantile(values, 0.75):.3f} s" if values else ""

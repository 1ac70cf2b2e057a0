"""What was seen of one arm once: jobs, resizes and steps of the allocation, in seconds since its begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from perfdb.families.elastic.events import CHAIN, Arm, Milestone, Stage
from perfdb.families.elastic.mix import Class

Direction = Literal["grow", "shrink"]
# For people.
NOUNS = {"cpu": "CPU", "node": "node"}
DIRECTIONS: tuple[Direction, ...] = ("grow", "shrink")
_FREEING: tuple[Stage, ...] = ("applied", "overdue")


@dataclass
class JobSeen:
    """One job.

    Attributes:
        planned_s: When it was to arrive.
        units: Of work that it was given; `done` those that it says it did, None where it says nothing.
        at: When it came how far.
        state: How it ended; '' where nobody saw that.
        cpu_s: CPU seconds that it used; None where nobody knows.
    """

    job: int
    of: Class
    planned_s: float
    units: int
    cpus: int
    at: dict[Milestone, float] = field(default_factory=dict)
    state: str = ""
    cpu_s: float | None = None
    done: int | None = None

    @property
    def wait_s(self) -> float | None:
        """From its arrival to its start; None where either was not seen."""
        return self._since_arrival("started")

    @property
    def turnaround_s(self) -> float | None:
        """From its arrival to its end; None unless it completed, for one that was ended was not made any faster."""
        return self._since_arrival("ended") if self.state == "COMPLETED" else None

    def _since_arrival(self, last: Milestone) -> float | None:
        begun, ended = self.at.get("arrived"), self.at.get(last)
        return None if begun is None or ended is None else ended - begun


@dataclass
class ResizeSeen:
    """One resize of a job.

    Attributes:
        processes: How many got the signal; 0 of a job that was not ready for it yet.
        lost_units, lost_s, paused_s: What it cost, as the job says; None where it does not.
    """

    job: int
    generation: int
    cpus_from: int
    cpus_to: int
    at: dict[Stage, float] = field(default_factory=dict)
    processes: int = 0
    lost_units: int | None = None
    lost_s: float | None = None
    paused_s: float | None = None

    @property
    def direction(self) -> Direction:
        """Which way."""
        return "grow" if self.cpus_to > self.cpus_from else "shrink"

    def until(self, stage: Stage) -> float | None:
        """Seconds from the decision to that stage; None where either was not seen."""
        decided, reached = self.at.get("decided"), self.at.get(stage)
        return None if decided is None or reached is None else reached - decided

    @property
    def freed_s(self) -> float | None:
        """Of a shrink, seconds from the decision until others could have what is given back; None where nobody knows.

        Slurm takes nodes back after the job has let go of them. Where there is no such step it is free when the job has let
        go, or when it was taken without a word of the job's.
        """
        if self.direction == "grow":
            return None
        if (granted := self.until("granted")) is not None:
            return granted
        known = [s for stage in _FREEING if (s := self.until(stage)) is not None]
        return min(known, default=None)

    @property
    def stages(self) -> dict[Stage, float]:
        """What each stage added to the ones before it, in the order in which they came; together, the time until the last."""
        found: dict[Stage, float] = {}
        latest = self.at.get("decided")
        if latest is None:
            return found
        # Slurm grants a growth before the job is told, and a shrink after it has let go; a job can read of it before its signal.
        for stage in sorted((stage for stage in CHAIN[1:] if stage in self.at), key=lambda stage: self.at[stage]):
            found[stage] = max(0.0, self.at[stage] - latest)
            latest = max(latest, self.at[stage])
        return found


@dataclass
class Seen:
    """One arm, once.

    Attributes:
        cpus: What the scheduler gave; `real_cpus`: what there was of it; `unit`: CPUs, or nodes.
        steps: (when, job, CPUs promised to it from then on), in order; those of one instant have what is given back first.
        others_share: Of the machine's CPU time, what others than this run used; None where nobody knows.
    """

    repetition: int
    arm: Arm
    unit: str
    cpus: int
    real_cpus: int
    cooldown_s: float
    jobs: dict[int, JobSeen] = field(default_factory=dict)
    resizes: list[ResizeSeen] = field(default_factory=list)
    steps: list[tuple[float, int, int]] = field(default_factory=list)
    others_share: float | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"repetition {self.repetition}, {self.arm}"

    def of(self, class_: Class | None) -> list[JobSeen]:
        """The jobs of a class; all of them where it is None."""
        return [job for job in self.jobs.values() if class_ in (None, job.of)]

    @property
    def makespan_s(self) -> float | None:
        """From the first arrival to the last end; None unless every job completed."""
        jobs = self.jobs.values()
        if not jobs or any(job.turnaround_s is None for job in jobs):
            return None
        return max(job.at["ended"] for job in jobs) - min(job.at["arrived"] for job in jobs)

    @property
    def promised_cpu_s(self) -> float:
        """The allocations, summed over time."""
        return sum(
            promised * (until - at) for (at, promised), (until, _) in zip(self.totals, self.totals[1:], strict=False)
        )

    @property
    def totals(self) -> list[tuple[float, int]]:
        """(when, CPUs promised to all jobs from then on), one for each step."""
        return [(at, sum(held.values())) for at, held in self.held()]

    def held(self) -> Iterator[tuple[float, Mapping[int, int]]]:
        """What each job holds after each step."""
        held: dict[int, int] = {}
        for at, job, cpus in self.steps:
            held[job] = cpus
            yield at, held

    @property
    def flaps(self) -> int:
        """Resizes that turn a job's last one round within the cooldown."""
        count = 0
        for one, other in zip(self.in_turn, self.in_turn[1:], strict=False):
            begun, again = one.at.get("decided"), other.at.get("decided")
            if one.job == other.job and begun is not None and again is not None:
                count += one.direction != other.direction and again - begun < self.cooldown_s
        return count

    @property
    def in_turn(self) -> list[ResizeSeen]:
        """Resizes by job, and of each job in order; without those that were withdrawn, or decided of a job that was over."""
        kept = [resize for resize in self.resizes if "withdrawn" not in resize.at and not self._too_late(resize)]
        return sorted(kept, key=lambda resize: (resize.job, resize.generation))

    def is_overtaken(self, resize: ResizeSeen) -> bool:
        """Whether the job was told, and had not answered when it was told of a later resize, which it took notice of.

        A job may not have listened yet, or was told of the two within a moment: the latest is all that counts.
        """
        has_answered = "acknowledged" in resize.at or ("applied" in resize.at and resize.processes > 0)
        return ("signalled" in resize.at and not has_answered) and any(
            other.job == resize.job and other.generation > resize.generation and "acknowledged" in other.at
            for other in self.resizes
        )

    def _too_late(self, resize: ResizeSeen) -> bool:
        """Whether it was decided before the scheduler had heard of the job's end."""
        decided, ended = resize.at.get("decided"), self.jobs[resize.job].at.get("ended")
        return decided is not None and ended is not None and decided >= ended


def in_order(steps: Sequence[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    """Steps by time, in seconds; of one instant those that give back first, for what is given back and what is given are one decision."""
    before: dict[int, int] = {}
    turned = []
    for at, job, cpus in sorted(steps, key=lambda step: step[0]):
        turned.append((at, cpus - before.get(job, 0) > 0, job, cpus))
        before[job] = cpus
    return [(at, job, cpus) for at, _, job, cpus in sorted(turned, key=lambda step: step[:2])]

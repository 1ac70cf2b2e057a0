"""What became of one job, in seconds since its arm's begin: between the samples and everything that is computed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from perfdb.families.schedulers.arms import is_simulated
from perfdb.families.schedulers.workload.job import WorkJob


@dataclass(frozen=True)
class Outcome:
    """One job of one batch.

    Attributes:
        work: What it asked for.
        batch: From 1.
        submitted_s … released_s: See `events`; None where nobody knows, or it never came so far.
        inside_began_s, inside_ended_s: Stamps taken by the job itself.
        state: The scheduler's word.
        nodes: The numbers of those it had, as ranges; ''.
        seen_until_s: How long it was watched, where it was not over then: the job is censored; None where it was over.
    """

    work: WorkJob
    batch: int
    submitted_s: float | None
    eligible_s: float | None
    allocated_s: float | None
    started_s: float | None
    ended_s: float | None
    released_s: float | None
    inside_began_s: float | None
    inside_ended_s: float | None
    state: str
    nodes: str
    seen_until_s: float | None

    @property
    def is_censored(self) -> bool:
        """Whether nobody saw its end."""
        return self.seen_until_s is not None

    @property
    def began_s(self) -> float | None:
        """When its program began: as the job says itself, else as the scheduler does."""
        return self.inside_began_s if self.inside_began_s is not None else self.started_s

    @property
    def over_s(self) -> float | None:
        """When its program was over, for what completed; the same order of trust."""
        return self.inside_ended_s if self.inside_ended_s is not None else self.ended_s


@dataclass(frozen=True)
class ArmRun:
    """What one child told: one arm in one iteration.

    Attributes:
        iteration: From 1.
        arm: Its place in `--arms`, from 1.
        label: As `arms.Arm.label` says it.
        nodes: How many its scheduler had.
        outcomes: Of every job of every batch.
    """

    iteration: int
    arm: int
    label: str
    nodes: int
    outcomes: tuple[Outcome, ...]

    @property
    def is_simulated(self) -> bool:
        """Whether nothing of it was measured."""
        return is_simulated(self.label)

    @property
    def suspends(self) -> bool:
        """Whether a job may have held its nodes, begun and not over, without running."""
        return "suspend" in self.label.partition(":")[2].split("+")

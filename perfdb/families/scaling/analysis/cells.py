"""One load tried once, and the criterion that says whether the service bore it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from perfdb.record.model import Frozen, Seconds

LoadUnit = Literal["sessions", "sessions/s"]
Verdict = Literal["passed", "failed", "unknown"]
Load = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Cell(Frozen):
    """One load, tried once.

    Attributes:
        load: Sessions at once, or sessions/s, as the run says.
        wait_s: What each step is asked to wait.
        repetition: From 1. A load that was tried again within one repetition has several cells of it.
        success_share: Sessions that succeeded over all that were begun.
        p99_s: 99th percentile of a whole session's latency, of those that succeeded; None where none did. Those that
            failed count in `success_share`, else they would count twice.
        p50_s: Median of the same.
        p95_s: 95th percentile of the same.
        sessions_per_s: Sessions that succeeded a second.
        unique_hosts: Distinct hosts that answered.
        valid: False where a check of the measurement failed, so that the cell says nothing about the service.
    """

    load: Load
    wait_s: Seconds
    repetition: Annotated[int, Field(ge=1)]
    success_share: Share
    p99_s: Seconds | None
    p50_s: Seconds | None = None
    p95_s: Seconds | None = None
    sessions_per_s: Rate | None = None
    unique_hosts: Annotated[int, Field(ge=0)] | None = None
    valid: bool = True


class Criterion(Frozen):
    """When a service has borne a load: success share >= `least_success` and p99 < `p99_factor` * (wait + `p99_slack_s`).

    Source: the success criteria of the OpenEnv scaling runbook.
    """

    least_success: Annotated[float, Field(gt=0, le=1)] = 0.95
    p99_factor: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 2.0
    p99_slack_s: Seconds = 0.5

    def p99_bound_s(self, wait_s: float) -> float:
        """What the p99 stays below, in seconds."""
        return self.p99_factor * (wait_s + self.p99_slack_s)

    def met(self, cell: Cell) -> bool:
        """Whether the numbers of a cell meet it, valid or not."""
        fast = cell.p99_s is not None and cell.p99_s < self.p99_bound_s(cell.wait_s)
        return fast and cell.success_share >= self.least_success

    def verdict(self, cells: Sequence[Cell]) -> Verdict:
        """Of one load's cells of one repetition: what most of the valid ones say; as many of either is a failure."""
        valid = [self.met(cell) for cell in cells if cell.valid]
        if not valid:
            return "unknown"
        return "passed" if 2 * sum(valid) > len(valid) else "failed"

    def text(self, wait_s: float) -> str:
        """In a line, for people."""
        return f"success of at least {self.least_success:.4g}, p99 below {self.p99_bound_s(wait_s):.4g} s"


def by_load(cells: Sequence[Cell]) -> dict[float, list[Cell]]:
    """Cells by their load, the smallest first."""
    found: dict[float, list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: cell.load):
        found.setdefault(cell.load, []).append(cell)
    return found


def pooled(runs: Sequence[Sequence[Cell]]) -> tuple[Cell, ...]:
    """Several runs' cells as one's, each run's repetitions numbered on, so that two first ones do not become one."""
    found: list[Cell] = []
    for run in runs:
        before = max((cell.repetition for cell in found), default=0)
        found += (cell.model_copy(update={"repetition": before + cell.repetition}) for cell in run)
    return tuple(found)

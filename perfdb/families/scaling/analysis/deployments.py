"""Runs of one service on so many hosts each, set against one another. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from perfdb.families.scaling.analysis.ceiling import Bracket, Ceiling, ceilings
from perfdb.families.scaling.analysis.cells import Cell, Criterion, LoadUnit, pooled
from perfdb.families.scaling.analysis.distribution import Distribution, distribution
from perfdb.families.scaling.analysis.factor import Deployment, Factor, NoFactor, scaling
from perfdb.families.scaling.analysis.tables import CeilingRow, LatencyRow, ceiling_rows, latency_rows
from perfdb.families.scaling.analysis.usl import Fit, NoFit, Point, fitted
from perfdb.record.model import Frozen, Seconds
from perfdb.units import counted

# A criterion that asks for no latency: no p99 is as long as this times its wait.
_ANY_P99 = 1e9


class Measured(Frozen):
    """The loads of one run, or of several that count as one.

    Attributes:
        records: The ids that they are of.
        name: What people call it.
        services: What was loaded, as the records call it.
        kind: How the loads were made and from where: only runs of one kind are set against one another.
        imported: Whether others measured it.
        hosts: How many served: as was said, else as many as answered.
        sessions: By host, how many it answered, over all loads.
        latency_of: What the latencies are of: whole sessions, or where all wait for one another their steps.
    """

    records: tuple[str, ...]
    name: str
    services: tuple[str, ...] = ()
    kind: str
    imported: bool = False
    hosts: Annotated[int, Field(ge=1)]
    cells: tuple[Cell, ...]
    criterion: Criterion
    unit: LoadUnit
    sessions: dict[str, int]
    latency_of: Literal["whole sessions", "steps"] = "whole sessions"

    @property
    def ceilings(self) -> tuple[Ceiling, ...]:
        """By wait."""
        return ceilings(self.cells, self.criterion, self.unit)

    @property
    def ceiling_rows(self) -> tuple[CeilingRow, ...]:
        """By wait, for a table."""
        return ceiling_rows(self.ceilings, self.cells)

    @property
    def latency_rows(self) -> tuple[LatencyRow, ...]:
        """By wait and load, for a table."""
        return latency_rows(self.cells, self.criterion)

    @property
    def distribution(self) -> Distribution | None:
        """Over hosts."""
        return distribution(self.sessions, self.hosts)

    @property
    def by_success(self) -> Criterion:
        """The criterion without what it asks of the latency, as the OpenEnv scaling runbook's own analysis has it."""
        return Criterion(least_success=self.criterion.least_success, p99_factor=_ANY_P99)

    def side(self, ceiling: Ceiling) -> Side:
        """What these hosts bear at one wait."""
        cells = [cell for cell in self.cells if cell.wait_s == ceiling.wait_s]
        seen = [cell.unique_hosts for cell in cells if cell.valid and cell.unique_hosts]
        (loose,) = ceilings(cells, self.by_success, self.unit)
        return Side(
            records=self.records,
            services=self.services,
            hosts=self.hosts,
            ceiling=ceiling,
            by_success=loose,
            unique_hosts=min(seen, default=None),
        )


class Side(Frozen):
    """So many hosts at one wait.

    Attributes:
        by_success: The ceiling by the share of sessions that succeed alone, whatever they took.
        unique_hosts: How many answered, the fewest at any load that counts; None if nobody said.
    """

    records: tuple[str, ...]
    services: tuple[str, ...]
    hosts: int
    ceiling: Ceiling
    by_success: Ceiling
    unique_hosts: int | None

    def deployment(self, *, by_success: bool = False) -> Deployment:
        """For the scaling factor."""
        ceiling = self.by_success if by_success else self.ceiling
        return Deployment(hosts=self.hosts, ceiling=ceiling, unique_hosts=self.unique_hosts)

    @property
    def passed(self) -> tuple[float, ...]:
        """What each repetition bore; 0 where already the smallest load failed."""
        return tuple(one.bracket.passed or 0.0 for one in self.ceiling.repetitions)


class AtWait(Frozen):
    """What more hosts bring at one wait.

    Attributes:
        kind: Of the loads, see `Measured`.
        sides: By the number of hosts.
        factors: Of each number of hosts above one, by it; why there is none where there is none.
        by_success: The same of the ceilings by the share of sessions that succeed alone.
        law: The Universal Scalability Law of the ceilings.
    """

    kind: str
    wait_s: Seconds
    sides: dict[int, Side]
    factors: dict[int, Factor | NoFactor]
    by_success: dict[int, Factor | NoFactor]
    law: Fit | NoFit

    def linear(self, hosts: int) -> Bracket:
        """What so many hosts would bear if each bore what one does alone, in the unit of the sides' ceilings."""
        one = self.sides[1].ceiling.bracket
        return Bracket(
            passed=None if one.passed is None else one.passed * hosts,
            failed=None if one.failed is None else one.failed * hosts,
        )


def more_hosts(runs: Sequence[Measured]) -> tuple[AtWait, ...]:
    """Each kind and wait that was measured on one host and on several; of runs on as many hosts the last one counts."""
    found = []
    for kind in dict.fromkeys(run.kind for run in runs):
        last = {run.hosts: run for run in runs if run.kind == kind}
        sides = {n: {ceiling.wait_s: run.side(ceiling) for ceiling in run.ceilings} for n, run in sorted(last.items())}
        for wait_s in sorted({wait for waits in sides.values() for wait in waits}):
            there = {n: waits[wait_s] for n, waits in sides.items() if wait_s in waits}
            if 1 in there and len(there) > 1:
                found.append(_at_wait(kind, wait_s, there))
    return tuple(found)


def _at_wait(kind: str, wait_s: float, sides: dict[int, Side]) -> AtWait:
    several = [n for n in sides if n > 1]
    return AtWait(
        kind=kind,
        wait_s=wait_s,
        sides=sides,
        factors={n: scaling(sides[1].deployment(), sides[n].deployment()) for n in several},
        by_success={
            n: scaling(sides[1].deployment(by_success=True), sides[n].deployment(by_success=True)) for n in several
        },
        law=_law(sides),
    )


def _law(sides: Mapping[int, Side]) -> Fit | NoFit:
    """No law follows from ceilings that are only bounds, nor from those of some repetitions alone."""
    if unknown := [f"of {counted(n, 'host')} {why}" for n, side in sides.items() for why in side.ceiling.doubts]:
        return NoFit(
            reason=f"no Universal Scalability Law: {'; '.join(unknown)}; so these ceilings are not known: try loads on either side"
        )
    return fitted([Point(n=n, values=side.passed) for n, side in sides.items()])


def together(runs: Sequence[Measured]) -> tuple[Measured, ...]:
    """Runs of one kind on as many hosts, judged alike, as one run of more repetitions; in the order of the first of each."""
    groups: dict[tuple[object, ...], list[Measured]] = {}
    for run in runs:
        groups.setdefault((run.kind, run.hosts, run.unit, run.criterion), []).append(run)
    return tuple(_pooled(group) for group in groups.values())


def _pooled(runs: Sequence[Measured]) -> Measured:
    first = runs[0]
    if len(runs) == 1:
        return first
    sessions: dict[str, int] = {}
    for run in runs:
        for host, count in run.sessions.items():
            sessions[host] = sessions.get(host, 0) + count
    records = tuple(dict.fromkeys(record for run in runs for record in run.records))
    services = tuple(dict.fromkeys(service for run in runs for service in run.services))
    cells = pooled([run.cells for run in runs])
    return first.model_copy(update={"records": records, "services": services, "cells": cells, "sessions": sessions})

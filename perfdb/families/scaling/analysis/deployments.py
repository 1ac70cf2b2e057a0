"""Runs of one service on so many hosts each, set against one another. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from perfdb.families.scaling.analysis.ceiling import Ceiling, ceilings
from perfdb.families.scaling.analysis.cells import Cell, Criterion, LoadUnit
from perfdb.families.scaling.analysis.distribution import Distribution, distribution
from perfdb.families.scaling.analysis.factor import Deployment, Factor, NoFactor, scaling
from perfdb.families.scaling.analysis.tables import CeilingRow, LatencyRow, ceiling_rows, latency_rows
from perfdb.families.scaling.analysis.usl import Fit, NoFit, Point, fitted
from perfdb.record.model import Frozen


class Measured(Frozen):
    """One record's loads.

    Attributes:
        record_id: Its id.
        name: What people call it.
        hosts: How many served: as was said, else as many as answered.
        sessions: By host, how many it answered, over all loads.
    """

    record_id: str
    name: str
    hosts: int
    cells: tuple[Cell, ...]
    criterion: Criterion
    unit: LoadUnit
    sessions: dict[str, int]

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

    def deployment(self, ceiling: Ceiling) -> Deployment:
        """What these hosts bear at one wait."""
        seen = [cell.unique_hosts for cell in self.cells if cell.valid and cell.unique_hosts]
        return Deployment(hosts=self.hosts, ceiling=ceiling, unique_hosts=min(seen, default=None))


class AtWait(Frozen):
    """What more hosts bring at one wait.

    Attributes:
        factors: Of each number of hosts above one, by it; why there is none where there is none.
        law: The Universal Scalability Law of the ceilings.
    """

    wait_s: float
    factors: dict[int, Factor | NoFactor]
    law: Fit | NoFit


def more_hosts(runs: Sequence[Measured]) -> tuple[AtWait, ...]:
    """Each wait that was measured on one host and on several; of runs on as many hosts the last in the sequence counts."""
    by_hosts = {run.hosts: {ceiling.wait_s: ceiling for ceiling in run.ceilings} for run in runs}
    last = {run.hosts: run for run in runs}
    found = []
    for wait_s in sorted({wait for waits in by_hosts.values() for wait in waits}):
        there = {hosts: waits[wait_s] for hosts, waits in sorted(by_hosts.items()) if wait_s in waits}
        if 1 not in there or len(there) < 2:
            continue
        deployments = {hosts: last[hosts].deployment(ceiling) for hosts, ceiling in there.items()}
        points = [
            Point(n=hosts, values=tuple(r.bracket.passed for r in ceiling.repetitions if r.bracket.passed))
            for hosts, ceiling in there.items()
            if any(r.bracket.passed for r in ceiling.repetitions)
        ]
        factors = {n: scaling(deployments[1], deployment) for n, deployment in deployments.items() if n > 1}
        found.append(AtWait(wait_s=wait_s, factors=factors, law=fitted(points)))
    return tuple(found)

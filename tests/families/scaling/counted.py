"""Samples of loads that nobody had to make: counts in the table that records keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfdb.families.scaling.samples import COLUMNS
from perfdb.families.scaling.summarise import summarise
from perfdb.record import Record
from tests.report.charts.test_drawing import saved

GRID = (32, 64, 128, 256, 512)


@dataclass(frozen=True)
class Counted:
    """One load, tried once: of `load` sessions `failed` did, the others took about `latency_s`."""

    load: int
    latency_s: float
    failed: int = 0
    wait_s: float = 1.0
    repetition: int = 1
    hosts: Mapping[str, int] = field(default_factory=lambda: {"host-1": 1})

    def rows(self) -> list[tuple[object, ...]]:
        """As in the samples; percentiles lie at 100, 110 and 120 % of the latency."""
        ok = self.load - self.failed
        tail = max(1, ok // 50) if ok >= 5 else 0
        took = [(self.latency_s, ok - 4 * tail), (1.1 * self.latency_s, 3 * tail), (1.2 * self.latency_s, tail)]
        shares = sum(self.hosts.values())
        told: list[tuple[str, str, float | None, int]] = [
            ("wall", "", 1.3 * self.latency_s, 1),
            ("peak_sessions", "", None, ok),
            ("peak_steps", "", None, ok),
            ("outcome", "ok", None, ok),
            *([("outcome", "refused", None, self.failed)] if self.failed else []),
            *(("host", host, None, ok * share // shares) for host, share in self.hosts.items()),
            *(("total", "ok", seconds, count) for seconds, count in took if count > 0),
        ]
        return [(self.repetition, 1, self.wait_s, self.load, *row) for row in told]


def columns_of(loads: Iterable[Counted]) -> dict[str, list[Any]]:
    """The samples of these loads."""
    rows = [row for load in loads for row in load.rows()]
    return {name: list(values) for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)}


def up_to(
    ceiling: int, *, hosts: int = 1, reps: int = 3, wait_s: float = 1.0, grid: Iterable[int] = GRID
) -> list[Counted]:
    """A grid of which loads up to the ceiling pass, while larger ones are too slow."""
    answering = {f"host-{n}": 1 for n in range(1, hosts + 1)}
    return [
        Counted(load, (1.05 if load <= ceiling else 4.0) * wait_s, 0, wait_s, repetition, answering)
        for repetition in range(1, reps + 1)
        for load in grid
    ]


def record(root: Path, loads: Iterable[Counted], **changes: Any) -> Record:
    """A record of these loads, in the registry below `root`."""
    loads = list(loads)
    columns = columns_of(loads)
    asked = {
        "mode": "ws",
        "shape": "burst",
        "reps": 3,
        "requests_grid": ",".join(str(load) for load in sorted({one.load for one in loads})) or "1",
        "wait_grid": ",".join(str(wait) for wait in sorted({one.wait_s for one in loads})) or "1",
    }
    fields = {
        "family": "scaling",
        "experiment": "scaling",
        "params": {"service.host": "127.0.0.1"},
        "metrics": summarise(columns),
    }
    return saved(root, columns, **{**fields, **changes, "spec": {**asked, **changes.get("spec", {})}})[0]

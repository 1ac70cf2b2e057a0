"""The metrics that samples imply: everything a record of this family states follows from them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from perfdb.families.scaling.analysis.ceiling import bracket_of
from perfdb.families.scaling.analysis.cells import Cell, Criterion
from perfdb.families.scaling.clients.merge import ROLES
from perfdb.families.scaling.metrics import METRICS, prefix_of
from perfdb.families.scaling.samples import KIB, read
from perfdb.record import Metric

Known = Mapping[tuple[str, str], Sequence[tuple[float, int]]]
PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def summarise(samples: Mapping[str, Sequence[Any]]) -> tuple[Metric, ...]:
    """All metrics, a value for each repetition; of several waits apart.

    Raises:
        KeyError: a column is not there.
        ValueError: a row is none that a run could have.
    """
    if not samples:
        return ()
    tried = read(samples)
    waits = sorted({wait for _, wait, _, _ in tried})
    return tuple(metric for place, wait in enumerate(waits) for metric in _of_wait(prefix_of(place), wait, tried))


def cell_of(repetition: int, wait_s: float, load: int, known: Known, phase: str = "total") -> Cell | None:
    """One load, tried once; None where no session is known.

    Args:
        phase: Whose latency it is judged by.
    """
    outcomes = {
        word: sum(count for _, count in rows) for (quantity, word), rows in known.items() if quantity == "outcome"
    }
    every = sum(outcomes.values())
    if not every:
        return None
    ok = outcomes.get("ok", 0)
    lasted = known.get(("steady", "")) or known.get(("wall", ""), ())
    seconds = next((value for value, _ in lasted), 0.0)
    return Cell(
        load=float(load),
        wait_s=wait_s,
        repetition=repetition,
        success_share=ok / every,
        p50_s=at_share(known.get((phase, "ok"), ()), 0.5),
        p95_s=at_share(known.get((phase, "ok"), ()), 0.95),
        p99_s=at_share(known.get((phase, "ok"), ()), 0.99),
        sessions_per_s=ok / seconds if seconds > 0 else None,
        unique_hosts=sum(quantity == "host" for quantity, _ in known),
        valid=not any(quantity == "spoiled" for quantity, _ in known),
    )


def at_share(rows: Sequence[tuple[float, int]], share: float) -> float | None:
    """The nearest-rank quantile of counted values; None of none."""
    rank = math.ceil(share * sum(count for _, count in rows) - 1e-9)
    for value, count in sorted(rows):
        rank -= count
        if rank <= 0:
            return value
    return None


def _of_wait(prefix: str, wait: float, tried: Mapping[tuple[int, float, int, int], Known]) -> Iterator[Metric]:
    """Of each repetition, at its largest load that was tried whole; the peak rate over all of them."""
    mine = {(r, load, number): known for (r, w, load, number), known in tried.items() if w == wait}
    repetitions = sorted({r for r, _, _ in mine})
    values: dict[str, list[float]] = {}
    for repetition in repetitions:
        loads = {
            (load, number): known
            for (r, load, number), known in mine.items()
            if r == repetition and ("spoiled", "incomplete") not in known
        }
        cells = {key: cell for key, known in loads.items() if (cell := cell_of(repetition, wait, key[0], known))}
        if not cells:
            continue
        largest = max(cells)
        for name, value in _at(loads[largest], cells[largest]):
            values.setdefault(name, []).append(value)
        rates = [cell.sessions_per_s for cell in cells.values() if cell.sessions_per_s is not None]
        if rates:
            values.setdefault("peak_sessions_per_s", []).append(max(rates))
        if hosts := [cell.unique_hosts for cell in cells.values() if cell.unique_hosts]:
            values.setdefault("fewest_hosts", []).append(float(min(hosts)))
    values.update(_ceilings(mine, wait))
    for name, found in values.items():
        defined = METRICS[prefix + name]
        yield Metric(name=prefix + name, unit=defined.unit, direction=defined.direction, values=tuple(found))


def _ceilings(mine: Mapping[tuple[int, int, int], Known], wait: float) -> dict[str, list[float]]:
    """Each repetition's; none at all where that of one is not known, for a mean over the others would be another number."""
    told = next(iter(mine.values()))
    given = {word: rows[0][0] for (quantity, word), rows in told.items() if quantity == "criterion"}
    phase = next((word for quantity, word in told if quantity == "judged"), None)
    if phase is None or given.keys() != Criterion.model_fields.keys():
        return {}
    criterion = Criterion(**given)
    cells: dict[int, list[Cell]] = {}
    for (repetition, load, _), known in mine.items():
        cell = cell_of(repetition, wait, load, known, phase)
        cells.setdefault(repetition, []).extend([cell] if cell is not None and cell.valid else [])
    brackets = [bracket_of(cells[repetition], criterion)[0] for repetition in sorted(cells)]
    passed = [bracket.passed for bracket in brackets if bracket.passed is not None and bracket.failed is not None]
    if len(passed) < len(brackets):
        return {}
    return {"ceiling_per_s" if ("per_s", "") in told else "ceiling": passed}


def _at(known: Known, cell: Cell) -> Iterator[tuple[str, float]]:
    yield "largest_load", cell.load
    yield "success_share", cell.success_share
    for phase in ("connect", "reset", "step", "close", "total"):
        for name, share in PERCENTILES.items():
            if (value := at_share(known.get((phase, "ok"), ()), share)) is not None:
                yield f"{phase}_{name}_s", value
    if cell.sessions_per_s is not None:
        yield "sessions_per_s", cell.sessions_per_s
    for quantity in ("peak_sessions", "peak_steps"):
        yield quantity, float(sum(count for _, count in known.get((quantity, ""), ())))
    yield from _server(known)
    yield from _fault(known)


def _server(known: Known) -> Iterator[tuple[str, float]]:
    watched_s = max((value for value, _ in known.get(("watched", ""), ())), default=0.0)
    for role in ROLES:
        cpu = [value for (quantity, _), rows in known.items() if quantity == f"{role}_cpu" for value, _ in rows]
        if cpu and watched_s > 0:
            yield f"{role}_cpu_share", max(cpu) / watched_s
        for name, unit in (("memory_bytes", KIB), ("threads", 1)):
            if most := _counts(known, f"{role}_{name.removesuffix('_bytes')}"):
                yield f"{role}_{name}", float(max(most) * unit)
    passed = _counts(known, "passed")
    if sum(passed):
        yield "requests_spread", (max(passed) - min(passed)) * len(passed) / sum(passed)


def _fault(known: Known) -> Iterator[tuple[str, float]]:
    for word in ("eject", "recover", "readmit"):
        for value, _ in known.get(("fault_cost", word), ()):
            yield f"time_to_{word}_s", value
    for _, count in known.get(("fault_lost", ""), ()):
        yield "sessions_lost", float(count)


def _counts(known: Known, quantity: str) -> list[int]:
    return [count for (one, _), rows in known.items() if one == quantity for _, count in rows]

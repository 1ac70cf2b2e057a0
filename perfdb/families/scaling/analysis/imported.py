"""The cells of records that were imported from a runbook's files. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from perfdb.families.scaling.analysis.cells import Cell
from perfdb.record import Record


def cells_of(record: Record) -> tuple[Cell, ...]:
    """One cell a repetition; none of a record that does not say what was asked for, or how many succeeded.

    The load is the number of requests, which the runbook's program begins at once. A repetition some of which succeeded,
    and of which no p99 is known, says nothing.
    """
    load, wait = record.params.get("num_requests"), record.params.get("wait_seconds")
    good, bad = _values(record, "successful_requests"), _values(record, "failed_requests")
    asked = [value for value in (load, wait) if isinstance(value, int | float) and value >= 0]
    if len(asked) < 2 or not asked[0] or len(good) != len(bad):
        return ()
    numbers = {
        "p50_s": _values(record, "recomputed_total_p50_s") or _values(record, "total_p50_s"),
        "p95_s": _values(record, "recomputed_total_p95_s") or _values(record, "total_p95_s"),
        "p99_s": _values(record, "recomputed_total_p99_s") or _values(record, "total_p99_s"),
        "sessions_per_s": _values(record, "requests_per_s"),
    }
    hosts = _values(record, "unique_hosts")
    cells = []
    for place, (successes, failures) in enumerate(zip(good, bad, strict=True)):
        known = {name: _at(values, place, len(good)) for name, values in numbers.items()}
        seen = _at(hosts, place, len(good))
        told = successes + failures > 0 and (known["p99_s"] is not None or not successes)
        cells.append(
            Cell(
                load=asked[0],
                wait_s=asked[1],
                repetition=place + 1,
                success_share=successes / (successes + failures) if successes + failures else 0.0,
                unique_hosts=None if seen is None else round(seen),
                valid=told and record.status != "invalid",
                **known,
            )
        )
    return tuple(cells)


def _values(record: Record, name: str) -> Sequence[float]:
    """What cannot be, such as a negative count, is not believed."""
    metric = record.metric(name)
    return metric.all_values if metric and min(metric.all_values) >= 0 else ()


def _at(values: Sequence[float], place: int, count: int) -> float | None:
    """Values are one a repetition; else nobody knows whose they are."""
    return values[place] if len(values) == count else None

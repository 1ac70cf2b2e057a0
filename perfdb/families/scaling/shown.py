"""A record's loads for people: a row each, and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from perfdb.families.base import Shown
from perfdb.families.scaling.analysis.deployments import Measured
from perfdb.families.scaling.runs import measured
from perfdb.record import Record
from perfdb.units import duration, significant

_UNKNOWN = "-"


def shown(record: Record, samples: Mapping[str, Sequence[Any]]) -> Shown:
    """By wait and load, the medians over repetitions; nothing of a record that no run could have made."""
    try:
        run = measured(record, samples)
    except (ValueError, KeyError, TypeError):
        return Shown()
    if not run.cells:
        return Shown()
    broken = record.spec.get("fault_after") is not None
    if broken:  # what a service does while it is broken on purpose is worth seeing, and no load that it bears
        run = run.model_copy(update={"cells": tuple(cell.model_copy(update={"valid": True}) for cell in run.cells)})
    rate = f"{run.unit.partition('/')[0]}/s"
    heads = ("wait", "load", "succeeded", "p50", "p99", "p99 bound", rate, "hosts", "passed")
    rows = [(*row, _UNKNOWN if broken else passed) for *row, passed in _rows(run)]
    if record.status != "ok":  # nothing else counts in an analysis
        return Shown((heads, *rows), tuple(_spoiled(record)))
    further = () if broken else (f"perfdb scaling analyze {record.record_id}", *_larger(record, run))
    return Shown((heads, *rows), further)


def _rows(run: Measured) -> Iterator[tuple[str, ...]]:
    for row in run.latency_rows:
        hosts = sorted(
            {cell.unique_hosts or 0 for cell in run.cells if (cell.wait_s, cell.load) == (row.wait_s, row.load)}
        )
        yield (
            duration(row.wait_s),
            significant(row.load),
            _UNKNOWN if row.success_share is None else f"{significant(100 * row.success_share)} %",
            *(_UNKNOWN if each is None else duration(each) for each in (row.p50_s, row.p99_s)),
            duration(row.p99_bound_s),
            _UNKNOWN if row.sessions_per_s is None else significant(row.sessions_per_s),
            # A plain GET's answer names no host.
            "–".join(map(str, dict.fromkeys((hosts[0], hosts[-1])))) if hosts[-1] else _UNKNOWN,
            f"{row.passed} of {row.cells}" + (f", {row.invalid} more spoiled" if row.invalid else ""),
        )


def _spoiled(record: Record) -> Iterator[str]:
    if any(check.name == "clients_kept_up" and not check.passed for check in record.checks):
        more = 2 * int(record.spec.get("clients") or 1)
        yield (
            "its clients were too slow for the load: let nothing else run on their machine, or have more of them: "
            f"--clients {more}, where each has a core, or the nodes of a config: --clients-on CONFIG"
        )


def _larger(record: Record, run: Measured) -> Iterator[str]:
    if any(one.bracket.at_least for one in run.ceilings):
        largest = max(int(cell.load) for cell in run.cells)
        asked = record.spec
        if asked.get("bisect_to") is not None:
            loads = f"--bisect-to {4 * largest}"
        else:
            loads = f"--requests-grid {largest},{2 * largest},{4 * largest}"
        yield f"the ceiling may be higher, for all loads passed: perfdb run scaling URL {loads}, with the other options as they were"

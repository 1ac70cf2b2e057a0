"""What is worth a look in scaling runs: what one record's loads say, and what more hosts bring."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import fmean, median

from perfdb.families.charts import (
    Bars,
    ChartDescription,
    Dot,
    Grid,
    Line,
    Lines,
    Picture,
    Pictures,
    PicturesOfMany,
    RepetitionsChart,
    Square,
)
from perfdb.families.scaling.analysis.cells import Cell, Criterion, LoadUnit
from perfdb.families.scaling.analysis.deployments import AtWait, Measured, Side, more_hosts
from perfdb.families.scaling.analysis.distribution import distribution
from perfdb.families.scaling.analysis.tables import LatencyRow, heat_squares, latency_rows
from perfdb.families.scaling.analysis.usl import Fit
from perfdb.families.scaling.runs import measured, spec_of
from perfdb.families.scaling.spec import MOST_WAITS
from perfdb.record import Record
from perfdb.units import counted, duration, significant

# Of a stranger's record with thousands of each.
MOST_LOADS = 32
MOST_HOSTS = 40
MOST_KINDS = 4
# So many dots make a law look like the curve that it is.
_LAW_DOTS = 41
_BEYOND = 1.5
_SHOWN_LOAD: Mapping[LoadUnit, str] = {"sessions": "load (sessions at once)", "sessions/s": "load (sessions/s)"}


def pictures(record: Record, samples: Mapping[str, Sequence[object]]) -> Iterator[Picture]:
    """Throughput and latency against load, success and p99 over the grid, and sessions by host; of as much as was tried."""
    try:
        run, expected = measured(record, samples), spec_of(record).expected_hosts
    except (KeyError, ValueError):
        return  # whatever it is, no samples of this family
    yield from of_loads(run.cells, run.criterion, run.unit, run.latency_of)
    yield from of_hosts(run.sessions, expected)


def of_loads(
    cells: Sequence[Cell], criterion: Criterion, unit: LoadUnit, of: str = "whole sessions"
) -> Iterator[Picture]:
    """Those of the loads of one run.

    Args:
        of: What the latencies are of.
    """
    waits = sorted({cell.wait_s for cell in cells})[:MOST_WAITS]
    loads = sorted({cell.load for cell in cells})
    kept = loads[-MOST_LOADS:]
    remarks = (f"The largest {MOST_LOADS} of {len(loads)} loads.",) if len(kept) < len(loads) else ()
    cells = [cell for cell in cells if cell.wait_s in waits and cell.load in kept]
    rows = latency_rows(cells, criterion)
    throughput = _throughput(rows, unit, remarks)
    if throughput is not None:
        yield Picture(
            "throughput",
            "Throughput against load",
            "Sessions that succeeded a second: where it no longer rises with the load, more load only waits.",
            throughput,
        )
    for place, wait_s in enumerate(waits):
        found = _latency([row for row in rows if row.wait_s == wait_s and row.p99_s is not None], unit, remarks)
        if found is not None:
            yield Picture(
                "latency-against-load" if place == 0 else f"latency-against-load-{place + 1}",
                f"Latency against load, wait {duration(wait_s)}",
                f"Percentiles of {of} that succeeded, and what the criterion asks of the 99th: {criterion.text(wait_s)}.",
                found,
            )
    if len(rows) > 1:
        yield from _grids(cells, criterion, remarks)


def of_hosts(sessions: Mapping[str, int], expected_hosts: int | None) -> Iterator[Picture]:
    """How many sessions each host answered, where there are several, or should be."""
    spread = distribution(sessions, expected_hosts or max(1, len(sessions)))
    if spread is None or len(spread.rows) + spread.silent < 2:
        return
    rows = spread.rows[:MOST_HOSTS]
    shown = [(row.host, row.sessions) for row in rows]
    silent = min(spread.silent, MOST_HOSTS - len(shown))
    shown += [(f"silent host {number}", 0) for number in range(1, silent + 1)]
    hosts = len(spread.rows) + spread.silent
    more = (f"The busiest {len(shown)} of {hosts}.",) if len(shown) < hosts else ()
    total = sum(row.sessions for row in spread.rows)
    yield Picture(
        "hosts",
        "Sessions by host",
        "How many sessions each host answered over all loads; dashed: the even share.",
        Bars("host", "sessions answered", tuple(shown), total / hosts, (f"{spread.text().capitalize()}.", *more)),
    )


def of_many(records: Sequence[tuple[Record, Mapping[str, Sequence[object]]]]) -> Iterator[Picture]:
    """Ceilings against hosts, of each kind of loads that were put on one host and on several."""
    runs = []
    for record, samples in records:
        with contextlib.suppress(KeyError, ValueError):
            runs.append(measured(record, samples))
    against = more_hosts(runs)
    for place, kind in enumerate(dict.fromkeys(one.kind for one in against)):
        found = of_more_hosts([one for one in against if one.kind == kind], runs)
        if found is not None and place < MOST_KINDS:
            name = found.name if place == 0 else f"{found.name}-{place + 1}"
            yield replace(found, name=name, title=f"{found.title}: {kind}")


def of_more_hosts(found: Sequence[AtWait], runs: Sequence[Measured]) -> Picture | None:
    """Ceilings against numbers of hosts, with what is linear and the law; None where no ceiling is known.

    Args:
        runs: Those that the ceilings are of.
    """
    lines: list[Line] = []
    remarks: list[str] = []
    unit = next((run.unit for run in runs), "sessions")
    for one in found:
        wait = f"wait {duration(one.wait_s)}"
        known = {n: side for n, side in one.sides.items() if side.ceiling.bracket.passed is not None}
        remarks += (
            f"{wait}: of {counted(n, 'host')} {why}{'' if n in known else ', so there is no dot'}."
            for n, side in one.sides.items()
            for why in side.ceiling.doubts
        )
        if not known:
            continue
        n = list(known)
        lines.append(Line(wait, tuple(map(_host_dot, known.values()))))
        if 1 in known:
            base = fmean(known[1].passed)
            lines.append(Line(wait, tuple(Dot(float(k), base * k) for k in n), "linear"))
        if isinstance(one.law, Fit):
            law, end = one.law.law, n[-1] * _BEYOND
            steps = [n[0] + (end - n[0]) * k / (_LAW_DOTS - 1) for k in range(_LAW_DOTS)]
            dots = tuple(Dot(at, law.at(at)) for at in sorted({*steps, *map(float, n)}))
            lines.append(Line(wait, dots, "Universal Scalability Law"))
            remarks.append(f"{wait}: {one.law.text()}.")
    if not lines:
        return None
    return Picture(
        "more-hosts",
        "Ceiling against hosts",
        "The largest load that so many hosts bear, median over repetitions, with what linear scaling would give.",
        Lines("hosts", "ceiling", unit, tuple(lines), remarks=tuple(remarks)),
    )


def _host_dot(side: Side) -> Dot:
    told = f"{side.ceiling.bracket.text()}, {counted(len(side.passed), 'repetition')}"
    return Dot(float(side.hosts), median(side.passed), min(side.passed), max(side.passed), told)


def _throughput(rows: Sequence[LatencyRow], unit: LoadUnit, remarks: tuple[str, ...]) -> Lines | None:
    lines = []
    for wait_s in sorted({row.wait_s for row in rows}):
        dots = [
            Dot(row.load, row.sessions_per_s, told=_how(row))
            for row in rows
            if row.wait_s == wait_s and row.sessions_per_s is not None
        ]
        if len(dots) > 1:
            lines.append(Line(f"wait {duration(wait_s)}", tuple(dots)))
    return Lines(_SHOWN_LOAD[unit], "throughput", "sessions/s", tuple(lines), True, remarks) if lines else None


def _latency(rows: Sequence[LatencyRow], unit: LoadUnit, remarks: tuple[str, ...]) -> Lines | None:
    if len(rows) < 2:
        return None
    p99 = [Dot(r.load, r.p99_s, r.p99_low_s, r.p99_high_s, _how(r)) for r in rows if r.p99_s is not None]
    p95 = [Dot(row.load, row.p95_s, told=_how(row)) for row in rows if row.p95_s is not None]
    p50 = [Dot(row.load, row.p50_s, told=_how(row)) for row in rows if row.p50_s is not None]
    bound = [Dot(row.load, row.p99_bound_s) for row in rows]
    lines = [Line(name, tuple(dots)) for name, dots in (("p50", p50), ("p95", p95), ("p99", p99)) if dots]
    lines.append(Line("p99", tuple(bound), "what p99 must stay below"))
    return Lines(_SHOWN_LOAD[unit], "latency", "s", tuple(lines), True, remarks)


def _how(row: LatencyRow) -> str:
    share = "" if row.success_share is None else f"{significant(100 * row.success_share)} % succeeded, "
    return f"{share}{row.passed} of {counted(row.cells, 'repetition')} passed"


def _grids(cells: Sequence[Cell], criterion: Criterion, remarks: tuple[str, ...]) -> Iterator[Picture]:
    squares = heat_squares(cells, criterion)
    waits = tuple(dict.fromkeys(duration(square.wait_s) for square in squares))
    loads = tuple(dict.fromkeys(f"{square.load:g}" for square in squares))
    p99s = {(row.wait_s, row.load): row.p99_s for row in latency_rows(cells, criterion)}
    success, p99 = [], []
    for square in squares:
        if square.success_share is None:
            continue
        row, column = f"{square.load:g}", duration(square.wait_s)
        passed = "passed" if square.passed_share and square.passed_share > 0.5 else "failed"
        success.append(
            Square(row, column, square.success_share, f"{significant(100 * square.success_share)} %", passed)
        )
        slow = p99s.get((square.wait_s, square.load))
        if slow is not None and square.p99_over_bound is not None:
            p99.append(Square(row, column, square.p99_over_bound / 2, duration(slow), passed))
    yield Picture(
        "grid-success",
        "Success over loads and waits",
        "The share of sessions that succeeded, and whether most repetitions passed the whole criterion.",
        Grid("load", "wait", loads, waits, tuple(success), ("Deeper: more succeeded.", *remarks)),
    )
    if p99:
        told = "Deeper: slower, measured by what the criterion asks; the deepest takes twice that, or longer."
        yield Picture(
            "grid-p99",
            "p99 over loads and waits",
            "The 99th percentile of sessions that succeeded, and whether most repetitions passed the whole criterion.",
            Grid("load", "wait", loads, waits, tuple(p99), (told, *remarks)),
        )


CHARTS: tuple[ChartDescription, ...] = (
    Pictures(pictures),
    PicturesOfMany(of_many),
    RepetitionsChart(
        "latencies",
        "Latency at the largest load, phase by phase",
        "Median and 99th percentile of each phase, a point for each repetition.",
        (
            "connect_p50_s",
            "connect_p99_s",
            "reset_p50_s",
            "reset_p99_s",
            "step_p50_s",
            "step_p99_s",
            "total_p50_s",
            "total_p99_s",
        ),
    ),
    RepetitionsChart(
        "success",
        "Sessions that succeeded at the largest load",
        "The share of sessions that came to their end, a point for each repetition.",
        ("success_share",),
    ),
)

"""What `perfdb scaling` found: as people read it, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from perfdb.cli.render_history import aligned
from perfdb.cli.terminal import printable
from perfdb.families.scaling.analysis.deployments import AtWait, Measured
from perfdb.families.scaling.analysis.factor import METHOD as FACTOR_METHOD
from perfdb.families.scaling.analysis.factor import Factor
from perfdb.families.scaling.analysis.usl import METHOD as LAW_METHOD
from perfdb.families.scaling.analysis.usl import Fit
from perfdb.units import counted, duration, significant


def print_runs(runs: Sequence[Measured], against: Sequence[AtWait], left_out: Mapping[str, Sequence[str]]) -> None:
    """A block for each run, then what more hosts bring."""
    for run in runs:
        for line in _run_lines(run):
            print(printable(line))
        print()
    for one in against:
        for line in _against_lines(one):
            print(printable(line))
        print()
    for why, ids in left_out.items():
        print(f"left out, {why}: {', '.join(ids)}")
    print(
        f"latencies are of whole sessions that succeeded, from when they were scheduled. {FACTOR_METHOD}; the law: {LAW_METHOD}"
    )


def _run_lines(run: Measured) -> Iterator[str]:
    yield f"{run.name}, {counted(run.hosts, 'host')} ({run.record_id})"
    rows = [["wait", "ceiling", "over repetitions", "p99 there", "succeeded", f"{run.unit.partition('/')[0]}/s"]]
    for row in run.ceiling_rows:
        rows.append(
            [
                _s(row.wait_s),
                f"{row.ceiling.text()} {row.unit}",
                row.interval,
                _s(row.p99_s),
                _share(row.success_share),
                _n(row.sessions_per_s),
            ]
        )
    yield from (f"  {line}" for line in aligned(rows))
    rows = [["wait", "load", "p50", "p95", "p99", "p99 bound", "succeeded", "rate", "passed"]]
    for latency in run.latency_rows:
        rows.append(
            [
                _s(latency.wait_s),
                f"{latency.load:g}",
                _s(latency.p50_s),
                _s(latency.p95_s),
                _s(latency.p99_s),
                _s(latency.p99_bound_s),
                _share(latency.success_share),
                _n(latency.sessions_per_s),
                f"{latency.passed} of {latency.cells}",
            ]
        )
    yield from (f"  {line}" for line in aligned(rows))
    spread = run.distribution
    if spread is not None:
        yield f"  hosts: {spread.text()}"


def _against_lines(one: AtWait) -> Iterator[str]:
    yield f"wait {duration(one.wait_s)}: more hosts against one"
    for hosts, factor in one.factors.items():
        if not isinstance(factor, Factor):
            yield f"  {hosts} hosts: {factor.reason}"
            continue
        low, high = factor.low, factor.high
        interval = (
            "no interval" if low is None else f"{significant(low)} – {significant(high) if high is not None else '∞'}"
        )
        yield (
            f"  {hosts} hosts: factor {significant(factor.factor)} ({interval}), efficiency {100 * factor.efficiency:.3g} %"
            f"{f', {factor.judgement}' if factor.judgement else ''}"
        )
        yield from (f"    {remark}" for remark in factor.remarks)
    if isinstance(one.law, Fit):
        law = one.law.law
        peak = f", most at {significant(law.peak_hosts)} hosts" if law.peak_hosts is not None else ""
        exact = "; as many points as parameters, so nothing says whether it holds" if one.law.exact else ""
        yield f"  Universal Scalability Law: contention {significant(law.contention)}, coherency {significant(law.coherency)}{peak}{exact}"
    else:
        yield f"  {one.law.reason}"


def _s(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)


def _share(share: float | None) -> str:
    return "-" if share is None else f"{significant(100 * share)} %"


def _n(value: float | None) -> str:
    return "-" if value is None else significant(value)


def document(
    runs: Sequence[Measured], against: Sequence[AtWait], left_out: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """For JSON; seconds throughout."""
    return {
        "runs": [
            {
                "record_id": run.record_id,
                "name": run.name,
                "hosts": run.hosts,
                "ceilings": [ceiling.model_dump(mode="json") for ceiling in run.ceilings],
                "loads": [row.model_dump(mode="json") for row in run.latency_rows],
                "distribution": spread.model_dump(mode="json") if (spread := run.distribution) else None,
            }
            for run in runs
        ],
        "more_hosts": [one.model_dump(mode="json") for one in against],
        "factor_method": FACTOR_METHOD,
        "law_method": LAW_METHOD,
        "left_out": {why: list(ids) for why, ids in left_out.items()},
    }

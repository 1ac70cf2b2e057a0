"""What `perfdb scaling` found: as people read it, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from perfdb.cli.render_history import aligned
from perfdb.cli.terminal import printable
from perfdb.families.scaling.analysis.deployments import AtWait, Measured
from perfdb.families.scaling.analysis.factor import METHOD as FACTOR_METHOD
from perfdb.families.scaling.analysis.factor import Factor, NoFactor
from perfdb.families.scaling.analysis.usl import METHOD as LAW_METHOD
from perfdb.families.scaling.analysis.usl import Fit, NoFit
from perfdb.units import counted, duration, significant

_BAR = 32
_LATENCY_OF = {"whole sessions": "whole sessions, from when they were scheduled,", "steps": "steps"}


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
        print(printable(f"left out, {why}: {', '.join(ids)}"))
    of = " and ".join(dict.fromkeys(_LATENCY_OF[run.latency_of] for run in runs))
    print(f"latencies are of {of} that succeeded. {FACTOR_METHOD}; the law: {LAW_METHOD}")


def _run_lines(run: Measured) -> Iterator[str]:
    yield f"{run.name}, {counted(run.hosts, 'host')} ({', '.join(run.records)})"
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
    if run.ceiling_rows:
        yield from (f"  {line}" for line in aligned(rows))
    else:
        yield "  no ceiling, for no load counts: its clients were the limit, or a backend was taken away meanwhile"
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
                f"{latency.passed} of {latency.cells}"
                + (f", {latency.invalid} not counted" if latency.invalid else ""),
            ]
        )
    yield from (f"  {line}" for line in aligned(rows))
    spread = run.distribution
    if spread is not None:
        yield f"  hosts: {spread.text()}"


def _against_lines(one: AtWait) -> Iterator[str]:
    yield f"wait {duration(one.wait_s)}, {one.kind}: more hosts against one"
    yield from _by_hosts(one)
    for hosts, factor in one.factors.items():
        yield from (f"  {line}" for line in aligned(_key_rows(one, hosts)))
        if isinstance(factor, NoFactor):
            yield f"  {factor.reason}"
            continue
        judged = f"{factor.judgement}{'' if factor.sure else ', as far as these repetitions say'}"
        yield f"  {judged if factor.judgement else 'nothing follows for the efficiency'}"
        yield from (f"    {remark}" for remark in factor.remarks)
    if isinstance(one.law, Fit):
        yield f"  Universal Scalability Law: {one.law.text()}"
    else:
        yield f"  {one.law.reason}"


def _by_hosts(one: AtWait) -> Iterator[str]:
    """A bar for each number of hosts, what linear scaling would give, and where they are not one the services."""
    known = {n: side.ceiling.bracket.passed or 0.0 for n, side in one.sides.items()}
    most = max(*known.values(), known.get(1, 0.0) * max(known))
    rows = []
    others = len({side.services for side in one.sides.values()}) > 1
    for n, passed in known.items():
        bar = "█" * max(1, round(_BAR * passed / most)) if passed else ""
        linear = "" if n == 1 else f"linear: {one.linear(n).text()}"
        rows.append(
            [
                counted(n, "host"),
                bar,
                one.sides[n].ceiling.bracket.text(),
                linear,
                *([", ".join(one.sides[n].services)] if others else []),
            ]
        )
    yield from (f"  {line}" for line in aligned(rows))


def _key_rows(one: AtWait, hosts: int) -> list[list[str]]:
    """What the OpenEnv scaling runbook asks to report of one host and several, beside the same by success alone."""
    single, multi = one.sides[1], one.sides[hosts]
    factor, loose = one.factors[hosts], one.by_success[hosts]
    seen = "not known" if multi.unique_hosts is None else f"{multi.unique_hosts} of {hosts}"
    return [
        ["", "criterion met", "over repetitions", "by success alone"],
        *(
            [
                name,
                f"{side.ceiling.bracket.text()} {side.ceiling.unit}",
                side.ceiling.interval_text(),
                side.by_success.bracket.text(),
            ]
            for name, side in (("single-node ceiling", single), (f"multi-node ceiling, {hosts} hosts", multi))
        ),
        ["scaling factor", _factor(factor), _factor_interval(factor), _factor(loose)],
        ["scaling efficiency", _factor(factor, hosts), _factor_interval(factor, hosts), _factor(loose, hosts)],
        ["unique hosts", seen, "at the load where the fewest answered", ""],
    ]


def _factor(factor: Factor | NoFactor, hosts: int = 0) -> str:
    """The factor, or its efficiency where it is divided by hosts."""
    if isinstance(factor, NoFactor) or factor.bound == "unknown":
        return "not known"
    told = f"{100 * factor.factor / hosts:.3g} %" if hosts else significant(factor.factor)
    return told if factor.bound == "exact" else f"{factor.bound} {told}"


def _factor_interval(factor: Factor | NoFactor, hosts: int = 0) -> str:
    """What is known of it: an interval of repetitions that all end at the same loads of a grid is none."""
    if isinstance(factor, NoFactor) or factor.bound == "unknown":
        return ""
    by, unit = (100 / hosts, " %") if hosts else (1.0, "")
    most = "∞" if factor.most is None else significant(by * factor.most, 3)
    known = f"{significant(by * factor.least, 3)} to {most}{unit} (repetitions and gaps between loads)"
    return f"{known}; one repetition on a side" if factor.low is None and factor.bound == "exact" else known


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
                "records": list(run.records),
                "name": run.name,
                "kind": run.kind,
                "imported": run.imported,
                "hosts": run.hosts,
                "unit": run.unit,
                "latency_of": run.latency_of,
                "criterion": run.criterion.model_dump(mode="json"),
                "ceilings": [ceiling.model_dump(mode="json") for ceiling in run.ceilings],
                "loads": [row.model_dump(mode="json") for row in run.latency_rows],
                "distribution": {**spread.model_dump(mode="json"), "even": spread.even}
                if (spread := run.distribution)
                else None,
            }
            for run in runs
        ],
        "more_hosts": [_wait_document(one) for one in against],
        "factor_method": FACTOR_METHOD,
        "law_method": LAW_METHOD,
        "left_out": {why: list(ids) for why, ids in left_out.items()},
    }


def _wait_document(one: AtWait) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "wait_s": one.wait_s,
        "sides": {str(hosts): side.model_dump(mode="json") for hosts, side in one.sides.items()},
        "factors": {str(hosts): _factor_document(one, hosts, factor) for hosts, factor in one.factors.items()},
        "law": _law_document(one.law),
    }


def _factor_document(one: AtWait, hosts: int, factor: Factor | NoFactor) -> dict[str, Any]:
    """Either has a `reason`: why there is none, or null."""
    loose = one.by_success[hosts]
    common = {
        "single_ceiling": one.sides[1].ceiling.bracket.passed,
        "multi_ceiling": one.sides[hosts].ceiling.bracket.passed,
        "expected_ceiling": one.linear(hosts).passed,
        "unique_hosts": one.sides[hosts].unique_hosts,
        "by_success_alone": None if isinstance(loose, NoFactor) else _factor_numbers(loose),
    }
    if isinstance(factor, NoFactor):
        return {**common, "reason": factor.reason}
    return {**common, "reason": None, **_factor_numbers(factor)}


def _factor_numbers(factor: Factor) -> dict[str, Any]:
    low, high = factor.efficiency_interval
    least, most = factor.efficiency_bounds
    return {
        **factor.model_dump(mode="json"),
        "efficiency": factor.efficiency,
        "efficiency_low": low,
        "efficiency_high": high,
        "efficiency_least": least,
        "efficiency_most": most,
    }


def _law_document(law: Fit | NoFit) -> dict[str, Any]:
    """As above; `peak_hosts` is sqrt((1 - contention) / coherency), at least 1, and `peak_load` what they bear."""
    if isinstance(law, NoFit):
        return {"reason": law.reason}
    peak = law.law.peak_hosts
    return {
        "reason": None,
        **law.model_dump(mode="json"),
        "peak_hosts": peak,
        "peak_load": None if peak is None else law.law.at(peak),
        "peak_extrapolated": law.peak_extrapolated,
    }

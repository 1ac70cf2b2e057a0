"""From what the clients said to the measurements. Pure, and content with logs that end anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from perfdb.families.base import ChildRun, Measurements, Setup
from perfdb.families.scaling.analysis.ceiling import ceilings
from perfdb.families.scaling.analysis.cells import Cell
from perfdb.families.scaling.analysis.distribution import distribution
from perfdb.families.scaling.analysis.search import Search, ending
from perfdb.families.scaling.clients import nodes as client_nodes
from perfdb.families.scaling.clients.merge import Load
from perfdb.families.scaling.clients.saturation import why_saturated
from perfdb.families.scaling.measure import cell_tried, child_count, tried_of, wrong_hosts
from perfdb.families.scaling.samples import Tried, columns, read
from perfdb.families.scaling.servers import checks as server_checks
from perfdb.families.scaling.servers.fault import cost_of
from perfdb.families.scaling.spec import ScalingSpec
from perfdb.families.scaling.summarise import cell_of, summarise
from perfdb.record import Check, Finding, Status
from perfdb.units import counted, duration, significant

_LONGEST = 1500


def assemble(spec: ScalingSpec, setup: Setup | None, runs: Sequence[ChildRun]) -> Measurements:  # noqa: ARG001 (as every family's)
    """Everything that those children's logs say."""
    tried = [one for run in runs if (one := tried_of(spec, run)) is not None]
    samples = columns(tried)
    checks = (*_checks(spec, tried), *client_nodes.checks(spec, runs))
    status, reason = _status(spec, runs, tried, checks)
    return Measurements(
        status=status,
        reason=reason,
        metrics=(*summarise(samples), *client_nodes.metrics(runs)),
        checks=checks,
        findings=(*_findings(spec, tried), *_service_findings(tried), *client_nodes.findings(spec, runs)),
        samples=samples,
        workers=client_nodes.workers(runs),
    )


def _name(one: Tried) -> str:
    return f"repetition {one.repetition}, wait {one.wait_s:g} s, load {one.load}"


def _check(name: str, faults: Sequence[str], fine: str) -> Check:
    more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
    return Check(name=name, passed=not faults, detail=("; ".join(faults[:5]) + more)[:_LONGEST] if faults else fine)


def _checks(spec: ScalingSpec, tried: Sequence[Tried]) -> Iterator[Check]:
    yield _check(
        "every_load_complete",
        [f"{_name(one)}: {_why(one)}" for one in tried if not one.found.complete],
        f"every client of {counted(len(tried), 'load')} did all of its share",
    )
    yield _check(
        "clients_kept_up",
        [f"{_name(one)}: {'; '.join(why)}" for one in tried if (why := why_saturated(one.found, spec.limits))],
        f"no client was saturated: at most {_worst(tried)}",
    )
    yield _check(
        "connections_sufficient",
        [
            f"{_name(one)}: {counted(short, 'session')} failed for lack of something on the client: see ulimit -n and the ports"
            for one in tried
            if one.found.complete and (short := one.found.all.get("client", 0))
        ],
        "no session failed for lack of files or ports on the client",
    )
    if spec.shape == "barrier":
        yield _check(
            "sessions_simultaneous",
            [
                f"{_name(one)}: at most {one.found.ok_steps.peak} of the {ok} steps that succeeded were under way at once"
                for one in tried
                if one.found.ok_steps.peak < (ok := one.found.all.get("ok", 0))
            ],
            "at the barrier every session that succeeded was in its step at once",
        )
    if spec.expected_hosts is not None and spec.require_hosts:
        yield _check(
            "hosts_as_expected",
            list(_hosts(spec, tried)),
            f"{counted(spec.expected_hosts, 'host')} answered every load in which a session succeeded",
        )
    yield from _of_the_service(spec, tried)


def _of_the_service(spec: ScalingSpec, tried: Sequence[Tried]) -> Iterator[Check]:
    """Checks of the service's side, as far as it was seen."""

    def of(name: str, why: Callable[[Load], str | None], fine: str) -> Check:
        return _check(name, [f"{_name(one)}: {said}" for one in tried if (said := why(one.found)) is not None], fine)

    if (window := spec.window) is not None:
        fine = server_checks.lawful([one.found for one in tried], window)
        yield of("littles_law", lambda load: server_checks.unlawful(load, window), fine)
    watched = [one for one in tried if one.found.server.balancer_watched]
    if spec.admin is not None:
        yield of(
            "balancer_watched",
            lambda load: (
                None if load.server.balancer_watched else "the admin that was named did not answer as an Envoy"
            ),
            "the balancer told of itself before and after each load",
        )
    if watched:
        yield of(
            "balancer_agrees",
            lambda load: server_checks.disagreement(load, spec.mode),
            f"in {counted(len(watched), 'load')} the balancer passed on what the clients sent, to the hosts that answered",
        )
    if spec.fault_after is not None:
        yield of("fault_happened", server_checks.no_fault, "the fault's command was run in each load, and ended well")
        return  # a host is gone for a while, and has less to do
    if watched:
        yield of("no_backend_ejected", server_checks.unhealthy, server_checks.healthy([one.found for one in watched]))
    expected = spec.expected_hosts if spec.require_hosts else None
    yield of(
        "hosts_even",
        lambda load: server_checks.unevenness(load, spec.most_spread, spec.least_success, expected),
        f"hosts with at least {server_checks.ENOUGH} sessions each were loaded within {spec.most_spread:.0%}, or by chance",
    )


def _why(one: Tried) -> str:
    why = "; ".join(one.found.missing) or "no session began"
    # Printable: what a program says on its way down may be anything.
    words = "".join(sign if sign.isprintable() else " " for sign in one.last_words)[:300]
    return f"{why}; its last words: {words}" if words else why


def _worst(tried: Sequence[Tried]) -> str:
    lags = [lag.max_s for one in tried if (lag := one.found.send_lag) is not None]
    cpu = max((one.found.highest_cpu_share for one in tried), default=0.0)
    return f"{max(lags, default=0.0):.3f} s of send lag, {cpu:.0%} of a core in the busiest second"


def _hosts(spec: ScalingSpec, tried: Sequence[Tried]) -> Iterator[str]:
    for one in tried:
        if wrong_hosts(spec, one.found):
            seen = len(one.found.by_host)
            yield (
                f"{_name(one)}: {counted(seen, 'host')} answered, {spec.expected_hosts} are required. Is the URL the balancer's and not "
                "one backend's, does the balancer list all backends, and are they healthy?"
            )


def _status(
    spec: ScalingSpec, runs: Sequence[ChildRun], tried: Sequence[Tried], checks: Sequence[Check]
) -> tuple[Status, str | None]:
    for run in runs:
        how = f"{run.log.name} after {run.log.exit.t:.1f} s"
        if run.log.exit.reason == "timeout":
            return "timeout", f"the time limit ended {how}"
        if run.log.exit.reason != "ended":
            return "interrupted", f"perfdb was told to stop, or was killed, and ended {how}"
    expected = child_count(spec)
    if not runs or (spec.search is None and len(runs) < expected):
        return "interrupted", f"perfdb was interrupted after {len(runs)} of {counted(expected, 'load')}"
    if spec.search is not None and (unfinished := _unfinished(spec, spec.search, tried)):
        return "interrupted", f"perfdb was interrupted in the search of {unfinished}"
    if not any(one.found.all for one in tried):
        return "failed", f"no load was measured: {_why(tried[0]) if tried else 'no client began'}"
    if not any(one.found.all.get("ok") for one in tried):
        said = next((told.trouble for one in tried for told in one.found.told if told.trouble), None)
        outcomes = {outcome: count for one in tried for outcome, count in one.found.all.items()}
        return (
            "failed",
            f"no session succeeded ({', '.join(outcomes)}{f': {said}' if said else ''}). Is the service there, and is it the mode that it speaks?",
        )
    failed = [check for check in checks if not check.passed]
    if failed:
        return "invalid", ". ".join(f"{check.name}: {check.detail}" for check in failed)
    return "ok", None


def _unfinished(spec: ScalingSpec, search: Search, tried: Sequence[Tried]) -> str | None:
    """The first search that did not come to its end."""
    for repetition in range(1, spec.reps + 1):
        for wait_s in spec.waits:
            mine = [one for one in tried if (one.repetition, one.wait_s) == (repetition, wait_s)]
            if ending(search, [cell_tried(spec, one) for one in mine]) is None:
                return f"repetition {repetition}, wait {wait_s:g} s, after {counted(len(mine), 'load')}"
    return None


def cells_of(spec: ScalingSpec, samples: Mapping[str, Sequence[object]]) -> list[Cell]:
    """Every load that was tried, by the samples."""
    known = read(samples) if samples else {}
    cells = (cell_of(r, wait, load, one, spec.judged_by) for (r, wait, load, _), one in known.items())
    return [cell for cell in cells if cell]


def hosts_of(samples: Mapping[str, Sequence[object]]) -> dict[str, int]:
    """How many sessions each host answered, over all loads."""
    hosts: dict[str, int] = {}
    for one in (read(samples) if samples else {}).values():
        for (quantity, word), rows in one.items():
            if quantity == "host":
                hosts[word] = hosts.get(word, 0) + sum(count for _, count in rows)
    return hosts


def _findings(spec: ScalingSpec, tried: Sequence[Tried]) -> Iterator[Finding]:
    cells = [cell_tried(spec, one) for one in tried if one.found.loads]
    hosts = hosts_of(columns([one for one in tried if one.found.complete]))
    found = ceilings(cells, spec.criterion, spec.unit) if spec.fault_after is None else ()
    for place, ceiling in enumerate(found):
        criterion = f"wait {duration(ceiling.wait_s)}, {spec.criterion.text(ceiling.wait_s)}"
        yield Finding(
            name="ceiling" if place == 0 else f"wait_{place + 1}_ceiling",
            value=f"{ceiling.bracket.text()} {spec.unit}",
            evidence=f"{criterion}: {ceiling.search_text()}; {ceiling.interval_text()}"[:2000],
        )
    shares = [
        (one.found.steady.get("ok", 0) / every, one) for one in tried if (every := sum(one.found.steady.values()))
    ]
    lossy = [(share, one) for share, one in shares if share < 1]
    if lossy:
        share, worst = min(lossy, key=lambda each: each[0])
        yield Finding(
            name="sessions_failed",
            value=counted(len(lossy), "load"),
            evidence=f"of {len(shares)}; the worst: {significant(100 * share)} % succeeded at load {worst.load}, wait "
            f"{worst.wait_s:g} s; latencies are those of the successes",
        )
    unclosed = sum(one.found.close_failed for one in tried)
    if unclosed:
        yield Finding(
            name="closes_failed",
            value=counted(unclosed, "session"),
            evidence="succeeded, and their close went wrong afterwards: they count as successes, and close percentiles are of the others",
        )
    spread = distribution(hosts, spec.expected_hosts) if spec.expected_hosts is not None and hosts else None
    if spread is not None:
        yield Finding(name="hosts", value=f"{len(hosts)} of {spec.expected_hosts}", evidence=spread.text())


def _service_findings(tried: Sequence[Tried]) -> Iterator[Finding]:
    """What was seen of the service at the largest load, and of each fault."""
    whole = [one for one in tried if one.found.loads]
    if whole:
        largest = max(whole, key=lambda one: (one.load, one.repetition))
        value, evidence = server_checks.seen(largest.found)
        yield Finding(name="server_side", value=value[:200], evidence=f"{_name(largest)}: {evidence}"[:2000])
    faults = [(one, told) for one in whole if (told := server_checks.fault_told(one.found)) is not None]
    if faults:
        evidence = "; ".join(f"{_name(one)}: {value}, {said}" for one, (value, said) in faults)
        worst = max(faults, key=lambda each: cost.lost or 0 if (cost := cost_of(each[0].found)) else 0)
        yield Finding(
            name="fault", value=("at most " if len(faults) > 1 else "") + worst[1][0], evidence=evidence[:2000]
        )

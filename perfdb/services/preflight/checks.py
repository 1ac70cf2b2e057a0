"""The checks, from the service inwards. Each yields its finding as soon as it has one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from perfdb.errors import ServiceError
from perfdb.services.addresses import Address
from perfdb.services.asking import is_healthy
from perfdb.services.connection import Connection
from perfdb.services.envoy import admin as asked
from perfdb.services.preflight import limits
from perfdb.services.preflight.finding import Finding, failed, ok, skipped
from perfdb.services.preflight.sessions import Seen, try_sessions

# A backend that is dead for as long takes sessions with it unseen.
_LONGEST_INTERVAL_S = 5.0
_SESSIONS_PER_HOST = 20
_MOST_SESSIONS = 400
# Each of Envoy's threads takes turns of its own, so a few sessions are never spread quite evenly.
_SMALLEST_PART = 0.25
_AT_ONCE = 16


@dataclass(frozen=True)
class Asked:
    """What to look at.

    Attributes:
        service: Where clients will connect.
        expected_hosts: How many hosts must answer; None for as many as do.
        admin: Envoy's admin; None where there is no balancer.
        connection: What `openenv-connection.env` says of this service, if there is one.
        sessions: How many a run will open at once.
    """

    service: Address
    expected_hosts: int | None
    admin: Address | None
    connection: Connection | None
    sessions: int


def look(at: Asked) -> Iterator[Finding]:
    """Look at all of it."""
    yield _workers(at)
    yield _service(at)
    yield _way(at)
    yield from _balancer(at)
    yield from limits.look(at.service, at.admin, at.sessions)
    yield from _distribution(at)


def _workers(at: Asked) -> Finding:
    if at.connection is None:
        return skipped("workers", "no connection file names them")
    workers = at.connection.workers
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answered = list(pool.map(is_healthy, workers))
    ill = [str(worker) for worker, well in zip(workers, answered, strict=True) if not well]
    if ill:
        return failed(
            "workers",
            f"{', '.join(ill[:5])}{' and more' if len(ill) > 5 else ''} of {len(workers)} do not answer /health",
            "look at their logs, start them again, then start the balancer anew",
        )
    return ok("workers", f"{len(workers)} answer /health")


def _service(at: Asked) -> Finding:
    if is_healthy(at.service):
        return ok("service", f"{at.service.url} answers /health")
    return failed(
        "service",
        f"{at.service.url} does not answer /health",
        "start it with `perfdb serve multi` or deploy/slurm/serve_multi.sh, or mend the URL",
    )


def _way(at: Asked) -> Finding:
    """The usual mistake: a worker's own address instead of the balancer's."""
    if at.connection is None or len(at.connection.workers) < 2:
        return skipped("way", "nothing says that there should be a balancer in between")
    if at.service in at.connection.workers:
        return failed(
            "way",
            f"{at.service} is one worker, not the balancer",
            f"measure {at.connection.url} (`source openenv-connection.env`, then $OPENENV_URL)",
        )
    return ok("way", f"{at.service} is not one of the workers")


def _balancer(at: Asked) -> Iterator[Finding]:
    if at.admin is None:
        yield skipped("envoy", "no balancer: name its admin with --admin")
        return
    try:
        seen = asked.clusters(at.admin)
        config = asked.health(at.admin)
    except ServiceError as error:
        yield failed(
            "envoy", str(error), f"start Envoy, or name its admin with --admin; it was looked for at {at.admin}"
        )
        return
    yield _backends(at, seen)
    yield _breakers(at, seen)
    yield _health_checks(config)
    yield _upgrades(config)


def _backends(at: Asked, seen: asked.Clusters) -> Finding:
    count = len(seen.backends)
    ill = [backend for backend in seen.backends if not backend.healthy]
    wanted = at.expected_hosts
    if ill:
        told = "; ".join(f"{backend.address}: {', '.join(backend.flags) or 'unhealthy'}" for backend in ill[:5])
        return failed(
            "envoy", f"of {count} backends {len(ill)} are ejected: {told}", "mend them; Envoy takes them back itself"
        )
    if wanted is not None and count != wanted:
        return failed(
            "envoy",
            f"it knows {count} backends, not {wanted}",
            "name all of them when it is started (in serve_multi.sh the first node is Envoy's), or mend --expected-hosts",
        )
    return ok("envoy", f"{count} backends, all healthy")


def _breakers(at: Asked, seen: asked.Clusters) -> Finding:
    least = seen.breakers.smallest
    if least < at.sessions:
        return failed(
            "breakers",
            f"beyond {least:,} sessions Envoy lets the next ones wait, then refuses them; {at.sessions:,} are planned",
            "raise max_connections, max_pending_requests and max_requests under circuit_breakers (Envoy's default is 1024)",
        )
    return ok("breakers", f"open for {least:,} sessions")


def _health_checks(config: asked.Health) -> Finding:
    if config.interval_s is None or config.no_traffic_interval_s is None:
        return failed(
            "health checks",
            "Envoy checks no backend's health, so a dead one goes on getting sessions",
            "add health_checks with path /health and an interval of 1s",
        )
    slow = {
        name: value
        for name, value in (("interval", config.interval_s), ("no_traffic_interval", config.no_traffic_interval_s))
        if value > _LONGEST_INTERVAL_S
    }
    if slow:
        told = " and ".join(f"{name} is {value:g} s" for name, value in slow.items())
        return failed(
            "health checks", f"{told}, so a dead backend stays in for as long", f"set {' and '.join(slow)} to 1s"
        )
    return ok(
        "health checks", f"every {config.interval_s:g} s, without traffic every {config.no_traffic_interval_s:g} s"
    )


def _upgrades(config: asked.Health) -> Finding:
    if "websocket" not in config.upgrades:
        return failed(
            "upgrades",
            "Envoy passes no WebSocket on",
            "add upgrade_configs with upgrade_type websocket, in the connection manager and in the route",
        )
    if config.delayed_close_s > 0:
        return failed(
            "upgrades",
            f"Envoy keeps each closed connection for another {config.delayed_close_s:g} s, and clients wait for it",
            "set delayed_close_timeout to 0s in the connection manager",
        )
    return ok("upgrades", "WebSocket is passed on, and closed at once")


def _distribution(at: Asked) -> Iterator[Finding]:
    count = min(_MOST_SESSIONS, _SESSIONS_PER_HOST * (at.expected_hosts or 1))
    before = _passed(at.admin)
    try:
        seen = try_sessions(at.service, count)
    except ServiceError as error:
        yield failed("sessions", str(error), "then look again")
        return
    yield _answered(seen, count)
    if seen.hosts:
        yield _hosts(at, seen)
    if before is not None and (after := _passed(at.admin)) is not None:
        yield _counted(after - before, sum(seen.hosts.values()))


def _answered(seen: Seen, count: int) -> Finding:
    if not seen.errors:
        return ok("sessions", f"{count} of {count} were answered")
    worst = max(seen.errors, key=lambda error: seen.errors[error])
    return failed(
        "sessions",
        f"{sum(seen.errors.values())} of {count} failed, most with: {worst}",
        "raise MAX_CONCURRENT_ENVS if that says that the server is at capacity; else look at the backends' logs",
    )


def _hosts(at: Asked, seen: Seen) -> Finding:
    counts = sorted(seen.hosts.values())
    each = f"{counts[0]}" if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
    told = (
        f"1 host answered, {each} sessions"
        if len(counts) == 1
        else f"{len(counts)} hosts answered, {each} sessions each"
    )
    wanted = at.expected_hosts
    if wanted is None:
        return ok("hosts", f"{told}; --expected-hosts says how many should")
    if len(counts) < wanted:
        return failed(
            "hosts",
            f"{told}; {wanted} were expected",
            "measure the balancer's URL, not a worker's; give each backend an address or a PORT of its own, since host_url "
            "tells them apart",
        )
    if len(counts) > wanted:
        return failed(
            "hosts", f"{told}; {wanted} were expected", f"mend --expected-hosts: {len(counts)}, if that is right"
        )
    if counts[0] < _SMALLEST_PART * sum(counts) / wanted:
        return failed(
            "hosts", f"{told}: unevenly spread", "set lb_policy to ROUND_ROBIN, and look whether a backend flaps"
        )
    return ok("hosts", told)


def _passed(admin: Address | None) -> int | None:
    """How many sessions Envoy has passed on so far; None where it does not say."""
    if admin is None:
        return None
    try:
        return sum(backend.requests for backend in asked.clusters(admin).backends)
    except ServiceError:
        return None


def _counted(passed: int, answered: int) -> Finding:
    if passed < answered:
        return failed(
            "counted",
            f"Envoy passed on {passed} of the {answered} sessions that were answered",
            "measure the URL of this Envoy, or name the other one's admin with --admin",
        )
    return ok("counted", f"Envoy passed on {passed}")

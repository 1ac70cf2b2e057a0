"""What was seen of the service while it was loaded, as one account. Pure, and content with answers that end anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from perfdb.families.scaling.clients.answers import (
    Answer,
    BalancerState,
    FaultDone,
    Health,
    Passed,
    Server,
    Usage,
    Watching,
)

COUNTERS = (
    "ejections",
    "overflow_503",
    "none_healthy_503",
    "panics",
    "health_failures",
    "health_refusals",
    "membership_changes",
)


@dataclass(frozen=True)
class Resources:
    """What a server used: CPU seconds over the load's duration, and the most of the rest at any look."""

    cpu_s: float
    memory_bytes: int
    threads: int


@dataclass(frozen=True)
class Fault:
    """What became of a fault, in seconds since the load's beginning.

    Attributes:
        at_s: When its command was begun.
        code: How that ended; None where it could not be run, or did not end.
        ejected_s: When the balancer first had a healthy backend less; None where it was not seen.
        readmitted_s: When after that all were healthy again.
    """

    at_s: float
    code: int | None
    ejected_s: float | None = None
    readmitted_s: float | None = None


@dataclass(frozen=True)
class ServerSide:
    """The service's side of one load.

    Attributes:
        watching: Whether anybody looked, and whether at the balancer; None where nobody did.
        servers: Those that there are.
        watched_s: From the first look at the servers to the last, of those at the load's beginning and end.
        resources: What a server used, by its place in `servers`.
        passed: Requests that the balancer sent to each backend during the load; None where it did not say.
        backends, fewest_healthy: The most that the balancer knew, and the fewest of them that were healthy.
        counted: By how much the balancer's counters grew.
        memory_bytes: The most that the balancer said it had allocated.
        fault: What became of the fault, if there was one.
    """

    watching: Watching | None = None
    servers: tuple[Server, ...] = ()
    watched_s: float = 0.0
    resources: Mapping[int, Resources] = field(default_factory=dict)
    passed: Mapping[str, int] | None = None
    backends: int = 0
    fewest_healthy: int = 0
    counted: Mapping[str, int] = field(default_factory=dict)
    memory_bytes: int | None = None
    fault: Fault | None = None

    @property
    def balancer_watched(self) -> bool:
        """Whether the balancer told of itself, before the load and after it."""
        return self.passed is not None and self.backends > 0

    def of_role(self, role: str, how: str | None = None) -> dict[str, Resources]:
        """What servers of that role used, by their names, as far as it is known; of those alone that were seen that way."""
        return {
            one.name: self.resources[number]
            for number, one in enumerate(self.servers)
            if one.role == role and how in (None, one.how) and number in self.resources
        }


def server_side(answers: Sequence[Answer], begin_at: float | None, wall_s: float) -> ServerSide:
    """The account of those answers.

    Args:
        begin_at: The load's beginning, epoch seconds; None where no client came to it.
        wall_s: How long it lasted.
    """
    told = [answer for answer in answers if isinstance(answer, Watching)]
    states = _from_begin([answer for answer in answers if isinstance(answer, BalancerState)], begin_at)
    health = [answer for answer in answers if isinstance(answer, Health)]
    known: list[BalancerState | Health] = [*states, *health]
    servers = tuple(server for one in told for server in one.servers)
    watched_s, resources = _resources([a for a in answers if isinstance(a, Usage)], len(servers), begin_at, wall_s)
    return ServerSide(
        watching=told[0] if told else None,
        servers=servers,
        watched_s=watched_s,
        resources=resources,
        passed=_passed([answer for answer in answers if isinstance(answer, Passed)]),
        backends=max((one.backends for one in states), default=0),
        fewest_healthy=min((one.healthy for one in known), default=0),
        counted={name: getattr(states[-1], name) - getattr(states[0], name) for name in COUNTERS} if states else {},
        memory_bytes=max((one.memory_bytes for one in states if one.memory_bytes is not None), default=None),
        fault=_fault([answer for answer in answers if isinstance(answer, FaultDone)], known, begin_at),
    )


def _from_begin(states: list[BalancerState], begin_at: float | None) -> list[BalancerState]:
    """Those from the last before the beginning on: before that, nodes for the clients may have been waited for."""
    early = sum(one.at <= begin_at for one in states) if begin_at is not None else 0
    return states[max(0, early - 1) :]


def _resources(
    usage: Sequence[Usage], servers: int, begin_at: float | None, wall_s: float
) -> tuple[float, dict[int, Resources]]:
    if begin_at is None or not usage:
        return 0.0, {}
    end = begin_at + wall_s
    first = min(usage, key=lambda one: abs(one.at - begin_at))
    last = min((one for one in usage if one.at >= first.at), key=lambda one: abs(one.at - end))
    if last.at <= first.at:
        return 0.0, {}
    before = {row.server: row.cpu_s for row in first.rows}
    then = {row.server: row.cpu_s for row in last.rows}
    rows = [row for one in usage if first.at <= one.at <= last.at for row in one.rows]
    found = {}
    for server in before.keys() & then.keys():
        if server < servers:
            mine = [row for row in rows if row.server == server]
            found[server] = Resources(
                cpu_s=max(0.0, then[server] - before[server]),
                memory_bytes=max(row.memory_bytes for row in mine),
                threads=max(row.threads for row in mine),
            )
    return last.at - first.at, found


def _passed(told: Sequence[Passed]) -> dict[str, int] | None:
    """Differences; None where one of them is not there, or the counters were set back. Of what was told twice the last counts."""
    found = {when: dict(row for one in told if one.when == when for row in one.rows) for when in ("before", "after")}
    before, after = found["before"], found["after"]
    if not before or not after:
        return None
    grown = {name: count - before.get(name, 0) for name, count in after.items()}
    return grown if min(grown.values()) >= 0 else None


def _fault(done: Sequence[FaultDone], health: Sequence[BalancerState | Health], begin_at: float | None) -> Fault | None:
    if not done or begin_at is None:
        return None
    at = done[0].at
    known = sorted((one.at, one.backends, one.healthy) for one in health)
    before = [healthy for moment, _, healthy in known if moment < at]
    later = [one for one in known if one[0] >= at]
    healthy = before[-1] if before else max((all_ for _, all_, _ in later), default=0)
    ejected = next((moment for moment, _, now in later if now < healthy), None)
    readmitted = next(
        (moment for moment, all_, now in later if ejected is not None and moment > ejected and now >= all_), None
    )
    return Fault(
        at_s=at - begin_at,
        code=done[0].code,
        ejected_s=None if ejected is None else ejected - begin_at,
        readmitted_s=None if readmitted is None else readmitted - begin_at,
    )

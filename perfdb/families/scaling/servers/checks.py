"""What must be true of the service's side for a load to count, and what is told of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from perfdb.families.scaling.analysis.distribution import distribution
from perfdb.families.scaling.clients.merge import ROLES, Load
from perfdb.families.scaling.plan import Protocol
from perfdb.families.scaling.servers.fault import cost_of
from perfdb.units import bytes_, counted, duration, significant

# Fewer sessions of a host say nothing about how evenly it is loaded.
ENOUGH = 50
# Requests of others that don't matter: as a share of ours, and a second.
STRANGERS, STRANGERS_PER_S = 0.01, 1.0
# A session over HTTP asks twice.
_REQUESTS: dict[Protocol, int] = {"ws": 1, "http": 2, "get": 1}


def disagreement(load: Load, protocol: Protocol) -> str | None:
    """How the balancer's counters differ from what the clients saw; None where they agree, or say nothing.

    The step of each session that succeeded was sent to the host that answered it; over HTTP its reset was sent besides,
    to whichever host it was the turn of. One that failed may have been sent or not. So each backend was sent at least the
    steps that it answered, and all together no more than the failures explain, and a few that don't matter: a cluster
    looks whether the balancer is alive, about once in a second or two. Where hosts don't call themselves by the addresses
    that the balancer knows, the largest number is held against the largest.
    """
    passed = load.server.passed
    if passed is None:
        return None
    each = _REQUESTS[protocol]
    ok = load.all.get("ok", 0)
    failed = sum(load.all.values()) - ok
    sent = sum(passed.values())
    if sent < each * ok:
        return (
            f"the balancer passed on {sent} requests, and {counted(ok, 'session')} of {each} each succeeded: they went another way. Is "
            "the URL this balancer's, and --admin its admin?"
        )
    wall_s = max((one.wall_s for one in load.loads.values()), default=0.0)
    if sent > each * (ok + failed) * (1 + STRANGERS) + STRANGERS_PER_S * (wall_s + 1):
        return (
            f"the balancer passed on {sent} requests, and the clients sent {each * (ok + failed)} at most: somebody else loads the service "
            "too. Have it to yourself, and measure again"
        )
    if load.left_out or not load.by_host:
        return None
    seen = load.by_host
    if seen.keys() <= passed.keys():
        short = [host for host, count in seen.items() if passed[host] < count]
        if short:
            return f"{counted(len(short), 'host')} answered more than the balancer sent there, {short[0]} the first"
        return None
    pairs = zip(sorted(seen.values(), reverse=True), sorted(passed.values(), reverse=True), strict=False)
    if len(seen) > len(passed) or any(here > there for here, there in pairs):
        return (
            f"hosts answered {_numbers(seen.values())} sessions, the balancer passed on {_numbers(passed.values())} requests: they "
            "were answered by others than it sent them to"
        )
    return None


def unhealthy(load: Load) -> str | None:
    """How not every backend was healthy all the time; None where each was, or the balancer does not say.

    It is asked once a second. No counter of Envoy's tells that a backend was out in between for want of answers: one check
    without an answer takes none out, and how many do is a matter of its config. A check that is answered with something
    else than success takes its backend out at once, and is counted.
    """
    server = load.server
    if not server.balancer_watched:
        return None
    told = []
    if server.fewest_healthy < server.backends:
        told.append(
            f"{server.backends - server.fewest_healthy} of {counted(server.backends, 'backend')} were not healthy"
        )
    for name, what in (
        ("health_refusals", "health checks that a backend answered with no success, which ejects it"),
        ("membership_changes", "times that backends came or went"),
        ("ejections", "ejections by outlier detection"),
        ("panics", "sessions sent to any backend since most were ill"),
        ("none_healthy_503", "refused since none was healthy"),
    ):
        if server.counted.get(name, 0) > 0:
            told.append(f"{server.counted[name]} {what}")
    if not told:
        return None
    return f"{'; '.join(told)}. See the backends' logs, and `perfdb preflight` before you measure again"


def healthy(loads: Sequence[Load]) -> str:
    """What there is to say of loads in which each backend was."""
    failures = sum(load.server.counted.get("health_failures", 0) for load in loads)
    meanwhile = f"{counted(failures, 'health check')} had no answer" if failures else "no health check failed"
    return f"each backend was healthy whenever the balancer was asked, once a second; {meanwhile} meanwhile"


def unevenness(load: Load, most_spread: float, least_success: float, required_hosts: int | None) -> str | None:
    """How unevenly hosts were loaded; None where evenly enough, or where that cannot be said.

    Hosts are as many as the balancer knew, or as are required if that is more: a silent one is one of no session.

    It takes two things: the spread is above the bound, and chance would seldom have done it. A balancer that takes turns
    gives each host the same but for a session for each of its threads, which of few sessions is a large part; one that
    chooses at random is uneven by the root of the number of sessions. Neither is held against it. Loads that were not borne
    say more about what hosts refuse than about what they are given.
    """
    sessions = load.by_host
    hosts = max(len(sessions), load.server.backends, required_hosts or 0)
    every, ok = sum(load.all.values()), load.all.get("ok", 0)
    if load.left_out or hosts < 2 or ok < ENOUGH * hosts or ok < least_success * every:
        return None
    spread = distribution(sessions, hosts)
    if spread is None or spread.spread <= most_spread or spread.chance_does_it:
        return None
    return (
        f"{hosts} hosts had {0 if spread.silent else min(sessions.values())} to {max(sessions.values())} sessions, a spread of {spread.spread:.0%}. Does "
        "the balancer take turns (ROUND_ROBIN), and does it know each backend once? --most-spread is the bound"
    )


def unlawful(load: Load, window: tuple[float, float]) -> str | None:
    """How Little's law does not hold in the steady window (two instants in seconds), which tells of a fault of the measurement; None where it does."""
    law = load.littles_law(*window) if load.complete else None
    if law is None or law.holds:
        return None
    return (
        f"{law.mean:.1f} steps were under way on average, and their rate times their mean time is {law.expected:.1f}, not between "
        f"{law.least:.1f} and {law.most:.1f}: the client miscounts, which is a bug of perfdb"
    )


def lawful(loads: Sequence[Load], window: tuple[float, float]) -> str:
    """What Little's law says of loads in which it holds; `window` is two instants in seconds."""
    laws = [law for load in loads if load.complete and (law := load.littles_law(*window)) is not None]
    if not laws:
        return "not judged: there is no load in which every session succeeded"
    largest = max(laws, key=lambda law: law.mean)
    return (
        f"at the largest of {counted(len(laws), 'load')} in which every session succeeded {largest.mean:.1f} steps were under way on "
        f"average, and their rate times their mean time is {largest.expected:.1f}"
    )


def no_fault(load: Load) -> str | None:
    """Why a fault that was asked for is none; None where its command was run and ended well."""
    fault = load.server.fault
    if fault is None:
        return "the load was over before the fault"
    if fault.code is None:
        return "the fault's command could not be run, or did not end. It is run without a shell: is its program on the PATH?"
    if fault.code != 0:
        return f"the fault's command ended with code {fault.code}: what was it to kill, and was that there?"
    return None


def seen(load: Load) -> tuple[str, str]:
    """What of the service was seen, in a word and in full."""
    server = load.server
    if server.watching is None:
        return "nothing", "nobody looked"
    told, reached = [], []
    for role in ROLES:
        used = load.resources(role)
        if used:
            most = max(used.values(), key=lambda one: one.cpu_s)
            share = significant(most.cpu_s / server.watched_s, 2) if server.watched_s else "?"
            memory = bytes_(max(one.memory_bytes for one in used.values()))
            threads = counted(max(one.threads for one in used.values()), "thread")
            told.append(f"{role}: at most {share} of a core, {memory}, {threads}")
            reached.append(role if len(used) == 1 else f"{len(used)} {role}s")
    out_of_reach = sum(one.how == "none" for one in server.servers)
    if out_of_reach:
        told.append(
            f"{counted(out_of_reach, 'server')} out of reach: not processes here that we may look at, and without /stats of their own, or not "
            "asked for it since nobody named the admin that told of them"
        )
    told.append(_counters(load))
    return " and ".join(reached) or ("balancer" if server.balancer_watched else "not reachable"), ". ".join(told)


def _counters(load: Load) -> str:
    server = load.server
    if server.balancer_watched:
        grown = ", ".join(f"{name} {count}" for name, count in server.counted.items() if count)
        told = [
            f"the balancer knew {counted(server.backends, 'backend')}, at least {server.fewest_healthy} of them healthy"
        ]
        if server.memory_bytes is not None:
            told.append(f"it had allocated at most {bytes_(server.memory_bytes)}")
        return "; ".join([*told, *([grown] if grown else [])])
    whys = {
        "no_answer": "no Envoy's admin answered",
        "other_port": "the Envoy whose admin answered serves another port",
        "watched": "the balancer's admin did not go on answering",
    }
    why = whys[server.watching.balancer] if server.watching else "nobody looked"
    return f"no balancer's counters: {why}. If there is one, name its admin with --admin HOST:PORT"


def fault_told(load: Load) -> tuple[str, str] | None:
    """What a load's fault cost, in a word and in full; None where there was none."""
    fault, cost = load.server.fault, cost_of(load)
    if fault is None or cost is None:
        return None
    watched = load.server.balancer_watched
    unseen = "not within the load" if watched else "not known, since no balancer's admin was watched"
    parts = [
        f"ejected {_after(cost.eject_s, unseen)}",
        f"recovered {_after(cost.recover_s, 'not within the load' if cost.lost is not None else 'not known')}",
        f"all healthy again {_after(cost.readmit_s, unseen)}",
    ]
    lost = "an unknown number of sessions" if cost.lost is None else counted(cost.lost, "session")
    return f"{lost} lost", f"{duration(fault.at_s)} after the beginning; {'; '.join(parts)}"


def _after(seconds: float | None, otherwise: str) -> str:
    return otherwise if seconds is None else f"after {duration(seconds)}"


def _numbers(counts: Iterable[int]) -> str:
    ordered = sorted(counts, reverse=True)
    return ", ".join(map(str, ordered[:8])) + (", …" if len(ordered) > 8 else "")

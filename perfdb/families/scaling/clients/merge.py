"""Several clients' answers as one load. Pure, and content with answers that end anywhere."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from perfdb.families.scaling.clients.answers import (
    Answer,
    Begin,
    ClientLoad,
    Counts,
    End,
    InFlight,
    Names,
    PhaseHistogram,
    Progress,
    Row,
    Rows,
    Spread,
)
from perfdb.families.scaling.clients.curve import Curve, LittlesLaw
from perfdb.families.scaling.clients.untold import untold
from perfdb.families.scaling.histogram import Histogram
from perfdb.families.scaling.servers.side import Resources, ServerSide, server_side

PHASES = ("connect", "reset", "step", "close", "total")
OUTCOMES = ("ok", "refused", "capacity", "503", "reset", "timeout", "wrong_answer", "client")
ROLES: tuple[Literal["backend", "balancer"], ...] = ("backend", "balancer")
_US = 1e6


@dataclass(frozen=True)
class Latency:
    """How long a phase took, in the steady window: `ok` of sessions that succeeded, `failed` of others up to their failure."""

    ok: Histogram = field(default_factory=Histogram)
    failed: Histogram = field(default_factory=Histogram)

    def all_s(self, q: float) -> float | None:
        """The `q` quantile in seconds over all sessions (nearest rank), where a failed one is slower than every success.

        What is known of a failed session is that it had no answer up to its failure: its latency is censored there. None
        where the quantile lies among the failed ones, so is not known.
        """
        return _seconds(self.ok.at_rank(_rank(self.ok.total + self.failed.total, q)))

    @property
    def mean_s(self) -> float | None:
        """The mean over the successes, in seconds."""
        if not self.ok.total:
            return None
        return sum(value * count for value, count in self.ok.steps()) / self.ok.total / _US


@dataclass(frozen=True)
class Told:
    """One session. `host` and `session_hash` are pseudonyms; `trouble` are the words of what went wrong."""

    client: int
    row: Row
    host: str | None
    trouble: str | None


@dataclass(frozen=True)
class Load:
    """What all clients of a load found together.

    Attributes:
        planned: How many clients there should be, as far as any of them said.
        begins, loads: What each client said of itself, by its number.
        ends: How each one ended.
        steady, all: How many sessions ended how, by outcome.
        steady_close_failed, close_failed: Of the successful ones, those whose close went wrong.
        latencies: By phase.
        sessions, steps: How many were open, and under way.
        ok_steps: Of these, how many of sessions that succeeded; told of a load with a barrier.
        told: Every session, in the order of their schedules.
        left_out: Sessions that count and are not among `told`: too many to keep, or what told of them was cut off.
        progress: The last that each client said of how things stood.
        untold: What clients that did all of their share should have told, and did not, in words.
        server: What was seen of the service meanwhile.
    """

    planned: int = 0
    begins: Mapping[int, Begin] = field(default_factory=dict)
    loads: Mapping[int, ClientLoad] = field(default_factory=dict)
    ends: Mapping[int, End] = field(default_factory=dict)
    steady: Mapping[str, int] = field(default_factory=dict)
    all: Mapping[str, int] = field(default_factory=dict)
    steady_close_failed: int = 0
    close_failed: int = 0
    latencies: Mapping[str, Latency] = field(default_factory=dict)
    sessions: Curve = field(default_factory=Curve)
    steps: Curve = field(default_factory=Curve)
    ok_steps: Curve = field(default_factory=Curve)
    told: tuple[Told, ...] = ()
    left_out: int = 0
    progress: Mapping[int, Progress] = field(default_factory=dict)
    untold: tuple[str, ...] = ()
    server: ServerSide = field(default_factory=ServerSide)

    @property
    def silent(self) -> tuple[int, ...]:
        """The clients that did not come to their end, or never began."""
        return tuple(client for client in range(self.planned) if client not in self.ends)

    @property
    def missing(self) -> tuple[str, ...]:
        """Why this is not all of the load, in words; () where every client did all of its share and told it."""
        ends = [end.trouble or end.outcome for end in self.ends.values() if end.outcome != "all"]
        silent = [f"client {number} did not come to its end" for number in self.silent]
        found = (*ends, *silent, *self.untold)
        return found if found or self.planned else ("no client began",)

    @property
    def complete(self) -> bool:
        """Whether every client did all of its share and told it."""
        return not self.missing

    @property
    def send_lag(self) -> Spread | None:
        """Of all clients, the worst of each."""
        return _worst(load.send_lag for load in self.loads.values())

    @property
    def tick_lag(self) -> Spread | None:
        """Of all clients, the worst of each."""
        return _worst(load.tick_lag for load in self.loads.values())

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all clients."""
        return sum(load.cpu_s for load in self.loads.values())

    @property
    def highest_cpu_share(self) -> float:
        """The busiest client's share of its core in its busiest second."""
        return max((load.highest_cpu_share for load in self.loads.values()), default=0.0)

    @property
    def longest_busy_s(self) -> float:
        """No answer was noticed later than this after it came."""
        return max((load.longest_busy_s for load in self.loads.values()), default=0.0)

    @property
    def by_host(self) -> dict[str, int]:
        """Successful sessions that each host answered, by its pseudonym."""
        return dict(Counter(one.host for one in self.told if one.host is not None and one.row.outcome == "ok"))

    def resources(self, role: Literal["backend", "balancer"]) -> dict[str, Resources]:
        """What servers of that role used, by their names, as far as it is known.

        Where the balancer did not tell of itself, one process stood for the service: a balancer if several hosts answered behind it.
        What such a one tells of itself is then of whichever of them was asked.
        """
        server = self.server
        if server.balancer_watched or len(self.by_host) < 2:
            return server.of_role(role)
        return {} if role == "backend" else server.of_role("backend", "processes")

    def littles_law(self, begin_s: float, end_s: float) -> LittlesLaw | None:
        """Whether steps under way in the steady window are as many as their rate and their mean time say.

        None where there is no step, or where some session failed: how long that one was in its step is not in the mean.

        Source: Little, A Proof for the Queuing Formula L = λW, Operations Research 1961.
        """
        step, total = self.latencies.get("step", Latency()), self.latencies.get("total", Latency())
        if step.mean_s is None or sum(self.all.values()) != self.all.get("ok", 0):
            return None
        longest_s = max(
            _seconds(total.ok.at_rank(total.ok.total)) or 0.0,
            max((one.row.total_us / _US for one in self.told), default=0.0),
        )
        span = end_s - begin_s
        return LittlesLaw(
            mean=self.steps.mean(begin_s, end_s),
            expected=step.ok.total / span * step.mean_s,
            least=self.steps.area(begin_s + longest_s, end_s) / span,
            most=self.steps.area(begin_s, end_s + longest_s) / span,
        )


def merge(answers: Sequence[Answer]) -> Load:
    """All answers of all clients, in any order among the clients."""
    histograms: dict[tuple[str, str], Histogram] = {}
    changes: dict[str, Counter[int]] = {"sessions": Counter(), "steps": Counter(), "ok_steps": Counter()}
    counts: dict[str, Counter[str]] = {"steady": Counter(), "all": Counter()}
    close_failed: Counter[str] = Counter()
    hosts: dict[int, list[str]] = {}
    troubles: dict[int, list[str]] = {}
    told: list[Told] = []
    for answer in answers:
        if isinstance(answer, PhaseHistogram):
            histograms.setdefault((answer.phase, answer.outcome), Histogram()).add(Histogram.decode(answer.encoded))
        elif isinstance(answer, InFlight):
            for ms, change in answer.changes:
                changes[answer.what][ms] += change
        elif isinstance(answer, Counts):
            counts[answer.window].update(answer.outcomes)
            close_failed[answer.window] += answer.close_failed
        elif isinstance(answer, Names):
            hosts.setdefault(answer.client, []).extend(answer.hosts)
            troubles.setdefault(answer.client, []).extend(answer.troubles)
    for answer in answers:
        if isinstance(answer, Rows):
            named = hosts.get(answer.client, ()), troubles.get(answer.client, ())
            told += (
                Told(answer.client, row, _of(named[0], row.host), _of(named[1], row.trouble)) for row in answer.rows
            )
    begins = {answer.client: answer for answer in answers if isinstance(answer, Begin)}
    loads = {answer.client: answer for answer in answers if isinstance(answer, ClientLoad)}
    begin_at = min((begin.begin_at for begin in begins.values()), default=None)
    return Load(
        planned=max((begin.clients for begin in begins.values()), default=0),
        begins=begins,
        loads=loads,
        ends={answer.client: answer for answer in answers if isinstance(answer, End)},
        steady=_in_order(counts["steady"]),
        all=_in_order(counts["all"]),
        steady_close_failed=close_failed["steady"],
        close_failed=close_failed["all"],
        latencies={
            phase: Latency(
                histograms.get((phase, "ok"), Histogram()),
                histograms.get((phase, "failed"), Histogram()),
            )
            for phase in PHASES
            if (phase, "ok") in histograms or (phase, "failed") in histograms
        },
        sessions=_curve(changes["sessions"]),
        steps=_curve(changes["steps"]),
        ok_steps=_curve(changes["ok_steps"]),
        told=tuple(sorted(told, key=lambda one: (one.row.scheduled_us, one.row.session))),
        left_out=max(0, sum(counts["all"].values()) - len(told)),
        progress={answer.client: answer for answer in answers if isinstance(answer, Progress)},
        untold=untold(answers),
        server=server_side(answers, begin_at, max((load.wall_s for load in loads.values()), default=0.0)),
    )


def _of(texts: Sequence[str], place: int | None) -> str | None:
    return texts[place] if place is not None and place < len(texts) else None


def _curve(changes: Counter[int]) -> Curve:
    return Curve({ms: change for ms, change in changes.items() if change})


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    return {outcome: counts[outcome] for outcome in OUTCOMES if outcome in counts}


def _rank(count: int, q: float) -> int:
    return max(1, math.ceil(q * count - 1e-9))


def _seconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / _US


def _worst(spreads: Iterable[Spread | None]) -> Spread | None:
    found = [spread for spread in spreads if spread is not None]
    if not found:
        return None
    return Spread(
        count=sum(spread.count for spread in found),
        p50_s=max(spread.p50_s for spread in found),
        p99_s=max(spread.p99_s for spread in found),
        max_s=max(spread.max_s for spread in found),
    )

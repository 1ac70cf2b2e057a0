"""What a client says once its load is over. See `clients/answers.py`."""

from itertools import islice

import faults
import telling
from histogram import Histogram

PHASES = ("connect", "reset", "step", "close", "total")
US = 1e6
# Different words of failures; a service that says something else each time is not quoted for ever.
MOST_TROUBLES = 100
# A service that names another host each time has none that are worth telling apart.
MOST_HOSTS = 1000
# Of a curve, of all clients: more get coarser.
MOST_MOMENTS = 120_000
# The shortest part of a load that has a share of a core of its own; a whole load may be shorter, but what took no time has none.
LEAST_S, LEAST_WHOLE_S = 0.5, 0.01


class Account:
    """What is told of a load once it is over."""

    def __init__(self, load, shape, client, clients, key, target):
        self._load = load
        self._client = client
        self._most_rows = max(1, telling.MOST_ROWS // clients)
        self._most_moments = max(1, MOST_MOMENTS // clients)
        self._key = key
        self._target = target
        self._from, self._to = shape.window
        self._barrier = shape.barrier_s is not None
        self._steady = [s for s in load.sessions if self._from <= s.scheduled < self._to]

    def tell_counts(self):
        """How every session of the steady window ended, and all of them."""
        for window, sessions in (("steady", self._steady), ("all", self._load.sessions)):
            ends = {}
            for session in sessions:
                outcome = _outcome(session)
                ends[outcome] = ends.get(outcome, 0) + 1
            telling.answer(
                "counts",
                client=self._client,
                window=window,
                outcomes=ends,
                close_failed=sum(s.close_fault is not None for s in sessions),
            )

    def tell_load(self, waited_for_cpu_s):
        """What it cost us, and how far we were behind."""
        cpu = self._load.cpu
        telling.answer(
            "load",
            client=self._client,
            wall_s=cpu[-1][0] - cpu[0][0],
            cpu_s=cpu[-1][1] - cpu[0][1],
            highest_cpu_share=highest_share(cpu),
            waited_for_cpu_s=waited_for_cpu_s,
            send_lag=_spread(self._load.lags),
            tick_lag=_spread(self._load.ticks),
            longest_busy_s=self._load.longest_busy_s,
        )

    def tell_histograms(self):
        """Microseconds of each phase within the steady window: of sessions that succeeded, and up to a failure."""
        for phase in PHASES:
            counted = {"ok": Histogram(), "failed": Histogram()}
            for session in self._steady:
                took = session.total if phase == "total" else session.took.get(phase)
                if took is None:
                    continue
                # What is told of a failed session is only how long it had lasted.
                counted["ok" if session.fault is None else "failed"].record(max(0, round(took * US)))
            for outcome, histogram in counted.items():
                if histogram.total:
                    telling.answer(
                        "histogram", client=self._client, phase=phase, outcome=outcome, encoded=histogram.encoded()
                    )

    def tell_in_flight(self):
        """When how many sessions more, or fewer, were open, and steps under way."""
        sessions = self._load.sessions
        steps = [(s, s.stepped, s.closed if s.answered is None else s.answered) for s in sessions]
        curves = {
            "sessions": [(s.opened, s.closed) for s in sessions],
            "steps": [(begun, ended) for _, begun, ended in steps],
        }
        if self._barrier:
            curves["ok_steps"] = [(begun, ended) for s, begun, ended in steps if s.fault is None]
        for what, spans in curves.items():
            unit_ms = 1
            while len(told := _changes(spans, unit_ms)) > self._most_moments:
                unit_ms *= 10
            for start in range(0, len(told), telling.CHANGES_A_LINE):
                part = told[start : start + telling.CHANGES_A_LINE]
                telling.answer("in_flight", client=self._client, what=what, changes=part)

    def tell_rows(self):
        """Every session, in the order of their ends, and before that what their numbers stand for."""
        hosts, troubles = telling.Table(), telling.Table()
        rows = [self._row(s, hosts, troubles) for s in self._load.sessions[: self._most_rows]]
        pseudonyms = [telling.pseudonym(self._key, _bare(host)) for host in islice(hosts.texts, MOST_HOSTS)]
        secret = {self._target.host, *(_bare(host).rpartition(":")[0] for host in hosts.texts)} - {""}
        paths = [path for path in (self._target.resource, self._target.path) if len(path) > 1]
        words = [_nameless(text, secret, paths) for text in islice(troubles.texts, MOST_TROUBLES)]
        for start in range(0, max(1, len(pseudonyms), len(words)), telling.NAMES_A_LINE):
            telling.answer(
                "names",
                client=self._client,
                hosts=pseudonyms[start : start + telling.NAMES_A_LINE],
                troubles=words[start : start + telling.NAMES_A_LINE],
                rows=len(rows),
                left_out=len(self._load.sessions) - len(rows),
            )
        for start in range(0, len(rows), telling.ROWS_A_LINE):
            telling.answer("rows", client=self._client, rows=rows[start : start + telling.ROWS_A_LINE])

    def _row(self, session, hosts, troubles):
        seen = session.seen
        fault = session.fault or session.close_fault
        return [
            session.number,
            round(session.scheduled * US),
            round((session.sent - session.scheduled) * US),
            *(_us(session.took.get(phase)) for phase in PHASES[:-1]),
            round(session.total * US),
            _us(seen.waited_s),
            seen.pid,
            None if seen.session is None else telling.pseudonym(self._key, seen.session),
            hosts.number(seen.host),
            _outcome(session),
            None if fault is None else troubles.number(fault.text),
        ]


def highest_share(cpu):
    """The most CPU seconds a second, of these `(seconds, CPU seconds so far)`, the last of which may come at any time."""
    if len(cpu) > 2 and cpu[-1][0] - cpu[-2][0] < LEAST_S:
        cpu = [*cpu[:-2], cpu[-1]]
    parts = [(cpu[i - 1], cpu[i]) for i in range(1, len(cpu))]
    return max(((b[1] - a[1]) / max(b[0] - a[0], LEAST_WHOLE_S) for a, b in parts), default=0.0)


def _changes(spans, unit_ms):
    changes = {}
    for begun, ended in spans:
        if begun is not None:
            for at, change in ((begun, 1), (ended, -1)):
                ms = max(0, round(at * 1e3 / unit_ms) * unit_ms)
                changes[ms] = changes.get(ms, 0) + change
    return sorted((ms, change) for ms, change in changes.items() if change)


def _nameless(text, hosts, paths):
    """A trouble without the names of hosts and the service's path, which nobody needs to know."""
    for path in paths:
        text = text.replace(path, "<path>")
    for host in hosts:
        text = text.replace(host, "<host>")
    return text[: faults.LONGEST]


def _outcome(session):
    return "ok" if session.fault is None else session.fault.kind


def _us(seconds):
    return None if seconds is None else round(seconds * US)


def _bare(host):
    return host.partition("://")[2].rstrip("/") if "://" in host else host


def _spread(values):
    ordered = sorted(values)
    if not ordered:
        return None
    return {
        "count": len(ordered),
        "p50_s": ordered[(len(ordered) - 1) // 2],
        "p99_s": ordered[min(len(ordered) - 1, -(-99 * len(ordered) // 100) - 1)],
        "max_s": ordered[-1],
    }

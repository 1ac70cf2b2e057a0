"""What a client says once its load is over. See `clients/answers.py`."""

import faults
import telling
from histogram import Histogram

PHASES = ("connect", "reset", "step", "close", "total")
US = 1e6
# Different words of failures; a service that says something else each time is not quoted for ever.
MOST_TROUBLES = 100
# Of a curve: to the millisecond in the first minute, coarser in a longer load.
MOST_MOMENTS = 60_000


class Account:
    """What is told of a load once it is over."""

    def __init__(self, load, shape, client, clients, key, service):
        self._load = load
        self._client = client
        self._most_rows = max(1, telling.MOST_ROWS // clients)
        self._key = key
        self._service = service
        self._from, self._to = shape.window
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
        wall_s = cpu[-1][0] - cpu[0][0]
        used_s = cpu[-1][1] - cpu[0][1]
        seconds = [(cpu[i - 1], cpu[i]) for i in range(1, len(cpu))]
        shares = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in seconds if b[0] - a[0] > 0.5]
        telling.answer(
            "load",
            client=self._client,
            wall_s=wall_s,
            cpu_s=used_s,
            highest_cpu_share=max(shares, default=used_s),
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
        unit_ms = 1
        while self._load.cpu[-1][0] * 1e3 / unit_ms > MOST_MOMENTS:
            unit_ms *= 10
        for what, spans in (
            ("sessions", ((s.opened, s.closed) for s in self._load.sessions)),
            ("steps", ((s.stepped, s.closed if s.answered is None else s.answered) for s in self._load.sessions)),
        ):
            changes = {}
            for begun, ended in spans:
                if begun is not None:
                    for at, change in ((begun, 1), (ended, -1)):
                        ms = max(0, round(at * 1e3 / unit_ms) * unit_ms)
                        changes[ms] = changes.get(ms, 0) + change
            told = sorted((ms, change) for ms, change in changes.items() if change)
            for start in range(0, len(told), telling.CHANGES_A_LINE):
                part = told[start : start + telling.CHANGES_A_LINE]
                telling.answer("in_flight", client=self._client, what=what, changes=part)

    def tell_rows(self):
        """Every session, in the order of their ends, and before that what their numbers stand for."""
        hosts, troubles = telling.Table(), telling.Table()
        rows = [self._row(s, hosts, troubles) for s in self._load.sessions[: self._most_rows]]
        telling.answer(
            "names",
            client=self._client,
            hosts=[telling.pseudonym(self._key, _bare(host)) for host in hosts.texts],
            troubles=[self._nameless(text, hosts.texts) for text in troubles.texts][:MOST_TROUBLES],
            rows=len(rows),
            left_out=len(self._load.sessions) - len(rows),
        )
        for start in range(0, len(rows), telling.ROWS_A_LINE):
            telling.answer("rows", client=self._client, rows=rows[start : start + telling.ROWS_A_LINE])

    def _nameless(self, text, hosts):
        """A trouble without the names of hosts, which nobody needs to know."""
        for host in {self._service, *(_bare(host).rpartition(":")[0] for host in hosts)}:
            text = text.replace(host, "<host>") if host else text
        return text[: faults.LONGEST]

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

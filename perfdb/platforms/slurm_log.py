"""When things happened to jobs and nodes, by slurmctld's own log, to the millisecond. Pure.

Read of a pocket cluster's log, written by Slurm 22.05 with SlurmctldDebug=debug, DebugFlags=TraceJobs and
LogTimeFormat=rfc5424_ms:

    _slurm_rpc_submit_batch_job: JobId=5 InitPrio=…          it took the job
    sched: Allocate JobId=5 NodeList=n2 #CPUs=1 …            the main scheduler gave it its nodes
    sched/backfill: _start_job: Started JobId=5 in p on n2   the backfill scheduler did
    Node n0 now responding                                   a node's daemon registered
    job_time_limit: Configuration for JobId=5 complete       its nodes are ready, and it is started: seen to every 30 s,
    prolog_running_decr: Configuration for JobId=5 is complete   or at once where a prolog was waited for
    _job_complete: JobId=5 done                              its script ended
    job_signal: 9 of running JobId=5 successful 0x8004       it was cancelled
    Time limit exhausted for JobId=5                         its time was up
    TRACE_JOBS: cleanup_completing: JobId=5                  every node was given back
    Requeuing JobId=5                                        it begins anew: what was before does not count
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from perfdb.platforms.base import NodeBoot, Stamp

RESOLUTION_S = 0.001
LOG, POWER = "slurmctld.log", "power events"
_LINE = re.compile(r"\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d)\] (?:debug\d?: +)?(.+)")
_EVENTS = re.compile(
    r"_slurm_rpc_submit_batch_job: JobId=(?P<taken>\d+) "
    r"|sched: Allocate JobId=(?P<allocated>\d+) "
    r"|sched/backfill: _start_job: Started JobId=(?P<backfilled>\d+) "
    r"|\w+: Configuration for JobId=(?P<configured>\d+) (?:is )?complete"
    r"|_job_complete: JobId=(?P<done>\d+) done"
    r"|job_signal: 9 of \w+ JobId=(?P<cancelled>\d+) successful"
    r"|Time limit exhausted for JobId=(?P<exhausted>\d+)"
    r"|TRACE_JOBS: cleanup_completing: JobId=(?P<given_back>\d+)"
    r"|Requeuing JobId=(?P<requeued>\d+)"
    r"|Node (?P<responding>\S{1,253}) now responding"
    r"|_slurm_rpc_node_registration complete for (?P<registered>\S{1,253}) "
)
_WHICH = {
    "backfilled": "allocated",
    "exhausted": "over",
    "done": "over",
    "cancelled": "over",
    "responding": "registered",
}


@dataclass
class _Way:
    """A job's way from the queue to its end, the latest one."""

    taken: datetime | None = None
    allocated: datetime | None = None
    configured: datetime | None = None
    over: datetime | None = None
    given_back: datetime | None = None


@dataclass(frozen=True)
class Times:
    """One job's, as far as the log goes. `started` is unknown while its nodes boot.

    `over`: its script was; `given_back`: so were all of its nodes; `ended`: the later of the two that is known.
    """

    pending: Stamp | None = None
    allocated: Stamp | None = None
    started: Stamp | None = None
    over: Stamp | None = None
    given_back: Stamp | None = None
    ended: Stamp | None = None
    boots: tuple[NodeBoot, ...] = ()


@dataclass
class ControllerLog:
    """What the log and the power events say of every job and node."""

    _ways: dict[str, _Way] = field(default_factory=dict)
    _registered: dict[str, list[datetime]] = field(default_factory=dict)
    _asked: dict[str, list[datetime]] = field(default_factory=dict)

    @classmethod
    def read(cls, lines: Iterable[str], power_events: Iterable[str]) -> ControllerLog:
        """Of slurmctld.log and power.jsonl; lines that say nothing, or are cut off, are passed over."""
        log = cls()
        for line in lines:
            log.hear(line)
        for line in power_events:
            try:
                event = json.loads(line)
                if event["event"] == "power_up":
                    log._asked.setdefault(str(event["node"]), []).append(datetime.fromtimestamp(event["at"], UTC))
            except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
                continue
        return log

    def times(self, job_id: str, nodes: tuple[str, ...]) -> Times:
        """What became of a job that has, or had, those nodes."""
        way = self._ways.get(job_id)
        if way is None:
            return Times()
        end = way.given_back or way.over
        boots = () if way.allocated is None else self._boots(way.allocated, end, nodes)
        started = way.configured if boots else way.configured or way.allocated
        return Times(
            pending=_stamp(way.taken, LOG),
            allocated=_stamp(way.allocated, LOG),
            started=_stamp(started, LOG),
            over=_stamp(way.over, LOG),
            given_back=_stamp(way.given_back, LOG),
            ended=_stamp(end, f"{LOG}, {'nodes given back' if way.given_back else 'job over'}"),
            boots=boots,
        )

    def has_begun(self, job_id: str) -> bool:
        """Whether that job has its nodes, or had them."""
        way = self._ways.get(job_id)
        return way is not None and way.allocated is not None

    def is_over(self, job_id: str) -> bool:
        """Whether that job is, and its nodes, if it ever had any, were given back."""
        way = self._ways.get(job_id)
        if way is None:
            return False
        return way.given_back is not None or (way.over is not None and way.allocated is None)

    def hear(self, line: str) -> None:
        """One more line; what says nothing, or is cut off, is passed over."""
        stamped = _LINE.match(line)
        event = _EVENTS.match(stamped[2]) if stamped else None
        if stamped is None or event is None or event.lastgroup is None:
            return
        try:
            at = datetime.fromisoformat(stamped[1]).astimezone(UTC)
        except (ValueError, OverflowError):
            return
        what, whose = _WHICH.get(event.lastgroup, event.lastgroup), event[event.lastgroup]
        if what == "registered":
            self._registered.setdefault(whose, []).append(at)
            return
        way = self._ways.setdefault(whose, _Way())
        if what == "requeued":
            self._ways[whose] = _Way(taken=way.taken)
        elif what == "taken":
            self._ways[whose] = _Way(taken=at)
        elif what == "over":
            way.over = way.over or at  # a job whose time was up is also done
        else:
            setattr(way, what, at)

    def _boots(self, allocated: datetime, end: datetime | None, nodes: tuple[str, ...]) -> tuple[NodeBoot, ...]:
        boots = []
        for node in nodes:
            asked = [at for at in self._asked.get(node, ()) if end is None or at <= end]
            ours = next((at for at in asked if at >= allocated), None)
            # Asked for somebody else's sake, but not up yet when this job was given it.
            since = ours or max(asked, default=None)
            if since is None:
                continue
            registered = next((at for at in self._registered.get(node, ()) if at >= since), None)
            if registered is not None and (end is None or registered <= end) and registered > allocated:
                boots.append(NodeBoot(node=node, asked=_stamp(ours, POWER), registered=_stamp(registered, LOG)))
            elif ours is not None:
                boots.append(NodeBoot(node=node, asked=_stamp(ours, POWER)))
        return tuple(boots)


def _stamp(at: datetime | None, source: str) -> Stamp | None:
    return None if at is None else Stamp(at=at, resolution_s=RESOLUTION_S, source=source)

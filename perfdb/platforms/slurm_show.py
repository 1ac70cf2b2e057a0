"""What Slurm's commands say of jobs and nodes, from their text. Pure; every text is a stranger's until it is understood.

Slurm cuts its times to whole seconds. It prints an end for a job that runs, and a start for one that waits: what it
expects. Those are not taken for what happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from perfdb.platforms.base import Stamp

OVER = frozenset(
    [
        "COMPLETED",
        "CANCELLED",
        "FAILED",
        "TIMEOUT",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "BOOT_FAIL",
        "DEADLINE",
        "PREEMPTED",
    ]
)
# The job has no nodes yet, or they are not ready.
_BEFORE = frozenset(["PENDING", "CONFIGURING"])
_STATE = re.compile(r"[A-Z_]{1,40}")
_REASON = re.compile(r"[A-Za-z_]{1,100}")
_NODES = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,\[\]-]{0,10000}")
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,252}")
# At the beginnings of lines, where only Slurm writes: a job's name, command or comment may hold anything.
_FIELDS = re.compile(
    r"^ {3}(?:JobState=(?P<JobState>\S+) Reason=(?P<Reason>\S+)"
    r"|Requeue=\S+ Restarts=(?P<Restarts>\d{1,6}) "
    r"|SubmitTime=(?P<SubmitTime>\S+) "
    r"|StartTime=(?P<StartTime>\S+) EndTime=(?P<EndTime>\S+) "
    r"|SuspendTime=\S+ SecsPreSuspend=\S+ LastSchedEval=(?P<LastSchedEval>\S+)"
    r"|NodeList=(?P<NodeList>\S+))",
    re.MULTILINE,
)
_PAIR = re.compile(r"(?:^|\s)(NodeName|State|SlurmdStartTime|Partitions)=(\S+)")
# `Prolog[0]`: of some settings Slurm from 23.11 on has several.
_SETTING = re.compile(r"^(\w+(?:\[\d+\])?)\s*= (.*)$", re.MULTILINE)
# sacct's fields that `accounted` reads, in this order.
ACCOUNTED = "JobIDRaw,Submit,Start,End,State,NodeList,JobName"
_NAME = re.compile(r"\AJobId=\d+ (?:\S+ )*?JobName=(.*)")


@dataclass(frozen=True)
class ShownJob:
    """A job as a command shows it. `nodes` is Slurm's short way to name several; `restarts` counts its ways back to the queue."""

    pending: Stamp | None = None
    allocated: Stamp | None = None
    started: Stamp | None = None
    ended: Stamp | None = None
    state: str | None = None
    why: str | None = None
    nodes: str | None = None
    restarts: int = 0
    name: str | None = None


@dataclass(frozen=True)
class ShownNode:
    """A node. `states` are its state and the flags beside it, e.g. IDLE, CLOUD, POWERING_UP."""

    name: str
    states: tuple[str, ...]
    partitions: frozenset[str]
    daemon_started: Stamp | None

    @property
    def up_for_nothing(self) -> bool:
        """Powered up, or on the way up or down, without a job; what is broken or set aside does not count."""
        aside = {"POWERED_DOWN", "POWER", "DRAIN", "FAIL", "FAILING", "REBOOT", "MAINT"}
        return self.states[:1] == ("IDLE",) and aside.isdisjoint(self.states)


def shown_job(text: str) -> ShownJob:
    """What `scontrol show job` says of one."""
    found: dict[str, str] = {}
    for match in _FIELDS.finditer(text):
        for name, value in match.groupdict().items():
            if value is not None:
                found.setdefault(name, value)
    restarts = int(found.get("Restarts", "0"))
    job = _job(
        found.get("JobState", ""),
        found.get("NodeList"),
        "scontrol's ",
        {"pending": "SubmitTime", "started": "StartTime", "ended": "EndTime", "allocated": "LastSchedEval"},
        found,
    )
    # A requeued job's SubmitTime is that of its last way into the queue.
    return ShownJob(
        pending=job.pending if restarts == 0 else None,
        allocated=job.allocated,
        started=job.started,
        ended=job.ended,
        state=job.state,
        why=_reason(found.get("Reason")),
        nodes=job.nodes,
        restarts=restarts,
        name=named[1] if (named := _NAME.match(text)) else None,
    )


def accounted(text: str) -> dict[str, ShownJob]:
    """What `sacct --parsable2 --format=ACCOUNTED` says, by job id; of a job that was requeued, the last way."""
    jobs = {}
    for line in text.splitlines():
        cells = line.split("|", ACCOUNTED.count(","))  # a job's name may hold anything
        if len(cells) == ACCOUNTED.count(",") + 1 and cells[0].isdigit():
            found = dict(zip(ACCOUNTED.split(","), cells, strict=True))
            names = {"pending": "Submit", "started": "Start", "ended": "End"}
            # `CANCELLED by 1000`
            jobs[cells[0]] = replace(
                _job(found["State"].partition(" ")[0], found["NodeList"], "sacct's ", names, found),
                name=found["JobName"],
            )
    return jobs


def _job(state: str, nodes: str | None, source: str, names: Mapping[str, str], found: Mapping[str, str]) -> ShownJob:
    state_ = state if _STATE.fullmatch(state) else None
    nodes_ = nodes if nodes and nodes != "None" and _NODES.fullmatch(nodes) else None
    stamps = {name: _stamp(found.get(field), source + field) for name, field in names.items()}
    begun = state_ is not None and state_ not in _BEFORE and nodes_ is not None
    # Once it has its nodes the scheduler looks at a job no more, so the last time that it did is when it gave them.
    given = state_ is not None and state_ != "PENDING" and nodes_ is not None
    return ShownJob(
        pending=stamps["pending"],
        allocated=stamps.get("allocated") if given else None,
        started=stamps["started"] if begun else None,
        ended=stamps["ended"] if state_ in OVER else None,
        state=state_,
        nodes=nodes_,
    )


def shown_nodes(text: str) -> tuple[ShownNode, ...]:
    """What `scontrol --oneliner show node` says."""
    nodes = []
    for line in text.splitlines():
        found: dict[str, str] = {}
        for name, value in _PAIR.findall(line):
            found.setdefault(name, value)
        name, state = found.get("NodeName", ""), found.get("State", "")
        if _NODE.fullmatch(name) and state:
            # `IDLE*`: it does not answer. Slurm before 20.11 told flags by such signs too.
            states = tuple(word.rstrip("*~#!%$@^-+") for word in state.split("+"))
            partitions = frozenset(found.get("Partitions", "").split(","))
            started = _stamp(found.get("SlurmdStartTime"), "scontrol's SlurmdStartTime")
            nodes.append(ShownNode(name, states, partitions, started))
    return tuple(nodes)


def shown_settings(text: str) -> dict[str, str]:
    """What `scontrol show config` says; what is not set is left out."""
    return {name: value.strip() for name, value in _SETTING.findall(text) if value.strip() not in ("(null)", "")}


def node_names(text: str) -> tuple[str, ...]:
    """What `scontrol show hostnames` says."""
    return tuple(word for word in text.split() if _NODE.fullmatch(word))


def single_node(nodes: str) -> bool:
    """Whether Slurm's way to name several names one."""
    return _NODE.fullmatch(nodes) is not None


def _reason(text: str | None) -> str | None:
    return text if text and text != "None" and _REASON.fullmatch(text) else None


def _stamp(text: str | None, source: str) -> Stamp | None:
    at = _instant(text)
    return None if at is None else Stamp(at=at, resolution_s=1.0, source=source)


def _instant(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError, OSError):  # Unknown, None assigned
        return None
    # Slurm prints the beginning of its own time for what it does not know.
    return found if found is not None and found.year >= 1990 else None

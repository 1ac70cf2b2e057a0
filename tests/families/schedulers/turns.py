"""A run as its children would tell it, by hand: three jobs on four nodes, in seconds since an arm's begin."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from perfdb.families import ChildRun
from perfdb.families.schedulers.listing import Listed, lines_of
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.workload.job import WorkJob, digest
from perfdb.processes.log import ChildLog, Exit, Line

SPEC = SchedulersSpec(arms="mini-slurm,simulated:easy", iters=2)
BEGIN_NS = 1_700_000_000_000_000_000
ENDED = Exit(3.0, 0, "ended", 1.0)
# Three of four nodes long, one that wants them all, a short one behind.
JOBS = (
    WorkJob(job=1, arrival_s=0.0, nodes=3, run_s=10.0, limit_s=20.0, user=0, experiment="long"),
    WorkJob(job=2, arrival_s=1.0, nodes=4, run_s=5.0, limit_s=10.0, user=1, experiment="wide"),
    WorkJob(job=3, arrival_s=2.0, nodes=1, run_s=5.0, limit_s=10.0, user=0, experiment="short"),
)
# When each job is submitted, begins and ends: the short one is let by.
EASY = {1: (0.0, 0.0, 10.0), 2: (1.0, 10.0, 15.0), 3: (2.0, 2.0, 7.0)}
# The short one waits behind the wide one.
FIFO = {1: (0.0, 0.0, 10.0), 2: (1.0, 10.0, 15.0), 3: (2.0, 15.0, 20.0)}
NODES = {1: "0-2", 2: "0-3", 3: "3"}


def ns(at_s: float) -> int:
    """On the scheduler's clock, so many seconds after the begin."""
    return BEGIN_NS + round(at_s * 1e9)


def job(number: int, submitted: float, began: float, ended: float, **more: Any) -> dict[str, Any]:
    """It held its nodes from when it began until it ended."""
    stamps = {"submitted": submitted, "eligible": submitted, "allocated": began, "started": began}
    stamps |= {"ended": ended, "released": ended}
    told = {"kind": "job", "job": number, "batch": 1, **{name: ns(at_s) for name, at_s in stamps.items()}}
    return {**told, "state": "COMPLETED", "node_list": NODES[number], **more}


def unended(number: int, submitted: float, began: float | None = None) -> dict[str, Any]:
    """It waits, or runs, when watching is over."""
    told = job(number, submitted, began or 0.0, 0.0, state="PENDING" if began is None else "RUNNING")
    unknown = ("ended", "released") if began is not None else ("allocated", "started", "ended", "released")
    return {**told, **dict.fromkeys(unknown)}


def happened(when: dict[int, tuple[float, float, float]]) -> list[dict[str, Any]]:
    """A line for each job."""
    return [job(number, *times) for number, times in when.items()]


def lines(
    arm: str,
    told: Iterable[dict[str, Any]],
    end: dict[str, Any] | None = None,
    clock: dict[str, Any] | None = None,
    **begin: Any,
) -> list[str]:
    """All that a child says of that."""
    first = {
        "kind": "begin",
        "arm": arm,
        "workload": digest(JOBS),
        "jobs": len(JOBS),
        "nodes": 4,
        "fresh": True,
        "version": "1.0",
        "settings": {"elastic": "off"},
        "clock": {"name": "by hand", "resolution_s": 1e-9, "offset_s": 0.0, "uncertainty_s": 0.0, **(clock or {})},
        "ns": ns(0.0),
        **begin,
    }
    said = [
        first,
        {"kind": "nodes", "when": "before", "states": {"idle": 4}},
        *told,
        {"kind": "nodes", "when": "after", "states": {"idle": 4}},
    ]
    given = {kind: sum(one["kind"] == kind for one in said) for kind in {one["kind"] for one in said}}
    last = {"kind": "end", "outcome": "all", "trouble": None, "left": "", "ns": ns(25.0), "given": given, **(end or {})}
    return [json.dumps(one) for one in (*said, last)]


def child(name: str, said: Sequence[str], exit_: Exit = ENDED, errors: Sequence[str] = ()) -> ChildRun:
    """A child that said so."""
    told = tuple(Line(n / 10, "stdout", text) for n, text in enumerate(said))
    return ChildRun(ChildLog(name, None, (*told, *(Line(9.0, "stderr", text) for text in errors)), exit_))


def listed(jobs: Sequence[WorkJob] = JOBS) -> ChildRun:
    """The first child."""
    return child("01-workload", list(lines_of(Listed(tuple(jobs)))))


def turn(place: int, said: Sequence[str] | None = None, exit_: Exit = ENDED) -> ChildRun:
    """The child that is in that place of a run of two iterations, 1 to 4: A B B A. Arm 1 is FIFO, arm 2 EASY."""
    iteration, arm = ((1, 1), (1, 2), (2, 2), (2, 1))[place - 1]
    label, when = (("mini-slurm", FIFO), ("simulated:easy", EASY))[arm - 1]
    told = lines(label, happened(when)) if said is None else said
    return child(f"{place + 1:02}-iter-{iteration}-arm-{arm}", told, exit_)


def runs() -> list[ChildRun]:
    """A whole run of SPEC."""
    return [listed(), *map(turn, (1, 2, 3, 4))]


def with_first(told: Iterable[dict[str, Any]], **more: Any) -> list[ChildRun]:
    """The run with its first turn another one."""
    return [listed(), turn(1, lines("mini-slurm", told, **more)), *map(turn, (2, 3, 4))]

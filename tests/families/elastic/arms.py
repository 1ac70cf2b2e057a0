"""Arms as their children would tell them, by hand: one elastic job that is grown and shrunk for an urgent one, in milliseconds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from perfdb.families import ChildRun
from perfdb.families.elastic.events import Arm
from perfdb.families.elastic.measure import child_count
from perfdb.families.elastic.mix import digest
from perfdb.families.elastic.spec import ElasticSpec
from perfdb.processes.log import ChildLog, Exit, Line

SPEC = ElasticSpec(
    reps=1, elastic_jobs=1, rigid_jobs=0, urgent_jobs=1, arrive_within_s=0.0, elastic_units=20, urgent_units=4
)
ZERO_NS = 5_000_000_000
ENDED = Exit(3.0, 0, "ended", 1.0)
ELASTIC, URGENT = SPEC.mix


def ms(at: float) -> int:
    """On the monotonic clock, so many milliseconds after the begin."""
    return ZERO_NS + round(at * 1e6)


def job(number: int, what: str, at: float, **more: Any) -> dict[str, Any]:
    return {"kind": "job", "job": number, "what": what, "ns": ms(at), **more}


def resize(generation: int, cpus_from: int, cpus_to: int, **stages: float) -> list[dict[str, Any]]:
    """Of job 1, each stage at so many milliseconds."""
    both = {"cpus_from": cpus_from, "cpus_to": cpus_to}
    return [
        {
            "kind": "resize",
            "job": 1,
            "generation": generation,
            "what": what,
            "ns": ms(at),
            **both,
            **({"processes": 1} if what == "signalled" else {}),
        }
        for what, at in stages.items()
    ]


def allocation(number: int, *steps: tuple[float, int]) -> list[dict[str, Any]]:
    return [{"kind": "allocation", "job": number, "ns": ms(at), "cpus": cpus} for at, cpus in steps]


def work() -> list[dict[str, Any]]:
    return [{"kind": "work", "job": one.job, "units": one.units, "done": one.units, "lost": 0} for one in SPEC.mix]


def on() -> list[dict[str, Any]]:
    """Grown at 20 ms, shrunk at 102 ms for the urgent job, which has its CPU at 143 ms. Over at 1102 ms."""
    return [
        job(1, "arrived", 0),
        job(1, "submitted", 1),
        job(1, "allocated", 2, cpus=1),
        job(1, "started", 10),
        *resize(1, 1, 2, decided=20, written=21, signalled=22, acknowledged=24, applied=28),
        {"kind": "cost", "job": 1, "generation": 1, "lost_units": 0, "lost_s": 0.0, "paused_s": 0.004},
        job(2, "arrived", 100),
        job(2, "submitted", 101),
        *resize(2, 2, 1, decided=102, written=103, signalled=104, acknowledged=106, applied=142),
        {"kind": "cost", "job": 1, "generation": 2, "lost_units": 1, "lost_s": 0.01, "paused_s": 0.0},
        job(2, "allocated", 143, cpus=1),
        job(2, "started", 150),
        job(2, "ended", 350, state="COMPLETED", cpu_s=0.2),
        job(1, "ended", 1102, state="COMPLETED", cpu_s=1.0),
        *allocation(1, (2, 1), (20, 2), (142, 1), (1102, 0)),
        *allocation(2, (143, 1), (350, 0)),
        *work(),
    ]


def off() -> list[dict[str, Any]]:
    """Each has its CPU at once, and keeps it. Over at 1502 ms."""
    return [
        job(1, "arrived", 0),
        job(1, "allocated", 2, cpus=1),
        job(1, "started", 10),
        job(2, "arrived", 100),
        job(2, "allocated", 102, cpus=1),
        job(2, "started", 110),
        job(2, "ended", 310, state="COMPLETED", cpu_s=0.2),
        job(1, "ended", 1502, state="COMPLETED", cpu_s=1.0),
        *allocation(1, (2, 1), (1502, 0)),
        *allocation(2, (102, 1), (310, 0)),
        *work(),
    ]


def lines(arm: Arm, happened: Iterable[dict[str, Any]], spec: ElasticSpec = SPEC, **begin: Any) -> list[str]:
    """All that a child says of that."""
    first = {
        "kind": "begin",
        "target": "mini-slurm",
        "arm": arm,
        "mix": digest(spec.mix),
        "jobs": len(spec.mix),
        "cpus": spec.cpus,
        "real_cpus": 2,
        "unit": "cpu",
        "enforcement": "cgroup v1",
        "overcommit": False,
        "version": "1.0",
        "ns": ZERO_NS,
        **begin,
    }
    machine = {"kind": "machine", "wall_s": 2.0, "cpus": 2, "busy_s": 1.3, "own_s": 1.2}
    told = [first, *happened, machine]
    given = {kind: sum(one["kind"] == kind for one in told) for kind in {one["kind"] for one in told}}
    end = {"kind": "end", "outcome": "all", "trouble": None, "given": given}
    return [json.dumps(one) for one in (*told, end)]


def child(name: str, said: Sequence[str], exit_: Exit = ENDED, errors: Sequence[str] = ()) -> ChildRun:
    told = tuple(Line(n / 10, "stdout", text) for n, text in enumerate(said))
    return ChildRun(ChildLog(name, None, (*told, *(Line(9.0, "stderr", text) for text in errors)), exit_))


def runs(spec: ElasticSpec = SPEC) -> list[ChildRun]:
    """A whole run: every arm of every repetition, by threshold as on."""
    return [
        child(f"{place:02}-rep-{repetition}-{arm}", lines(arm, off() if arm == "off" else on(), spec))
        for place, (repetition, arm) in enumerate(
            ((repetition, arm) for repetition in range(1, spec.reps + 1) for arm in spec.order(repetition)), start=1
        )
    ]


assert child_count(SPEC) == len(runs())

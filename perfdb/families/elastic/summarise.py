"""The metrics that samples imply: everything a record of this family states follows from them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from perfdb.families.elastic.events import CHAIN, Arm, Stage
from perfdb.families.elastic.metrics import METRICS, PAIRED
from perfdb.families.elastic.mix import CLASSES, Class
from perfdb.families.elastic.reading import read
from perfdb.families.elastic.seen import DIRECTIONS, Direction, ResizeSeen, Seen
from perfdb.families.elastic.spec import ARMS
from perfdb.families.quantile import quantile, supported
from perfdb.record import Metric


def summarise(samples: Mapping[str, Sequence[Any]]) -> tuple[Metric, ...]:
    """All metrics, with a value for each repetition that has one.

    Raises:
        KeyError: a column is not there.
        ValueError: a row is none that a run could have.
    """
    seen = read(samples)
    of_arms: dict[int, dict[Arm, dict[str, float]]] = {one.repetition: {} for one in seen}
    for one in seen:
        of_arms[one.repetition][one.arm] = dict(facts(one))
    metrics: list[Metric] = []
    for arm in ARMS:
        told = [facts_of[arm] for facts_of in of_arms.values() if arm in facts_of]
        metrics += _metrics(f"{arm}_", told)
        if arm != "off":
            metrics += _over_all(f"{arm}_", [resize for one in seen if one.arm == arm for resize in one.in_turn])
    return (*metrics, *_metrics("on_less_off_", [dict(_differences(facts_of)) for facts_of in of_arms.values()]))


def _metrics(prefix: str, told: Sequence[Mapping[str, float]]) -> Iterator[Metric]:
    for name, definition in METRICS.items():
        if name.startswith(prefix):
            values = tuple(facts[stem] for facts in told if (stem := name.removeprefix(prefix)) in facts)
            if values:
                yield Metric(name=name, unit=definition.unit, direction=definition.direction, values=values)


def _differences(facts_of: Mapping[Arm, Mapping[str, float]]) -> Iterator[tuple[str, float]]:
    on, off = facts_of.get("on", {}), facts_of.get("off", {})
    yield from ((name, on[name] - off[name]) for name in PAIRED if name in on and name in off)


def facts(seen: Seen) -> Iterator[tuple[str, float]]:
    """What one arm says once, by the names of its metrics without the arm's. What is not known is left out."""
    makespan_s = seen.makespan_s
    if makespan_s is not None:
        yield "makespan_s", makespan_s
    for of in (None, *CLASSES):
        yield from _of_class(seen, of)
    ended = [job for job in seen.jobs.values() if job.state]
    if seen.jobs:
        yield "completed_share", sum(job.state == "COMPLETED" for job in ended) / len(seen.jobs)
    if makespan_s:
        offered_s = seen.cpus * makespan_s
        yield "promised_share", seen.promised_cpu_s / offered_s
        used = [job.cpu_s for job in seen.jobs.values() if job.cpu_s is not None]
        if len(used) == len(seen.jobs):
            yield "used_share", sum(used) / offered_s
    yield from _of_resizes(seen)


def _of_class(seen: Seen, of: Class | None) -> Iterator[tuple[str, float]]:
    jobs = seen.of(of)
    prefix = "" if of is None else f"{of}_"
    for name, of_each in (
        ("wait_s", [job.wait_s for job in jobs]),
        ("turnaround_s", [job.turnaround_s for job in jobs]),
    ):
        spent = [seconds for seconds in of_each if seconds is not None]
        # One that never came so far would be left out of the mean just because it was the slowest.
        if spent and len(spent) == len(jobs):
            yield prefix + name, fmean(spent)


def _of_resizes(seen: Seen) -> Iterator[tuple[str, float]]:
    counted = seen.in_turn
    yield "grows", float(sum(resize.direction == "grow" for resize in counted))
    yield "shrinks", float(sum(resize.direction == "shrink" for resize in counted))
    yield "flaps", float(seen.flaps)
    told = [resize for resize in counted if resize.paused_s is not None and resize.lost_s is not None]
    lost_s, paused_s = sum(resize.lost_s or 0.0 for resize in told), sum(resize.paused_s or 0.0 for resize in told)
    if told or not counted:
        yield "lost_units", float(sum(resize.lost_units or 0 for resize in told))
        yield "lost_s", lost_s
        yield "paused_s", paused_s
    if told:
        yield "cost_per_resize_s", (lost_s + paused_s) / len(told)
    for direction in DIRECTIONS:
        for name, values in reactions(counted, direction).items():
            yield f"{direction}_{name}_p50_s", quantile(values, 0.5)


def reactions(resizes: Sequence[ResizeSeen], direction: Direction) -> dict[str, list[float]]:
    """Seconds of the resizes of that direction, by what they are of; never an empty list."""
    found: dict[str, list[float]] = {}
    for resize in resizes:
        # Of a job that was not listening yet the times tell how long its program takes to start.
        if resize.direction != direction or not resize.processes:
            continue
        for stage in _ENDS:
            if (until := resize.until(stage)) is not None:
                found.setdefault(f"to_{stage}", []).append(max(0.0, until))
        if resize.freed_s is not None:
            found.setdefault("to_freed", []).append(max(0.0, resize.freed_s))
        for stage, taken in resize.stages.items():
            found.setdefault(f"stage_{stage}", []).append(taken)
    return {name: found[name] for name in _NAMES if name in found}


_ENDS: tuple[Stage, ...] = ("acknowledged", "applied")
_NAMES = ("to_acknowledged", "to_applied", "to_freed", *(f"stage_{stage}" for stage in CHAIN[1:]))


def _over_all(prefix: str, resizes: Sequence[ResizeSeen]) -> Iterator[Metric]:
    for direction in DIRECTIONS:
        for name, values in reactions(resizes, direction).items():
            stem = f"{prefix}{direction}_{name}"
            if supported(len(values), 0.99):
                yield Metric(name=f"{stem}_p99_s", unit="s", direction="lower", value=quantile(values, 0.99))
            yield Metric(name=f"{stem}_max_s", unit="s", direction="lower", value=max(values))

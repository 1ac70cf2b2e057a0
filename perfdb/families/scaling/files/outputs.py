"""The runbook's own files of a run, for whoever has tools for them. They stand beside the record, never in it. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from perfdb.families.base import Around, ChildRun
from perfdb.families.scaling.analysis.ceiling import ceilings
from perfdb.families.scaling.analysis.distribution import distribution
from perfdb.families.scaling.analysis.tables import ceiling_rows
from perfdb.families.scaling.assemble import hosts_of
from perfdb.families.scaling.clients.answers import Row
from perfdb.families.scaling.clients.merge import Latency, Load, Told
from perfdb.families.scaling.files.deployed import CONNECTION_FILE, command_of, deployed
from perfdb.families.scaling.files.runbook import LogEntry, Repetition, Request, log_entry, raw_lines, summary_csv
from perfdb.families.scaling.measure import cell_tried, tried_of
from perfdb.families.scaling.samples import Tried, columns
from perfdb.families.scaling.spec import ScalingSpec
from perfdb.record import Record
from perfdb.registry.importers.definitions import OPENENV_PERCENTILES
from perfdb.units import counted

FILES = ("raw.jsonl", "summary.csv", "log.md")
READS = (CONNECTION_FILE,)
_US = 1e6


@dataclass(frozen=True)
class Begun:
    """A load with the instant at which it began."""

    tried: Tried
    at: datetime


def outputs(spec: ScalingSpec, url: str, record: Record, runs: Sequence[ChildRun], around: Around) -> dict[str, bytes]:
    """The files by name: every session that was kept, a row for each load and repetition, and the log's entry.

    Rows count what the record counts: every session of the steady part, where there is one, kept or not.

    Args:
        url: As it was typed.
        record: The run's.
        around: What stood around it.
    """
    begun = [Begun(tried, _instant(run, tried)) for run in runs if (tried := tried_of(spec, run)) is not None]
    hardware = record.environment.machine
    repetitions = [_repetition(spec, url, one, hardware) for one in begun if any(one.tried.found.steady.values())]
    raw = raw_lines(
        [
            _request(spec, one, told, number, hardware)
            for one in begun
            for number, told in enumerate(one.tried.found.told)
        ]
    )
    entry = _entry(spec, url, record, [one.tried for one in begun], around)
    return {
        "raw.jsonl": raw.encode(),
        "summary.csv": summary_csv(repetitions).encode(),
        "log.md": log_entry(entry).encode(),
    }


def _instant(run: ChildRun, tried: Tried) -> datetime:
    begins = [begin.begin_at for begin in tried.found.begins.values()]
    if begins:
        return datetime.fromtimestamp(min(begins), UTC)
    return datetime.fromisoformat(run.log.started_at) if run.log.started_at else datetime.fromtimestamp(0, UTC)


def _wall_s(tried: Tried) -> float:
    return max((load.wall_s for load in tried.found.loads.values()), default=0.0)


def _repetition(spec: ScalingSpec, url: str, begun: Begun, hardware: str) -> Repetition:
    tried, found = begun.tried, begun.tried.found
    begin_s, end_s = spec.window or (0.0, math.inf)
    good = found.steady.get("ok", 0)
    rows = [told.row for told in found.told if begin_s <= told.row.scheduled_us / _US < end_s]
    answered = [row for row in rows if row.outcome == "ok"]
    return Repetition(
        mode=spec.mode,
        url=url,
        load=tried.load,
        wait_s=tried.wait_s,
        number=tried.repetition,
        ended_at=begun.at + timedelta(seconds=_wall_s(tried)),
        hardware=hardware,
        lasted_s=_wall_s(tried) if spec.window is None else end_s - begin_s,
        good=good,
        failed=sum(found.steady.values()) - good,
        latencies={part: _took(part, found, answered) for part in OPENENV_PERCENTILES},
        pids=None if found.left_out else len({row.pid for row in answered if row.pid}),
        sessions=None if found.left_out else len({row.session_hash for row in answered if row.session_hash}),
        hosts=len(found.by_host),
    )


def _took(part: str, found: Load, answered: Sequence[Row]) -> list[tuple[float, int]]:
    """Seconds and how many of the successes took so long: exactly if every session was kept, else to the record's three digits."""
    if found.left_out:
        steps = found.latencies.get(part, Latency()).ok.steps()
    else:
        times = (getattr(row, f"{part}_us") for row in answered)
        steps = iter(sorted(Counter(time for time in times if time is not None).items()))
    return [(time / _US, count) for time, count in steps]


def _request(spec: ScalingSpec, begun: Begun, told: Told, number: int, hardware: str) -> Request:
    row = told.row
    good = row.outcome == "ok"
    return Request(
        request_id=number,
        mode=spec.mode,
        timestamp=(begun.at + timedelta(microseconds=row.scheduled_us)).isoformat(timespec="microseconds"),
        wait_requested=begun.tried.wait_s,
        batch_size=begun.tried.load,
        hardware=hardware,
        connect_latency=_s(row.connect_us),
        reset_latency=_s(row.reset_us),
        step_latency=_s(row.step_us),
        total_latency=_s(row.total_us),
        waited_seconds=_s(row.waited_us),
        pid=row.pid,
        session_hash=row.session_hash or "",
        host_url=told.host or "",
        success=good,
        error_type=None if good else row.outcome,
        error_message=None if good else told.trouble,
    )


def _s(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / _US


def _entry(spec: ScalingSpec, url: str, record: Record, tried: Sequence[Tried], around: Around) -> LogEntry:
    # As the record's own findings have it.
    cells = [cell_tried(spec, one) for one in tried if one.found.loads]
    hosts = hosts_of(columns([one for one in tried if one.found.complete]))
    known = deployed(url, record, around, _processes(tried))
    nodes = spec.expected_hosts or known.nodes or len(hosts) or None
    how_many = "multi" if (len(hosts) or nodes or 1) > 1 else "single"
    found = ceilings(cells, spec.criterion, spec.unit)
    # What the table and the lines on hosts say already is not said again.
    told = [finding for finding in record.findings if finding.name != "hosts" and not finding.name.endswith("ceiling")]
    return LogEntry(
        infrastructure=f"{known.scheduler}-{how_many}" if known.scheduler else how_many,
        started_at=record.started_at,
        ended_at=record.ended_at,
        status=record.status,
        reason=record.reason,
        nodes=nodes,
        cpus_per_node=known.cpus_per_node,
        workers_per_node=known.workers_per_node,
        url=url,
        server_command=known.server_command,
        experiment_command=command_of(url, record, around),
        ceilings=ceiling_rows(found, cells),
        raw_file="raw.jsonl",
        summary_file="summary.csv",
        distribution=distribution(hosts, nodes or 1) if hosts else None,
        notes=(
            *(f"Passed means, wait {c.wait_s:g} s: {c.criterion.text(c.wait_s)}" for c in found),
            *_counted(spec, tried),
            *(
                f"{finding.name.replace('_', ' ').capitalize()}: {finding.value} ({finding.evidence})"
                for finding in told
            ),
            f"Record: {record.record_id}",
        ),
    )


def _counted(spec: ScalingSpec, tried: Sequence[Tried]) -> Iterator[str]:
    """What sessions the files are of, where not of all."""
    if spec.window is not None:
        begin_s, end_s = spec.window
        yield (
            f"summary.csv and the table count sessions scheduled in the steady part, from {begin_s:g} to {end_s:g} s after a "
            "load's beginning, as the record does; raw.jsonl has those before it too"
        )
    if short := [one.found for one in tried if one.found.left_out]:
        lacking, every = sum(found.left_out for found in short), sum(sum(found.all.values()) for found in short)
        yield (
            f"raw.jsonl lacks {lacking:,} of {counted(every, 'session')} of {counted(len(short), 'load')}, those that ended last, "
            "slow and failed ones among them; summary.csv and the table count all of them, but its distinct hosts"
        )


def _processes(tried: Sequence[Tried]) -> int:
    """The most processes that answered on any one host."""
    seen: dict[str, set[int]] = {}
    for one in tried:
        for told in one.found.told:
            if told.host and told.row.pid:
                seen.setdefault(told.host, set()).add(told.row.pid)
    return max(map(len, seen.values()), default=0)

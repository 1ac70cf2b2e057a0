"""The OpenEnv scaling runbook's own files: `raw.jsonl`, `summary.csv` and its log entry. Pure.

They are for whoever has tools for them, and stand beside the record, never in it: they name addresses.
`perfdb import openenv` reads the first two. Where the runbook's own program wrote 0 for what is not known, here is nothing
(`null`, or an empty field), and its `effective_concurrency` counts successes only.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from urllib.parse import quote

from perfdb.families.scaling.analysis.distribution import Distribution
from perfdb.families.scaling.analysis.tables import CeilingRow
from perfdb.families.scaling.summarise import at_share
from perfdb.record import Status
from perfdb.registry.importers.definitions import OPENENV_PERCENTILES
from perfdb.units import duration, significant

Value = str | int | float | None


@dataclass(frozen=True)
class Request:
    """One session: a line of `raw.jsonl`, its fields in the runbook's order.

    Attributes:
        mode: `ws` or `http`.
        timestamp: When it was begun, ISO 8601 in UTC.
        wait_requested: Seconds.
        batch_size: Sessions of its repetition.
        hardware: A word of the user's.
        connect_latency: Seconds, like all latencies; None where it did not come to that, or there is no connecting apart.
        total_latency: From the start to the end, of failed ones too.
        waited_seconds: As the service says.
        error_type: Its class; None of a success.
    """

    request_id: int
    mode: str
    timestamp: str
    wait_requested: float
    batch_size: int
    hardware: str
    connect_latency: float | None
    reset_latency: float | None
    step_latency: float | None
    total_latency: float | None
    waited_seconds: float | None
    pid: int | None
    session_hash: str
    host_url: str
    success: bool
    error_type: str | None = None
    error_message: str | None = None


RAW_COLUMNS = tuple(field.name for field in fields(Request))
SUMMARY_COLUMNS = (
    *("mode", "url", "num_requests", "batch_size", "wait_seconds", "repetition", "timestamp", "hardware"),
    *("successful", "failed", "error_rate", "total_wall_time"),
    *(f"{part}_p{percent}" for part in ("connect", "reset", "step") for percent in OPENENV_PERCENTILES[part]),
    *("total_min", "total_max", "total_avg", *(f"total_p{percent}" for percent in OPENENV_PERCENTILES["total"])),
    *("requests_per_second", "effective_concurrency", "unique_pids", "unique_sessions", "unique_hosts"),
)


@dataclass(frozen=True)
class Repetition:
    """One load, tried once, by the sessions that count in the record: a row of `summary.csv`.

    Attributes:
        mode: As of its requests, like the load, the wait and the hardware.
        url: Of the service.
        number: Of the repetition, from 1.
        ended_at: When it was over.
        lasted_s: Seconds from the first session's start to the last one's end; with a steady part, that one's length.
        good: How many sessions succeeded.
        failed: How many did not; with the former at least one.
        latencies: By part, seconds in order and how many of the successes took so long.
        pids, sessions: How many distinct ones answered; None where not every session was kept.
        hosts: The same, of as many sessions as were kept.
    """

    mode: str
    url: str
    load: int
    wait_s: float
    number: int
    ended_at: datetime
    hardware: str
    lasted_s: float
    good: int
    failed: int
    latencies: Mapping[str, Sequence[tuple[float, int]]]
    pids: int | None
    sessions: int | None
    hosts: int

    def row(self) -> dict[str, Value]:
        """The row, by column. Latencies are of successes, percentiles the nearest rank's."""
        numbers: dict[str, Value] = {}
        for part, values in self.latencies.items():
            numbers |= {f"{part}_p{p}": at_share(values, p / 100) for p in OPENENV_PERCENTILES[part]}
        if total := self.latencies.get("total"):
            mean = sum(seconds * count for seconds, count in total) / sum(count for _, count in total)
            numbers |= {"total_min": total[0][0], "total_max": total[-1][0], "total_avg": mean}
        if self.lasted_s > 0:
            numbers["requests_per_second"] = self.good / self.lasted_s
            numbers["effective_concurrency"] = self.good * self.wait_s / self.lasted_s
        every = self.good + self.failed
        known: dict[str, Value] = {
            "mode": self.mode,
            "url": self.url,
            "num_requests": every,
            "batch_size": self.load,
            "wait_seconds": self.wait_s,
            "repetition": self.number,
            "timestamp": _instant(self.ended_at),
            "hardware": self.hardware,
            "successful": self.good,
            "failed": self.failed,
            "error_rate": self.failed / every,
            "total_wall_time": self.lasted_s,
            "unique_pids": self.pids,
            "unique_sessions": self.sessions,
            "unique_hosts": self.hosts,
            **numbers,
        }
        return {column: known.get(column) for column in SUMMARY_COLUMNS}


def raw_lines(requests: Sequence[Request]) -> str:
    """Lines of `raw.jsonl`, each with its end.

    Repetitions are told apart by nothing but their order: all lines of one, then all of the next.
    """
    return "".join(f"{json.dumps(asdict(request), allow_nan=False)}\n" for request in requests)


def summary_csv(repetitions: Sequence[Repetition], *, header: bool = True) -> str:
    """`summary.csv`, or with no header the rows to add to one, in the order of the raw lines."""
    text = io.StringIO()
    writer = csv.DictWriter(text, SUMMARY_COLUMNS, lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(repetition.row() for repetition in repetitions)
    return text.getvalue()


@dataclass(frozen=True)
class LogEntry:
    """What the log says of one run; None where it is not known. Texts are one line each, and hold no secret.

    Attributes:
        infrastructure: Such as `slurm-single` or `slurm-multi`.
        reason: Why the status is not `ok`.
        nodes: How many hosts serve.
        cpus_per_node, workers_per_node: Of each of them; a number, or what else is known.
        url: Of the service.
        server_command: What started the service.
        experiment_command: What was typed.
        ceilings: By wait.
        raw_file, summary_file: Links, relative to the log.
        distribution: Over the hosts.
        notes: Further observations.
    """

    infrastructure: str
    started_at: datetime
    ended_at: datetime
    status: Status
    reason: str | None
    nodes: int | None
    cpus_per_node: int | str | None
    workers_per_node: int | str | None
    url: str
    server_command: str | None
    experiment_command: str
    ceilings: Sequence[CeilingRow]
    raw_file: str
    summary_file: str
    distribution: Distribution | None
    notes: Sequence[str] = ()


def log_entry(entry: LogEntry) -> str:
    """The runbook's log entry, as Markdown, with nothing left to fill in."""
    commands = f"# Server\n{entry.server_command or '# not known'}\n\n# Experiment\n{entry.experiment_command}"
    # A fence ends at as many backticks: longer than any in the commands.
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", commands)), default=0))
    return "\n".join(
        [
            f"## Run: {entry.started_at.astimezone(UTC):%Y-%m-%d}-{_line(entry.infrastructure)}",
            "",
            f"**Infrastructure:** {_line(entry.infrastructure)}",
            f"**Start:** {_instant(entry.started_at)}",
            f"**End:** {_instant(entry.ended_at)}",
            f"**Status:** {_line(_STATUS[entry.status] + (f': {entry.reason}' if entry.reason else ''))}",
            "",
            "### Configuration",
            f"- Nodes: {_known(entry.nodes)}",
            f"- CPUs per node: {_known(entry.cpus_per_node)}",
            f"- Workers per node: {_known(entry.workers_per_node)}",
            f"- URL: {_line(entry.url)}",
            "",
            "### Command",
            f"{fence}bash",
            commands,
            fence,
            "",
            "### Results Summary",
            "| wait_s | Max Batch | p99 Latency | Success % | RPS |",
            "|--------|-----------|-------------|-----------|-----|",
            *map(_table_row, entry.ceilings),
            "",
            "### Links",
            f"- Raw data: [raw.jsonl]({_link(entry.raw_file)})",
            f"- Summary CSV: [summary.csv]({_link(entry.summary_file)})",
            "",
            "### Observations",
            *(f"- {_line(text)}" for text in _observations(entry)),
            "",
        ]
    )


_STATUS: Mapping[Status, str] = {
    "ok": "Complete",
    "invalid": "Invalid",
    "failed": "Failed",
    "timeout": "Timed out",
    "interrupted": "Interrupted",
}


def _table_row(row: CeilingRow) -> str:
    at = row.ceiling.text() if row.unit == "sessions" else f"{row.ceiling.text()} {row.unit}"
    p99 = "-" if row.p99_s is None else duration(row.p99_s)
    success = "-" if row.success_share is None else significant(100 * row.success_share)
    rate = "-" if row.sessions_per_s is None else significant(row.sessions_per_s)
    return f"| {float(row.wait_s)} | {at} | {p99} | {success} | {rate} |"


def _observations(entry: LogEntry) -> list[str]:
    seen = entry.distribution
    said = [f"Unique hosts seen: {len(seen.rows) if seen else 'not known'}"]
    said.append(f"Load distribution: {seen.text() if seen else 'not known'}")
    for row in entry.ceilings:
        said.append(f"Ceiling over repetitions, wait {float(row.wait_s)} s: {row.interval}")
        if row.passed_above:
            loads = ", ".join(map(significant, row.passed_above))
            said.append(f"Passed above a load that failed, so not counted, wait {float(row.wait_s)} s: {loads}")
    return [*said, *entry.notes]


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(text: str) -> str:
    return " ".join(text.split())


def _known(what: int | str | None) -> str:
    return "not known" if what is None else _line(str(what))


def _link(file: str) -> str:
    return quote(_line(file))

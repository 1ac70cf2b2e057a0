"""A folder of logs, one file a job: one record per folder, scheduler and size.

===
Output: recorded-at: 2024-04-18 06:59:55.372692
...
===
Times: recorded-at: 2024-04-18 06:59:55.373107
{"uid": "kueue-batch-0-iter-0-size-2", "start_time": "...", "end_time": "...", "total_time": 0.18, ...}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from perfdb.errors import UsageError
from perfdb.record import Check, sha256_hex
from perfdb.redaction import Redactor
from perfdb.registry.importers.building import Draft, build, with_spread
from perfdb.registry.importers.definitions import FLUENCE, SCHEDULERS
from perfdb.registry.importers.fluence_table import missing_jobs
from perfdb.registry.importers.imported import Options, Part, Skipped
from perfdb.registry.importers.names import Scrub, is_finite, run_name_of
from perfdb.registry.importers.reading import Unreadable, files_below, text_of

_LARGEST_LOG = 4 * 1024 * 1024
_MOST_LOGS = 20_000
_UID = re.compile(
    r"(?P<scheduler>[A-Za-z][A-Za-z0-9-]{0,40}?)-batch-(?P<batch>\d{1,6})-iter-(?P<iteration>\d{1,6})"
    r"-(?P<experiment>size-(?P<size>\d{1,6})(?:-(?P<x>\d{1,6})-(?P<y>\d{1,6})-(?P<z>\d{1,6}))?)"
)
_SECTION = re.compile(r"^===\n(Output|Succeeded|Failed|Mapping|Config|Times):", re.MULTILINE)
_EPOCH = re.compile(r"^(?:START|DONE): (\d{10})$", re.MULTILINE)
_INSTANT = "%Y-%m-%d %H:%M:%S.%f"
# The times are written to a microsecond, and subtracted before that.
_SAME_S = 0.01
# START and DONE come from a container's clock in whole seconds. The client saw "running" late, but never before submission.
_CLOCKS_S = 120.0
_CLOCK = "the submitting client's, written without a time zone and taken as UTC"


@dataclass(frozen=True)
class Job:
    """What one log says."""

    name: str
    folder: str
    text: str
    uid: Mapping[str, str]
    submitted: datetime | None
    started: datetime
    ended: datetime
    total_time_s: float
    turnaround_s: float | None


def read_logs(root: Path, options: Options) -> Iterator[Part]:
    """Every scheduler and size of every folder below `root`.

    Raises:
        UsageError: there is not one such log.
    """
    groups: dict[tuple[str, str, str], dict[tuple[int, int], Job]] = {}
    found = [(path, why) for path, why in files_below(root) if why is not None or path.suffix == ".log"]
    closed = [Skipped(path.relative_to(root.parent).as_posix(), why) for path, why in found if why is not None]
    paths = [path for path, why in found if why is None]
    yield from closed
    if not paths and not closed:
        raise UsageError(
            f"there is no log below {root.name}/. Give the folder of a run, whose logs are named as in "
            "`kueue-batch-0-iter-0-size-2.log`, or the table (.csv) made of it."
        )
    if len(paths) > _MOST_LOGS:
        raise UsageError(f"{root.name}/ holds more than {_MOST_LOGS} logs. Give the folders in it one by one.")
    for path in paths:
        where = path.relative_to(root.parent).as_posix()
        try:
            job = _job(path, where)
        except Unreadable as error:
            yield Skipped(where, str(error))
            continue
        group = groups.setdefault((job.folder, job.uid["scheduler"], job.uid["experiment"]), {})
        group[int(job.uid["batch"]), int(job.uid["iteration"])] = job
    for _, jobs in sorted(groups.items()):
        yield _record([job for _, job in sorted(jobs.items())], options)


def _job(path: Path, where: str) -> Job:
    text = text_of(path, _LARGEST_LOG)
    parts = _SECTION.split(text)
    if parts[0].strip() or len(parts) < 3:
        raise Unreadable("line 1: it does not begin with `===` and the name of a section")
    times = [index for index in range(1, len(parts), 2) if parts[index] == "Times"]
    if len(times) != 1:
        raise Unreadable(f"it has {len(times)} sections `Times`: the job was cut off, or this is no such log")
    line = text[: text.index("===\nTimes:")].count("\n") + 3
    heading, _, body = parts[times[0] + 1].partition("\n")
    if not re.fullmatch(r" recorded-at: [0-9:. -]{10,30}", heading):
        raise Unreadable(f"line {line - 1}: `Times:` is not followed by when it was recorded")
    document = _object(body, line)
    uid = _UID.fullmatch(str(document.get("uid", "")))
    if uid is None or uid[0] != path.stem:
        raise Unreadable(f"line {line}: its uid is not `<scheduler>-batch-<n>-iter-<n>-size-<n>`, as the file is named")
    started, ended = _instant(document, "start_time", line), _instant(document, "end_time", line)
    submitted = _instant(document, "submit_time", line) if "submit_time" in document else None
    turnaround = _seconds(document, "submit_to_completion", line) if "submit_to_completion" in document else None
    fields = {name: value for name, value in uid.groupdict().items() if value is not None}
    folder = where.rpartition("/")[0]
    total = _seconds(document, "total_time", line)
    return Job(path.name, folder, text, fields, submitted, started, ended, total, turnaround)


def _object(body: str, line: int) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"line {line}: what follows `Times` is no JSON") from error
    if not isinstance(document, dict):
        raise Unreadable(f"line {line}: what follows `Times` is no JSON object")
    return document


def _instant(document: Mapping[str, Any], name: str, line: int) -> datetime:
    try:
        return datetime.strptime(str(document[name]), _INSTANT).replace(tzinfo=UTC)
    except (KeyError, ValueError) as error:
        raise Unreadable(f"line {line}: {name} is no instant like 2024-04-18 06:59:55.372416") from error


def _seconds(document: Mapping[str, Any], name: str, line: int) -> float:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e9 or not is_finite(value):
        raise Unreadable(f"line {line}: {name} is no number of seconds")
    if value < 0:
        raise Unreadable(f"line {line}: {name} is negative")
    return float(value)


def _record(jobs: list[Job], options: Options) -> Part:
    scrub = Scrub(Redactor(identity=options.identity))
    first = jobs[0]
    scheduler, experiment = first.uid["scheduler"], first.uid["experiment"]
    submissions = [job.submitted for job in jobs if job.submitted is not None]
    began = min(submissions or [job.started for job in jobs])
    kept = [{"file": job.name, "text": job.text} for job in jobs]
    missing = _gaps(jobs)
    times = _times(jobs)
    return build(
        Draft(
            kind=FLUENCE,
            address=scrub.text(f"{first.folder}#{scheduler}/{experiment}"),
            content=kept,
            kept={"logs": [{**scrub.document(log), **_size(log["text"])} for log in kept]},
            family="schedulers",
            experiment=options.experiment or "schedulers",
            machine=options.machine or f"imported-{FLUENCE}",
            run_name=run_name_of(scrub.text(f"{scheduler} {experiment}"), "jobs"),
            started_at=began,
            ended_at=max(job.ended for job in jobs),
            params={
                "scheduler": scrub.text(scheduler),
                "experiment": experiment,
                **{name: int(first.uid[name]) for name in ("size", "x", "y", "z") if name in first.uid},
                "jobs": len(jobs),
            },
            scheduler=scrub.text(scheduler),
            metrics=[metric for name, values in times.items() for metric in with_spread(name, values, SCHEDULERS)],
            checks=_checks(jobs),
            findings=[
                missing_jobs(missing, f"{len(jobs)} logs; iterations without one lie before the last that has one")
            ]
            if missing
            else [],
            tags={"clock": _CLOCK},
            samples={
                "batch": [int(job.uid["batch"]) for job in jobs],
                "iteration": [int(job.uid["iteration"]) for job in jobs],
                "submitted_s": [_since(began, job.submitted) for job in jobs],
                "started_s": [_since(began, job.started) for job in jobs],
                "ended_s": [_since(began, job.ended) for job in jobs],
                **times,
            },
        )
    )


def _size(text: str) -> dict[str, Any]:
    """By which a log can be told from others where its text is left out."""
    data = text.encode()
    return {"bytes": len(data), "sha256": sha256_hex(data)}


def _since(began: datetime, instant: datetime | None) -> float | None:
    return None if instant is None else (instant - began).total_seconds()


def _times(jobs: list[Job]) -> dict[str, list[float]]:
    """Each kind of time that every log tells, one value a job."""
    times = {"total_time_s": [job.total_time_s for job in jobs]}
    waits = [(job.started - job.submitted).total_seconds() for job in jobs if job.submitted is not None]
    turnarounds = [job.turnaround_s for job in jobs if job.turnaround_s is not None]
    if len(waits) == len(jobs) and min(waits) >= 0:
        times["wait_s"] = waits
    if len(turnarounds) == len(jobs):
        times["turnaround_s"] = turnarounds
    return times


def _gaps(jobs: list[Job]) -> int:
    last: dict[str, int] = {}
    for job in jobs:
        last[job.uid["batch"]] = max(last.get(job.uid["batch"], 0), int(job.uid["iteration"]))
    return sum(number + 1 for number in last.values()) - len(jobs)


def _checks(jobs: list[Job]) -> list[Check]:
    odd = [job.name for job in jobs if not _adds_up(job)]
    far = [job.name for job in jobs if not _clocks_agree(job)]
    return [
        Check(
            name="times_add_up",
            passed=not odd,
            detail="total_time is end_time - start_time, and submit_to_completion end_time - submit_time, in every log"
            if not odd
            else f"durations differ from the instants they are made of: {', '.join(odd)}"[:2000],
        ),
        Check(
            name="clocks_agree",
            passed=not far,
            detail=f"the containers' START and DONE lie within {_CLOCKS_S:g} s of the client's submission and end, read as UTC"
            if not far
            else f"the containers' START or DONE lie elsewhere than the client's times, read as UTC: {', '.join(far)}"[
                :2000
            ],
        ),
    ]


def _adds_up(job: Job) -> bool:
    if job.ended < job.started or (job.submitted is not None and job.started < job.submitted):
        return False
    if abs((job.ended - job.started).total_seconds() - job.total_time_s) > _SAME_S:
        return False
    if job.submitted is None or job.turnaround_s is None:
        return True
    return abs((job.ended - job.submitted).total_seconds() - job.turnaround_s) <= _SAME_S


def _clocks_agree(job: Job) -> bool:
    least = (job.submitted or job.started).timestamp() - _CLOCKS_S
    most = job.ended.timestamp() + _CLOCKS_S
    return all(least <= int(epoch) <= most for epoch in _EPOCH.findall(job.text))

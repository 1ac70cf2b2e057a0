"""Journals as runs leave them: no Parsl is run here, the logs are written by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from perfdb.registry import Journal
from perfdb.runner import RunRequest
from perfdb.settings import Settings
from tests.families.throughput.outputs import WHOLE, setup

STARTED = datetime(2026, 11, 21, 2, 28, tzinfo=UTC)


def request(settings: Settings, **changes: Any) -> RunRequest:
    fields: dict[str, Any] = {
        "family": "throughput",
        "target": "/nowhere/local_fake.py",
        "spec": {"time": 5.0, "reps": 1, "probe": False},
        "run_name": "by-hand",
        "experiment": "throughput",
        "machine": "laptop-7f3a",
        "timeout_s": None,
        "python": Path("/nowhere/python"),
        "host_key": "fake-key",
        "started_at": STARTED,
        "perfdb_version": "0.1.0",
        "work_path": settings.work_path,
    }
    return RunRequest(**{**fields, **changes})


def log_bytes(
    texts: Sequence[str] = tuple(WHOLE), code: int | None = 0, reason: str = "ended", t: float = 12.5
) -> bytes:
    """A child's log; without a code it was cut off."""
    events: list[dict[str, Any]] = [{"event": "start", "at": STARTED.isoformat()}]
    events += [{"event": "line", "t": t, "stream": "stdout", "text": text} for text in texts]
    if code is not None:
        events.append({"event": "exit", "t": t, "code": code, "reason": reason, "cpu_s": 9.5})
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def journal_of(
    settings: Settings, *logs: bytes, closed: bool = True, described: bool = True, **changes: Any
) -> Journal:
    """A journal of ours with those children's logs."""
    journal = Journal.create(settings.state_path, request(settings, **changes).model_dump(mode="json"))
    if described:
        journal.write("setup.json", setup().model_dump(mode="json"))
    for number, data in enumerate(logs, 1):
        journal.new_log(f"rep-{number}").write_bytes(data)
    if closed:
        end = {"ended_at": "2026-11-21T02:28:20+00:00", "duration_s": 20.0, "load": None}
        journal.write("end.json", end)
    return journal

"""Records to send to MLflow, and places to send them to."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from perfdb.record import Artifact, Check, Code, ConfigRef, Environment, Finding, Metric, Record, SampleFile
from perfdb.registry.store import Entry, Registry
from perfdb.tracking import Target

STARTED = datetime(2026, 11, 21, 2, 28, tzinfo=UTC)
_numbers = itertools.count()


def make_record(**changes: Any) -> Record:
    """A small record of everything; unlike every other one made here unless `run_name` is given."""
    fields: dict[str, Any] = {
        "family": "throughput",
        "experiment": "throughput",
        "run_name": f"run-{next(_numbers)}",
        "status": "ok",
        "started_at": STARTED,
        "ended_at": STARTED + timedelta(seconds=33.5),
        "duration_s": 33.5,
        "spec": {"time_s": 5, "reps": 3},
        "params": {"executor.class": "HighThroughputExecutor", "provider.max_blocks": 4, "usage_tracking": False},
        "config": ConfigRef(name="local_htex", source_sha256="a" * 64, fingerprint="b" * 64),
        "environment": Environment(machine="laptop-7f3a"),
        "code": Code(perfdb_version="0.1.0", perfdb_commit="c" * 40, measured={"parsl": "2026.10.26"}),
        "metrics": (
            Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", values=(700.0, 710.0, 900.0)),
            Metric(name="tasks_per_s", unit="tasks/s", direction="higher", value=100.0, step=1, repetition=2),
            Metric(name="tasks_per_s", unit="tasks/s", direction="higher", value=700.0, step=2, repetition=2),
            Metric(name="cold_start_s", unit="s", direction="lower", value=1.5),
        ),
        "checks": (Check(name="client_had_room", passed=True, detail="41 % of one core"),),
        "findings": (Finding(name="bound_by", value="dispatch", evidence="3 % of the run spent submitting"),),
    }
    return Record.seal(**{**fields, **changes})


def save(root: Path, **changes: Any) -> Entry:
    """A record with a sample file and an artifact, saved in a registry under `root`."""
    files = {"samples.parquet": b"not really parquet", "artifacts/config.py": b"config = ...\n"}
    sums = {name: {"file": name, "sha256": hashlib.sha256(b).hexdigest(), "bytes": len(b)} for name, b in files.items()}
    record = make_record(
        samples=(SampleFile(**sums["samples.parquet"], rows=1, columns=("x",)),),
        artifacts=(Artifact(**sums["artifacts/config.py"]),),
        **changes,
    )
    return Entry(record, Registry(root / "mlruns").save(record, files))


def sqlite_target(state: Path) -> Target:
    """A database of its own in `state`."""
    return Target(f"sqlite:///{state / 'mlflow.db'}", str(state / "mlartifacts"), str(state))

"""Made-up records for the benchmarks: as a registry on disk, and the same numbers as runs in MLflow's own database.

They are drawn from a seeded generator: they measure perfdb and MLflow, and nothing else.
"""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from perfdb.families import FAMILIES
from perfdb.parsl_config.params import fingerprint as params_fingerprint
from perfdb.record import Artifact, Check, Code, ConfigRef, Environment, Metric, Record, SampleFile, sha256_hex
from perfdb.registry.samples import to_parquet
from perfdb.registry.store import RECORD_FILE, SAMPLES_FILE, SUMS_FILE, Registry

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
MACHINES = ("alder", "birch", "cedar", "doug-fir", "elm")
RELEASES = ("2024.12.2", "2025.1.6", "2025.7.28", "2025.8.25", "2025.11.3", "2026.4.6", "2026.10.26")
TAGS = ("campaign", "figure", "partition", "purpose", "reviewed")
PROVIDERS = ("SlurmProvider", "LocalProvider", "KubernetesProvider")
CONFIG = b"from parsl.config import Config\n\nconfig = Config()\n"
SAMPLE_ROWS = 1000
METRICS = FAMILIES["throughput"].metrics
# Tasks, run time and submission time of an iteration, in seconds.
Step = tuple[int, float, float]


def plain(number: int) -> Record:
    """A record of 20 parameters, 30 metrics and 5 tags, without files; the same for the same number."""
    draw = random.Random(number)
    rate = draw.lognormvariate(7, 0.3)
    measured = Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", value=rate)
    spare = (Metric(name=f"metric_{i:02}", unit="1", direction="none", value=draw.random()) for i in range(29))
    return Record.seal(**_common(number, draw), metrics=(measured, *spare))


def whole(number: int) -> tuple[Record, dict[str, bytes]]:
    """A record as a run of three repetitions leaves it: four logs, and 1,000 task latencies that it sums up truly."""
    draw = random.Random(-1 - number)
    columns: dict[str, list[Any]] = {
        "mode": ["serial"] * SAMPLE_ROWS,
        "task": list(range(SAMPLE_ROWS)),
        "submitted_s": [0.01 * task for task in range(SAMPLE_ROWS)],
        "latency_s": [draw.lognormvariate(-6, 0.3) for _ in range(SAMPLE_ROWS)],
    }
    samples = to_parquet(columns)
    repetitions = _drawn(draw)
    files = {f"artifacts/{i:02}-rep-{i}.log": _log(rep).encode() for i, rep in enumerate(repetitions, 1)}
    shortened = "{} [perfdb: 30000 characters left out here] {}".format(
        *("".join(f"[{i}, {draw.random()}, {draw.random()}], " for i in range(10)) for _ in "ht")
    )
    files["artifacts/04-probe.log"] = f"{shortened}\n{{'kind': 'end'}}\n".encode()
    files["artifacts/config.py"] = CONFIG
    common = _common(number, draw)
    record = Record.seal(
        **common,
        config=ConfigRef(
            name="local_htex", source_sha256=sha256_hex(CONFIG), fingerprint=params_fingerprint(common["params"])
        ),
        checks=(Check(name="every_repetition_complete", passed=True, detail="3 of 3 repetitions came to their end"),),
        metrics=(*_repetitions(repetitions), *FAMILIES["throughput"].summarise(columns)),
        samples=(
            SampleFile(
                file=SAMPLES_FILE,
                sha256=sha256_hex(samples),
                bytes=len(samples),
                rows=SAMPLE_ROWS,
                columns=tuple(columns),
            ),
        ),
        artifacts=tuple(Artifact(file=n, sha256=sha256_hex(data), bytes=len(data)) for n, data in files.items()),
    )
    return record, {**files, SAMPLES_FILE: samples}


def _common(number: int, draw: random.Random) -> dict[str, Any]:
    started = FIRST + timedelta(minutes=7 * number)
    settings = {f"executor.setting_{i:02}": draw.randint(0, 1000) for i in range(17)}
    return {
        "family": "throughput",
        "experiment": "throughput",
        "run_name": f"run-{number}",
        "status": "ok",
        "started_at": started,
        "ended_at": started + timedelta(seconds=120),
        "duration_s": 120.0,
        "spec": {},
        "params": {
            "executor.class": "HighThroughputExecutor",
            "provider.class": draw.choice(PROVIDERS),
            "provider.max_blocks": draw.choice((1, 2, 4, 8, 16, 32)),
            **settings,
        },
        "environment": Environment(machine=draw.choice(MACHINES)),
        "code": Code(perfdb_version="0.1.0", measured={"parsl": draw.choice(RELEASES)}),
        "tags": {name: str(draw.randint(0, 9)) for name in TAGS},
    }


def _drawn(draw: random.Random) -> list[list[Step]]:
    """Three repetitions of three iterations."""
    return [[(tasks, draw.uniform(0.5, 9), draw.uniform(0.1, 0.5)) for tasks in (10, 900, 4000)] for _ in range(3)]


def _log(steps: list[Step]) -> str:
    """As parsl-perf prints it."""
    return "".join(
        f"==== Iteration {number} ====\nWill run {tasks} tasks\nSubmitting tasks / invoking apps\n"
        f"All {tasks} tasks submitted ... waiting for completion\n"
        f"Submission took {submission_s:.3f} seconds = {tasks / submission_s:.3f} tasks/second\n"
        f"Runtime: actual {run_s:.3f}s vs target 2.0s\nTasks per second: {tasks / run_s:.3f}\n"
        for number, (tasks, run_s, submission_s) in enumerate(steps, 1)
    )


def _repetitions(steps: list[list[Step]]) -> Iterator[Metric]:
    """What follows from them."""
    warm = [
        (sum(s[0] for s in rep[1:]), math.fsum(s[1] for s in rep[1:]), math.fsum(s[2] for s in rep[1:]))
        for rep in steps
    ]
    yield _metric("warm_tasks_per_s", values=tuple(tasks / run_s for tasks, run_s, _ in warm))
    yield _metric("submission_tasks_per_s", values=tuple(tasks / submission_s for tasks, _, submission_s in warm))
    yield _metric("submission_share", values=tuple(submission_s / run_s for _, run_s, submission_s in warm))
    yield _metric("cold_start_s", values=tuple(rep[0][1] for rep in steps))
    yield _metric("run_time_s", values=tuple(math.fsum(s[1] for s in rep) for rep in steps))
    yield _metric("task_count", values=tuple(sum(s[0] for s in rep) for rep in steps))
    yield _metric("iteration_count", values=tuple(len(rep) for rep in steps))
    for repetition, rep in enumerate(steps, 1):
        for step, (tasks, run_s, submission_s) in enumerate(rep, 1):
            where = {"step": step, "repetition": repetition}
            yield _metric("iteration_tasks_per_s", value=tasks / run_s, **where)
            yield _metric("iteration_submission_tasks_per_s", value=tasks / submission_s, **where)
            yield _metric("iteration_run_time_s", value=run_s, **where)
            yield _metric("iteration_task_count", value=tasks, **where)


def _metric(name: str, **fields: Any) -> Metric:
    return Metric(name=name, unit=METRICS[name].unit, direction=METRICS[name].direction, **fields)


def write_registry(root: Path, records: Iterable[tuple[Record, Mapping[str, bytes]]]) -> None:
    """Records in their folders, as `Registry.save` lays them out, but without waiting for the disk each time."""
    registry = Registry(root)
    for record, files in records:
        folder = registry.folder_of(record)
        (folder / "artifacts").mkdir(parents=True) if len(files) > 1 else folder.mkdir(parents=True)
        contents = {**files, RECORD_FILE: record.to_bytes()}
        sums = "".join(f"{sha256_hex(data)}  {name}\n" for name, data in sorted(contents.items()))
        for name, data in {**contents, SUMS_FILE: sums.encode()}.items():
            (folder / name).write_bytes(data)


def fill_mlflow(database: Path, records: Iterable[Record]) -> None:
    """The same parameters, metrics and tags as runs of an experiment, straight into MLflow's tables.

    Through MLflow itself, 100,000 runs would take most of an hour. The tables and their indexes are MLflow's own.
    """
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("PRAGMA synchronous = OFF")
        experiment = _insert(
            connection,
            "experiments",
            [{"name": "throughput", "artifact_location": database.parent.as_uri(), "lifecycle_stage": "active"}],
        )
        for batch in _batches(records, 2000):
            _insert(connection, "runs", [_run(record, experiment, database) for record in batch])
            _insert(connection, "params", [row for record in batch for row in _params(record)])
            _insert(connection, "tags", [row for record in batch for row in _tags(record)])
            points = [row for record in batch for row in _metrics(record)]
            _insert(connection, "metrics", points)
            _insert(connection, "latest_metrics", points)
    connection.close()


def _insert(connection: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> int:
    names = list(rows[0])
    places = ", ".join("?" for _ in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    statement = f'INSERT INTO "{table}" ({quoted}) VALUES ({places})'
    cursor = connection.executemany(statement, (tuple(row.values()) for row in rows))
    return int(cursor.connection.execute("SELECT last_insert_rowid()").fetchone()[0])


def _run(record: Record, experiment: int, database: Path) -> dict[str, Any]:
    return {
        "run_uuid": record.record_id * 2,
        "name": record.run_name,
        "source_type": "LOCAL",
        "source_name": "",
        "entry_point_name": "",
        "user_id": "",
        "status": "FINISHED",
        "start_time": int(record.started_at.timestamp() * 1000),
        "end_time": int(record.ended_at.timestamp() * 1000),
        "source_version": "",
        "lifecycle_stage": "active",
        "artifact_uri": f"{database.parent.as_uri()}/{record.record_id}",
        "experiment_id": experiment,
    }


def _params(record: Record) -> Iterator[dict[str, Any]]:
    for key, value in record.params.items():
        yield {"key": key, "value": str(value), "run_uuid": record.record_id * 2}


def _tags(record: Record) -> Iterator[dict[str, Any]]:
    for key, value in {**(record.tags or {}), "record_id": record.record_id}.items():
        yield {"key": key, "value": value, "run_uuid": record.record_id * 2}


def _metrics(record: Record) -> Iterator[dict[str, Any]]:
    ended_ms = int(record.ended_at.timestamp() * 1000)
    for metric in record.metrics:
        yield {
            "key": metric.name,
            "value": metric.value,
            "timestamp": ended_ms,
            "run_uuid": record.record_id * 2,
            "step": 0,
            "is_nan": 0,
        }


def _batches(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch

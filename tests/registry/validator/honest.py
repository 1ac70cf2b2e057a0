"""Honest records, whole in every respect, and the means to make a dishonest one that is sealed as well as they are."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from perfdb.capture.machine import machine_document, machine_fingerprint
from perfdb.cli.known import rules
from perfdb.families.throughput.derive import derive
from perfdb.families.throughput.latency import summarise
from perfdb.families.throughput.metrics import METRICS
from perfdb.parsl_config.params import fingerprint
from perfdb.record import Host, Metric, Record, sha256_hex
from perfdb.record.canonical import canonical_bytes, record_id_of
from perfdb.registry import Registry
from perfdb.registry.samples import to_parquet
from perfdb.registry.validator import Report, validate_folder

RULES = rules()
CONFIG = b"from parsl.config import Config\n\nconfig = Config()\n"
LOG = b"==== Iteration 1 ====\nWill run 10 tasks\nThe end\n"
STARTED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HOST = Host(
    cpu_model="Model 7",
    cpu_count=8,
    memory_bytes=2**35,
    os="Debian GNU/Linux 12",
    kernel="6.1.0",
    architecture="x86_64",
    python="CPython 3.11.7",
    packages={"parsl": "2026.10.26", "opencv": "4.10.0.84", "google-auth": "2.62.2"},
)
PARAMS = {
    "executor.class": "HighThroughputExecutor",
    "executor.address": "127.0.0.1",
    "provider.max_blocks": 4,
    "config.monitoring": None,
}


def samples_of(number: int, tasks: int = 40) -> dict[str, list[Any]]:
    chance = random.Random(number)
    return {
        "mode": ["serial"] * tasks,
        "task": list(range(tasks)),
        "submitted_s": [0.01 * n for n in range(tasks)],
        "latency_s": [chance.uniform(0.001, 0.01) for _ in range(tasks)],
    }


def iterations_of(number: int) -> tuple[Metric, ...]:
    chance = random.Random(number)
    found = []
    for repetition in (1, 2):
        for step in (1, 2, 3):
            run_s, submission_s, tasks = chance.uniform(1, 5), chance.uniform(0.1, 1), chance.randint(10, 5000)
            for name, value in (
                ("iteration_tasks_per_s", tasks / run_s),
                ("iteration_submission_tasks_per_s", tasks / submission_s),
                ("iteration_run_time_s", run_s),
                ("iteration_task_count", tasks),
            ):
                unit, direction = METRICS[name].unit, METRICS[name].direction
                found.append(
                    Metric(name=name, unit=unit, direction=direction, value=value, step=step, repetition=repetition)
                )
    return tuple(found)


@dataclass
class Draft:
    """A record on its way: change `document` or `files`, then write it, sealed. `files` are those that the record names."""

    document: dict[str, Any]
    files: dict[str, bytes]
    beside: dict[str, bytes] = field(default_factory=dict)

    def change(self, **fields: Any) -> Draft:
        self.document.update(fields)
        return self

    def sealed(self) -> bytes:
        """The record's bytes, with every hash as its files ask for, and its id."""
        for each in (*self.document["samples"], *self.document["artifacts"]):
            data = self.files.get(each["file"])
            if data is not None:
                each.update(sha256=sha256_hex(data), bytes=len(data))
        self.document["record_id"] = record_id_of(self.document)
        return canonical_bytes(self.document)

    def all_files(self) -> dict[str, bytes]:
        """The whole folder."""
        files = {**self.files, "record.json": self.sealed()}
        sums = "".join(f"{sha256_hex(data)}  {name}\n" for name, data in sorted(files.items()))
        return {**files, "SHA256SUMS": sums.encode(), **self.beside}

    def write(self, root: Path, where: str | None = None) -> Path:
        """Put it where it belongs, or elsewhere in the registry, with its machine."""
        files = self.all_files()
        d = self.document
        place = where or f"{d['experiment']}/{d['environment']['machine']}/{d['started_at'][:7]}/{d['record_id']}"
        for name, data in files.items():
            path = root / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        Registry(root).save_machine("hopper", machine_fingerprint(HOST), machine_document(HOST))
        return root / place


def honest(number: int = 0, tasks: int = 40) -> Draft:
    """An honest record; another one for another number."""
    columns = samples_of(number, tasks)
    parquet = to_parquet(columns)
    started = STARTED + timedelta(minutes=number)
    iterations = iterations_of(number)
    fields: dict[str, Any] = {
        "family": "throughput",
        "experiment": "throughput",
        "run_name": f"run {number}",
        "status": "ok",
        "started_at": started,
        "ended_at": started + timedelta(seconds=33.5),
        "duration_s": 33.5,
        "spec": {"time": 5, "reps": 2, "iterate": "estimate"},
        "params": PARAMS,
        "config": {"name": "local_htex", "source_sha256": sha256_hex(CONFIG), "fingerprint": fingerprint(dict(PARAMS))},
        "environment": {"machine": "hopper", "machine_fingerprint": machine_fingerprint(HOST), "submit_host": HOST},
        "code": {"perfdb_version": "0.1.0", "measured": {"parsl": "2026.10.26"}},
        "checks": [
            {"name": "every_repetition_complete", "passed": True, "detail": "2 of 2 repetitions came to their end"}
        ],
        "samples": [
            {
                "file": "samples.parquet",
                "sha256": sha256_hex(parquet),
                "bytes": len(parquet),
                "rows": tasks,
                "columns": list(columns),
            }
        ],
        "artifacts": [
            {"file": n, "sha256": sha256_hex(d), "bytes": len(d)}
            for n, d in (("artifacts/01-rep-1.log", LOG), ("artifacts/config.py", CONFIG))
        ],
    }
    of_run = (metric for metric in derive(Record.seal(**fields, metrics=iterations)) if metric.step is None)
    record = Record.seal(**fields, metrics=(*of_run, *iterations, *summarise(columns)))
    files = {"samples.parquet": parquet, "artifacts/01-rep-1.log": LOG, "artifacts/config.py": CONFIG}
    return Draft(record.document(), files)


def judge(root: Path, *paths: Path) -> Report:
    return validate_folder(root, paths, RULES)


def codes(report: Report) -> set[str]:
    return {fault.code for fault in report.faults}


Change = Callable[[Draft], object]

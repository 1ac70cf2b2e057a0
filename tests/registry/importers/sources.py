"""Small sources in the grammar of the real ones, and shorthands to import them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from perfdb.cli.known import rules
from perfdb.record import Record
from perfdb.redaction import Identity
from perfdb.registry import Entry, Registry
from perfdb.registry.importers import IMPORTERS, Imported, Options, Saved, Skipped, Validator, save_all

SHARED = Path(__file__).resolve().parents[4] / "shared"
SIX = {
    "num_iterations": 3.0,
    "num_tasks": 1000.0,
    "submission_s": 4.0,
    "submission_tps": 250.0,
    "runtime_s": 5.0,
    "runtime_tps": 200.0,
}
STARTED_MS = 1_756_417_067_766
RUN_ID = "0123456789abcdef0123456789abcdef"


def meta(**changes: object) -> str:
    """A run's meta.yaml as MLflow writes it."""
    fields: dict[str, object] = {
        "artifact_uri": f"mlflow-artifacts:/1/{RUN_ID}/artifacts",
        "end_time": STARTED_MS + 1140,
        "entry_point_name": "''",
        "experiment_id": "'1'",
        "lifecycle_stage": "active",
        "run_id": RUN_ID,
        "run_name": "16cpu32gb",
        "source_type": 4,
        "start_time": STARTED_MS,
        "status": 3,
        "tags": "[]",
        "user_id": "jdoe42",
    }
    return "".join(f"{name}: {value}\n" for name, value in {**fields, **changes}.items() if value is not None)


def file_store(root: Path, experiment: str = "parsl-perf-exp-01") -> Path:
    """An empty store with one experiment; the experiment's folder."""
    folder = root / "store" / "1"
    folder.mkdir(parents=True)
    (folder / "meta.yaml").write_text(f"experiment_id: '1'\nlifecycle_stage: active\nname: {experiment}\n")
    return folder


def add_run(
    experiment: Path,
    run_id: str = RUN_ID,
    *,
    metrics: Mapping[str, object] = SIX,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    **changes: object,
) -> Path:
    """A run's folder."""
    folder = experiment / run_id
    for kind in ("metrics", "params", "tags"):
        (folder / kind).mkdir(parents=True)
    (folder / "meta.yaml").write_text(meta(run_id=run_id, **changes))
    texts = {"mlflow.user": "jdoe42", "Parsl version": "2025.07.28", "Parsl Executor": "HighThroughputExecutor"}
    for name, text in (texts if tags is None else tags).items():
        (folder / "tags" / name).write_text(text)
    for name, text in (params or {"max_blocks": "8"}).items():
        (folder / "params" / name).write_text(text)
    for name, value in metrics.items():
        path = folder / "metrics" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else f"{STARTED_MS} {value} 0\n")
    return folder


def parts(kind: str, source: object, **options: Any) -> Iterator[Imported | Skipped]:
    """What an importer yields."""
    return IMPORTERS[kind](str(source), Options(**options))


def records(kind: str, source: object, **options: Any) -> list[Record]:
    """The records of a source that has no faults."""
    found = list(parts(kind, source, **options))
    assert [part for part in found if isinstance(part, Skipped)] == []
    return [part.record for part in found if isinstance(part, Imported)]


def faults(kind: str, source: object, **options: Any) -> list[str]:
    """What is told of a source."""
    return [f"{part.where}: {part.why}" for part in parts(kind, source, **options) if isinstance(part, Skipped)]


def save(root: Path, kind: str, source: object, **options: Any) -> Saved:
    """Import into a registry."""
    return keep(parts(kind, source, **options), root)


def keep(found: Iterable[Imported | Skipped], root: Path, **arguments: Any) -> Saved:
    """Save what an importer yields, judged as the command does."""
    with Validator(rules(), Identity.here()) as judge:
        return save_all(found, Registry(root), judge=judge, **arguments)


def entries(root: Path) -> list[Entry]:
    """Every record of a registry, all readable."""
    found = list(Registry(root).entries())
    assert all(isinstance(entry, Entry) for entry in found)
    return [entry for entry in found if isinstance(entry, Entry)]


def source_json(entry: Entry) -> dict[str, Any]:
    """What is kept of a record's source."""
    document = json.loads((entry.folder / "artifacts" / "source.json").read_bytes())
    assert isinstance(document, dict)
    return document


def write_log(folder: Path, uid: str, submitted: str = "06:59:40.000000", total_s: float = 0.25) -> Path:
    """One job's log: submitted, running at 06:59:55, ended `total_s` later."""
    folder.mkdir(parents=True, exist_ok=True)
    ended = f"2024-04-18 06:59:55.{int(total_s * 1e6):06}"
    waited_s = 55 - float(submitted.rpartition(":")[2])
    document = {
        "end_time": ended,
        "start_time": "2024-04-18 06:59:55.000000",
        "submit_time": f"2024-04-18 {submitted}",
        "submit_to_completion": round(waited_s + total_s, 6),
        "total_time": total_s,
        "uid": uid,
    }
    path = folder / f"{uid}.log"
    path.write_text(
        "\n===\nOutput: recorded-at: 2024-04-18 06:59:55.372692\nSTART: 1713423581\n=== a program's own line\nDONE: 1713423582\n"
        f"\n===\nTimes: recorded-at: 2024-04-18 06:59:55.373107\n{json.dumps(document)}"
    )
    return path

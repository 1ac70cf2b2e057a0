"""A registry of many records: searched, loaded, mirrored and validated, beside plain MLflow where MLflow does the same.

The records are made up (synthetic.py); MLflow's database holds the same parameters, metrics and tags.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import synthetic
from pairs import abba, ratio_interval

from perfdb.record import Record
from perfdb.registry.index import Index

BIN = Path(sys.executable).parent
# What the search asks for, in either language: two parameters, the best rates first.
OURS = "provider.class = SlurmProvider and provider.max_blocks = 8"
MLFLOW = "params.`provider.class` = 'SlurmProvider' and params.`provider.max_blocks` = '8'"
TOP = 100
PAIRS = 3
SEARCH_BOUND = LOAD_BOUND = 50.0
IDLE_SYNC_BOUND_S = 1.0
FIRST_SYNC_BOUND = 30.0
VALIDATE_BOUND = 300.0


def timed(action: Callable[[], list[str]]) -> tuple[float, list[str]]:
    """Seconds that it took, and what it gave."""
    begun = time.perf_counter()
    found = action()
    return time.perf_counter() - begun, found


def side_by_side(what: str, bound: float, ours: Callable[[], list[str]], mlflow: Callable[[], list[str]]) -> bool:
    """Both in turn, the same answer asked of both; whether ours is so many times faster."""
    took: dict[str, list[float]] = {"A": [], "B": []}
    ours()  # brings the index up to date, as the first search after new records does
    for order in abba(PAIRS):
        answers = {}
        for arm in order:
            seconds, answers[arm] = timed(ours if arm == "B" else mlflow)
            took[arm].append(seconds)
        assert answers["A"] == answers["B"], f"{what}: MLflow and perfdb found different records"
    ratio, low, high = ratio_interval(took["A"], took["B"])
    print(
        f"{what}: MLflow / perfdb {ratio:.0f}, 95 % interval {low:.0f} to {high:.0f} (bound {bound:g}); medians "
        f"{statistics.median(took['A']):.2f} s and {statistics.median(took['B']) * 1e3:.0f} ms",
        flush=True,
    )
    return ratio >= bound


def searched(folder: Path, count: int) -> bool:
    """A filtered, sorted top 100 of `count` records."""
    index, store = made(folder, count)
    import mlflow

    def with_mlflow() -> list[str]:
        runs = mlflow.search_runs(
            experiment_names=["throughput"],
            filter_string=MLFLOW,
            order_by=["metrics.warm_tasks_per_s DESC"],
            max_results=TOP,
        )
        return list(runs["tags.record_id"])

    def with_perfdb() -> list[str]:
        found = index.search(OURS, sort=["-warm_tasks_per_s"], limit=TOP)
        return [str(row[0]) for row in found.rows(found.columns(["record_id", "machine", "warm_tasks_per_s"]))]

    mlflow.set_tracking_uri(f"sqlite:///{store}")
    return side_by_side(f"top {TOP} of {count} records", SEARCH_BOUND, with_perfdb, with_mlflow)


def loaded(folder: Path, count: int) -> bool:
    """All of `count` records as a data frame."""
    _, store = made(folder, count)
    import mlflow

    import perfdb

    def with_mlflow() -> list[str]:
        runs = mlflow.search_runs(experiment_names=["throughput"], max_results=count)
        return sorted(runs["tags.record_id"])

    def with_perfdb() -> list[str]:
        return sorted(perfdb.load(root=folder)["record_id"])

    mlflow.set_tracking_uri(f"sqlite:///{store}")
    return side_by_side(f"all {count} records to pandas", LOAD_BOUND, with_perfdb, with_mlflow)


def made(folder: Path, count: int) -> tuple[Index, Path]:
    """A registry of so many records, its index, and MLflow's database with the same."""
    from mlflow.tracking import MlflowClient

    folder.mkdir()
    store = folder / "plain-mlflow.db"
    MlflowClient(f"sqlite:///{store}").search_experiments(max_results=1)

    def filed() -> Iterator[Record]:
        for number in range(count):
            record = synthetic.plain(number)
            synthetic.write_registry(folder / "mlruns", [(record, {})])
            yield record

    synthetic.fill_mlflow(store, filed())
    return Index(folder / "mlruns", folder / ".perfdb"), store


def synced(folder: Path, count: int) -> bool:
    """A first sync of `count` whole records, and one with nothing to do against starting Python and MLflow."""
    folder.mkdir()
    synthetic.write_registry(folder / "mlruns", (synthetic.whole(number) for number in range(count)))
    start_s = process_s([sys.executable, "-c", "import mlflow"], folder)
    first_s = process_s([str(BIN / "perfdb"), "sync"], folder) - start_s
    rate = count / first_s
    print(
        f"first sync of {count} records: {rate:.0f} records/s after start-up (bound {FIRST_SYNC_BOUND:g})", flush=True
    )
    took: dict[str, list[float]] = {"A": [], "B": []}
    arms = {"A": [str(BIN / "perfdb"), "sync", "--json"], "B": [sys.executable, "-c", "import mlflow"]}
    for order in (("A", "B"), *abba(2 * PAIRS)):
        for arm in order:
            took[arm].append(process_s(arms[arm], folder))
    more = [a - b for a, b in zip(took["A"][1:], took["B"][1:], strict=True)]  # the first pair warms the file cache
    print(
        f"sync with nothing to do over {count} records: {statistics.median(more):.2f} s more than `import mlflow` "
        f"({min(more):.2f} to {max(more):.2f}; bound {IDLE_SYNC_BOUND_S:g}); medians "
        f"{statistics.median(took['A']):.2f} s and {statistics.median(took['B']):.2f} s",
        flush=True,
    )
    return rate >= FIRST_SYNC_BOUND and statistics.median(more) <= IDLE_SYNC_BOUND_S


def validated(folder: Path, count: int) -> bool:
    """`perfdb validate` of `count` whole records with 1,000 sample rows each, start-up included."""
    folder.mkdir()
    synthetic.write_registry(folder / "mlruns", (synthetic.whole(number) for number in range(count)))
    took = [process_s([str(BIN / "perfdb"), "validate", "--json"], folder) for _ in range(PAIRS)]
    rate = count / statistics.median(took)
    print(
        f"validate {count} records with {synthetic.SAMPLE_ROWS} rows each: {rate:.0f} records/s (bound {VALIDATE_BOUND:g})"
    )
    return rate >= VALIDATE_BOUND


def process_s(command: list[str], folder: Path) -> float:
    """Wall seconds of a process on the registry in `folder`, which must end well and find no fault."""
    kept = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    begun = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env={**kept, "PERFDB_ROOT": str(folder)}, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begun
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    if "--json" in command:
        json.loads(done.stdout)
    return seconds


def main() -> int:
    """0 when every ratio is within its bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["search", "load", "sync", "validate"], help="one of the four")
    parser.add_argument("--search-records", type=int, default=100_000)
    parser.add_argument("--load-records", type=int, default=10_000, help="MLflow takes minutes for 100,000")
    parser.add_argument("--sync-records", type=int, default=10_000)
    parser.add_argument("--validate-records", type=int, default=3000)
    asked = parser.parse_args()
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    lines = {
        "search": (searched, asked.search_records),
        "load": (loaded, asked.load_records),
        "sync": (synced, asked.sync_records),
        "validate": (validated, asked.validate_records),
    }
    good = True
    with tempfile.TemporaryDirectory(prefix="perfdb-bench-") as scratch:
        for name, (line, count) in lines.items():
            if asked.only in (None, name):
                good &= line(Path(scratch) / name, count)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""Where the commands of a page are typed: a checkout of its own with a remote, an empty home, and records that the page names.

Ids and some names on the pages are examples. `Place.names` says what they are here, and stands in for them.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from perfdb.families.autoscale.summarise import summarise
from perfdb.record import ConfigRef, Environment, Record
from perfdb.registry import Registry
from tests.compare.made import runs
from tests.families.autoscale.analysis.told import columns_of, started
from tests.families.scaling.counted import record as scaling_record
from tests.families.scaling.counted import up_to
from tests.registry.importers.sources import add_run, file_store
from tests.report.charts.test_drawing import saved

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# Of the first history: both configs under these releases.
REAL = ("2025.11.10", "2026.10.26")
MACHINE = "shared-vm-2cpu"
NOWHERE = "http://127.0.0.1:9"
EXAMPLE_IDS = ("3f2a", "77b0", "91c4", "d02e", "5b1a", "0c66", "81c0", "dbba")


@dataclass
class Place:
    """Where a page's commands are typed.

    Attributes:
        top: A folder of its own; what a page calls `..` is this.
        names: What stands for a word of the page.
        variables: What is set; without more no MLflow is there.
        folder: Where the commands are typed; the checkout, unless a page says otherwise.
    """

    top: Path
    names: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=lambda: {"MLFLOW_TRACKING_URI": NOWHERE})
    folder: Path = Path()
    running: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> Path:
        """The checkout."""
        return self.top / "checkout"

    @property
    def environment(self) -> dict[str, str]:
        """A new user's: nothing set, nothing at home, and no way to a network."""
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
        return {
            "PATH": os.pathsep.join([str(BIN), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(self.top / "home"),
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "127.0.0.1,localhost",
            "BROWSER": "true",
            **proxies,
            **self.variables,
        }

    def type(self, text: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Type lines into a shell that ends at the first one that fails, in a pipe too."""
        if self.names:
            named = "|".join(re.escape(name) for name in sorted(self.names, key=len, reverse=True))
            text = re.sub(rf"(?<![\w-])({named})(?![\w-])", lambda found: self.names[found[0]], text)
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def start(self, *words: str) -> None:
        """Start what runs until `end`, and wait until it says something: that it is ready."""
        self.running = subprocess.Popen(
            words,
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self.running.stdout is not None
        assert select.select([self.running.stdout], [], [], 60)[0], f"{words} says nothing"

    def end(self) -> None:
        """End what was started."""
        if self.running:
            self.running.terminate()
            self.running.wait(60)


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def make_checkout(top: Path) -> None:
    """A checkout with a remote that has all of it but the records."""
    root = top / "checkout"
    (top / "home").mkdir()
    for folder in ("parsl-configs", "examples", "deploy"):
        shutil.copytree(CHECKOUT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "docs" / "how-to").mkdir(parents=True)
    for path in (CHECKOUT / "docs" / "how-to").glob("*.toml"):
        shutil.copy2(path, root / "docs" / "how-to")
    (root / ".gitignore").write_text(".perfdb/\nsite/\n", encoding="utf-8")
    git(top, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.name", "A Newcomer")
    git(root, "config", "user.email", "newcomer@example.org")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "configs")
    git(root, "remote", "add", "origin", "../origin.git")
    git(root, "push", "--quiet", "--set-upstream", "origin", "main")
    for name, version in [(name, version) for version in REAL for name in ("local_threads", "local_htex")]:
        folder = real_record(name, version)
        shutil.copytree(folder, root / folder.relative_to(CHECKOUT))
    machines = Path("mlruns", "_machines", MACHINE)
    shutil.copytree(CHECKOUT / machines, root / machines)


def real_record(config: str, version: str) -> Path:
    """The folder of the record of that config under that release."""
    for path in sorted((CHECKOUT / "mlruns").glob(f"throughput/{MACHINE}/*/*/record.json")):
        document = json.loads(path.read_bytes())
        if document["config"]["name"] == config and document["code"]["measured"]["parsl"] == version:
            return path.parent
    raise LookupError(f"no record of {config} under {version} in mlruns/")


def real_records(place: Place) -> None:
    """The pages' ids and machine are those of measured records."""
    ids = [real_record(name, version).name for version in reversed(REAL) for name in ("local_threads", "local_htex")]
    others = {
        "hopper": MACHINE,
        "slurm_hopper": "local_threads",
        "2025.8.4": REAL[0],
        "2025.11.3": REAL[1],
        "ID": ids[0],
    }
    # Of the tutorial: a first run, and two releases; and what `perfdb contribute` calls its branch.
    others |= {"b777": ids[0], "662d": ids[2], "8d33": ids[0]}
    others["BRANCH"] = "$(git branch --list 'results/*' --format='%(refname:short)')"
    place.names = {**dict(zip(EXAMPLE_IDS, [*ids, *ids], strict=True)), **others}


def keep(place: Place, *records: Record) -> list[str]:
    """Save them; their ids."""
    for record in records:
        Registry(place.root / "mlruns").save(record, {})
    return [record.record_id for record in records]


def two_machines(place: Place) -> None:
    """Records of hopper and birch, before and after, under two schedulers' settings and with more and more nodes."""
    threads = ConfigRef(name="local_threads", source_sha256="a" * 64, fingerprint="b" * 64)
    before = keep(place, *runs(700, 5, first_hour=-1000, run_name="before", config=threads))
    after = keep(place, *runs(730, 5, first_hour=30, parsl="2025.11.3", run_name="after", config=threads))
    keep(place, *runs(900, 5, machine="birch", config=threads))
    keep(place, *runs(500, 5, first_hour=60))
    settings = {"SchedulerType": "sched/backfill", "SelectType": "select/cons_tres"}
    for kind in ("sched/backfill", "sched/builtin"):
        told: dict[str, Any] = {"settings": {**settings, "SchedulerType": kind}, "machine": "owl", "scheduler": "slurm"}
        place.names["91c4" if kind.endswith("builtin") else "3f2a"] = keep(place, *runs(600, 5, **told))[0]
    place.names["3f2a,77b0,91c4 d02e,5b1a,0c66"] = f"{','.join(before[:3])} {','.join(after[:3])}"


def rounds(place: Place) -> None:
    """Autoscale records of rounds that nobody had to wait for, of this hour."""
    ids = []
    for number in range(2):
        cold = {("cold", n): started(10.0 + n + number, 20.0 + n) for n in range(1, 6)}
        columns = columns_of({**cold, **{("warm", n): started(2.0, 3.0) for n in range(1, 6)}})
        now = datetime.now(UTC)
        told: dict[str, Any] = {
            "started_at": now,
            "ended_at": now + timedelta(minutes=1),
            "environment": Environment(machine="hopper"),
        }
        told |= {"params": {"provider.cores_per_node": 8}, "spec": {"tasks": 12}, "metrics": summarise(columns)}
        ids.append(saved(place.root, columns, family="autoscale", **told)[0].record_id)
    place.names = dict(zip(EXAMPLE_IDS, ids, strict=False))


def loads(place: Place) -> None:
    """Scaling records of one host and of four, each at two waits."""
    ids = []
    for hosts, ceiling, name in ((1, 128, "one-host"), (4, 256, "four-hosts")):
        tried = [load for wait_s in (1.0, 5.0) for load in up_to(ceiling, hosts=hosts, wait_s=wait_s)]
        spec = {"mode": "ws", "shape": "burst", "reps": 3, "expected_hosts": hosts}
        ids.append(scaling_record(place.root, tried, spec=spec, run_name=name).record_id)
    place.names = dict(zip(EXAMPLE_IDS, ids, strict=False))


def in_a_record(place: Place) -> None:
    """In the folder of a record."""
    place.folder = place.root / real_record("local_threads", REAL[0]).relative_to(CHECKOUT)


def sources(place: Place) -> None:
    """What others measured: a file store, and a table with the mapping that the page shows."""
    store = file_store(place.top)
    add_run(store)
    archive = place.top / "parsl-perf-runs"
    archive.mkdir()
    store.parent.rename(archive / "mlruns")
    page = (CHECKOUT / "docs" / "how-to" / "import.md").read_text(encoding="utf-8")
    (mapping,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (table,) = re.findall(r"```text\n(run,.*?)```", page, re.DOTALL)
    (place.root / "io.toml").write_text(mapping, encoding="utf-8")
    (place.root / "io.csv").write_text(table, encoding="utf-8")


def with_mlflow(place: Place) -> None:
    """What others measured, and the local database of MLflow."""
    sources(place)
    place.variables = {}


def a_trace(place: Place) -> None:
    """A trace of three jobs in the Standard Workload Format."""
    jobs = [(1, 0, 60, 100), (2, 5, 30, 64), (3, 6, 10, 8)]  # number, submitted, ran, processors
    lines = [f"{n} {at} -1 {ran} {wide} -1 -1 {wide} {ran} -1 1 1 1 1 -1 -1 -1 -1\n" for n, at, ran, wide in jobs]
    (place.root / "trace.swf").write_text("".join(lines), encoding="utf-8")


def programs(place: Place) -> None:
    """The programs and the text that the page submits, and a scheduler of two CPUs."""
    for name in ("train.py", "short.py", "wide.py"):
        (place.root / name).write_text("print('done')\n", encoding="utf-8")
    (place.root / "in.txt").write_text("b\na\nb\n", encoding="utf-8")
    place.start("mini-slurm", "scheduler", "--cpus", "8", "--overcommit")


def a_fork(place: Place) -> None:
    """Measured records, and another remote."""
    real_records(place)
    git(place.top, "clone", "--quiet", "--bare", "origin.git", "fork.git")
    place.names["URL-OF-YOUR-FORK"] = "../fork.git"


def everything(place: Place) -> None:
    """Measured records and what others measured, for the first page."""
    real_records(place)
    sources(place)


# What a page needs beside the checkout; the others have measured records.
NEEDS: dict[str, Callable[[Place], None]] = {
    "README.md": everything,
    "docs/record.md": in_a_record,
    "docs/how-to/autoscale.md": rounds,
    "docs/how-to/compare.md": two_machines,
    "docs/how-to/contribute.md": a_fork,
    "docs/how-to/import.md": with_mlflow,
    "docs/how-to/mini-slurm.md": programs,
    "docs/how-to/scaling.md": loads,
    "docs/how-to/schedulers.md": a_trace,
}

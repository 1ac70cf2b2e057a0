"""A small registry of everything that a report shows, and the site that `perfdb report` makes of it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.synthetic import whole, write_registry
from perfdb.record import (
    Annotation,
    Check,
    Code,
    ConfigRef,
    Environment,
    Finding,
    Metric,
    Origin,
    Record,
    Retraction,
    sha256_hex,
)
from perfdb.registry.remarks import save_remark
from tests.end_to_end.conftest import Home
from tests.tracking.records import make_record

# Tasks a second, each machine with each config.
RATES = {("alder", "local_threads"): 2000, ("alder", "local_htex"): 600, ("birch", "local_htex"): 360}
# The newest release is a fifth slower everywhere.
RELEASES = {"2025.1.6": 1.0, "2025.8.25": 1.0, "2026.10.26": 0.8}
RUNS = 5
SCRIPT = "</script><script>window.ran=1</script>"
IMAGE = '"><img src=x onerror="window.ran=2">'
BACKWARDS = "\u202ereversed\u202c \u2028"
HUGE = "x" * 180
HOSTILE = f"{SCRIPT} {IMAGE} ' ]]> {{{{7*7}}}} {BACKWARDS}"
FIRST = datetime(2026, 1, 5, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Site:
    """A built site and the records that it was made of.

    Attributes:
        hostile: The record whose every text is an attack.
        withdrawn: One that is retracted, for a hostile reason.
        sampled: One with raw samples.
        apart: The ids of those that stand in no comparison, and the label that says why.
    """

    folder: Path
    records: tuple[Record, ...]
    hostile: Record
    withdrawn: Record
    sampled: Record
    apart: dict[str, str]

    def file(self, page: str = "index.html") -> str:
        """A page's address on the disk."""
        return (self.folder / page).as_uri()

    def history_page(self, machine: str, config: str) -> str:
        """Where its course is drawn."""
        return f"history/throughput--{machine}--{config}.html"

    @property
    def with_charts(self) -> list[str]:
        """Pages that must have some."""
        return [
            self.history_page("alder", "local_htex"),
            "comparisons/index.html",
            f"records/{self.sampled.record_id}.html",
        ]

    def list_of(self, record_id: str) -> str:
        """The page that lists a record."""
        (record,) = [record for record in self.records if record.record_id == record_id]
        return f"lists/{record.started_at:%Y-%m}.html"


def series() -> Iterator[Record]:
    """Runs of every release on every machine with every config, in the order of time."""
    draw = random.Random(4)
    at = FIRST
    for release, factor in RELEASES.items():
        for run in range(RUNS):
            for (machine, config), rate in RATES.items():
                at += timedelta(hours=9)
                yield run_of(release, machine, config, run, at, [rate * factor * draw.gauss(1, 0.02) for _ in "123"])


def run_of(release: str, machine: str, config: str, run: int, at: datetime, rates: list[float]) -> Record:
    """One run of several repetitions."""
    return make_record(
        run_name=f"{config} {release} run {run}",
        started_at=at,
        ended_at=at + timedelta(seconds=30),
        config=ConfigRef(name=config, source_sha256="a" * 64, fingerprint=sha256_hex(config.encode())),
        params={"executor.class": config, "provider.max_blocks": 1},
        environment=Environment(machine=machine),
        code=Code(perfdb_version="0.1.0", measured={"parsl": release}),
        metrics=(
            Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", values=tuple(rates)),
            Metric(name="cold_start_s", unit="s", direction="lower", values=tuple(9 / rate for rate in rates)),
        ),
    )


def hostile() -> Record:
    """Every text that may be any text is one that a page must not act on."""
    return make_record(
        run_name=f"{IMAGE} {HUGE}"[:200],
        started_at=FIRST + timedelta(days=60),
        ended_at=FIRST + timedelta(days=60, seconds=30),
        status="invalid",
        reason=HOSTILE,
        config=ConfigRef(name=HOSTILE, source_sha256="e" * 64, fingerprint="f" * 64),
        params={"executor.label": HOSTILE, "executor.class": HUGE},
        environment=Environment(machine="alder"),
        code=Code(perfdb_version="0.1.0", measured={"parsl": SCRIPT}),
        checks=(Check(name="client_had_room", passed=False, detail=HOSTILE),),
        findings=(Finding(name="bound_by", value=IMAGE, evidence=HOSTILE),),
        spec={"app": HOSTILE},
    )


def apart() -> list[Record]:
    """One record of each kind that stands in no comparison."""
    at = {"started_at": FIRST + timedelta(days=61), "ended_at": FIRST + timedelta(days=61, seconds=30)}
    kind = {"environment": Environment(machine="birch")}
    measured: dict[str, Any] = {**at, **kind}
    imported = Origin(kind="imported", source_kind="archive", source="archive.tar", source_sha256="d" * 64)
    return [
        make_record(run_name="one that failed", status="failed", reason="a child ended with 1", metrics=(), **measured),
        make_record(run_name="one that took too long", status="timeout", reason="600 s passed", **measured),
        make_record(run_name="from elsewhere", origin=imported, **measured),
        make_record(run_name="to be withdrawn", **measured),
    ]


def build(home: Home) -> Site:
    """Fill the registry of `home` and make the site."""
    root = home.root / "mlruns"
    bad, *rest = hostile(), *apart()
    records = [*series(), bad, *rest]
    sampled = [whole(number) for number in range(2)]
    write_registry(root, [*((record, {}) for record in records), *sampled])
    withdrawn = rest[-1]
    save_remark(root, Retraction(uuid="1" * 32, at=FIRST, record_id=withdrawn.record_id, reason=HOSTILE))
    note = Annotation(uuid="2" * 32, at=FIRST, record_ids=(records[0].record_id,), note=HOSTILE, tags={"figure": "3"})
    save_remark(root, note)
    folder = home.root / "site"
    made = report(home, folder)
    assert made["records"] == len(records) + len(sampled)
    labels = ("invalid", "failed", "timeout", "imported", "withdrawn")
    return Site(
        folder=folder,
        records=(*records, *(record for record, _ in sampled)),
        hostile=bad,
        withdrawn=withdrawn,
        sampled=sampled[0][0],
        apart={record.record_id: label for record, label in zip([bad, *rest], labels, strict=True)},
    )


def report(home: Home, folder: Path) -> dict[str, Any]:
    """Run the command; what its JSON says."""
    done = home.perfdb("report", str(folder), "--json", timeout=300)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))

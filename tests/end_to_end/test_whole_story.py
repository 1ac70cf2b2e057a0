"""The whole story on real parts: measured on a Slurm, shown, compared, looked at, contributed, judged; the same there."""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from perfdb.platforms.pocket import Options
from tests.browser.conftest import Chromium, chromium
from tests.browser.crawl import crawl
from tests.browser.drawn import drawn_charts
from tests.browser.pixels import assert_drawn
from tests.contribute.world import NOBODYS, World, document, git
from tests.end_to_end.conftest import NO_MLFLOW, THREADS, Home, home_at
from tests.end_to_end.pocket_faults import config, pocket

__all__ = ["chromium"]  # the fixture is the browser tests' own

# The least from which a verdict can come: fewer repetitions a side are too few to tell.
REPS = 5
MACHINE = "pocket-host"
RATE = "warm_tasks_per_s"
MAPPING = f"""
[columns]
name = "record_id"
start = "started_at"

[metrics.{RATE}]
column = "metric.{RATE} [tasks/s]"
unit = "tasks/s"
direction = "higher"
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A bare remote."""
    made = World(tmp_path)
    made.build()
    return made


@dataclass(frozen=True)
class Side:
    """One person's clone of the results, with a registry in it."""

    home: Home

    def git(self, *arguments: str) -> str:
        """What git prints in this clone."""
        return git(self.home.root, *arguments)

    def told(self, *arguments: str) -> Any:
        """What a command of perfdb's says as JSON, once it has succeeded."""
        done = self.home.perfdb(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return document(done)


@pytest.fixture
def sides(world: World, empty_database: Path) -> Iterator[tuple[Side, Side]]:
    """Who measures, and the other side."""
    mine, theirs = world.clone("mine"), world.clone("theirs")
    with home_at(mine.path, empty_database) as first, home_at(theirs.path, empty_database) as second:
        for home in (first, second):
            home.env |= {**NOBODYS, "PERFDB_MACHINE": MACHINE}
        yield Side(first), Side(second)


def run(home: Home, *arguments: str) -> None:
    """A command that measures, to a good end."""
    done = home.perfdb("run", *arguments, "--no-server", timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def measure(home: Home) -> list[dict[str, Any]]:
    """parsl-perf on a Slurm, in turns with threads; then autoscale on that Slurm.

    MLflow is away meanwhile, so that all of the mirror is left to `perfdb sync`.
    """
    before = dict(home.env)
    with pocket("story", Options(nodes=2)) as cluster:
        on_slurm = config(home, cluster)
        home.env |= NO_MLFLOW
        run(home, "throughput", on_slurm, "--against", THREADS, "--time", "1.5", "--reps", str(REPS), "--no-probe")
        spec = {"rounds": 1, "blocks": 2, "tasks": 2, "task_s": 1, "acquire_timeout_s": 90, "release_timeout_s": 90}
        run(home, "autoscale", on_slurm, *(word for name in spec for word in ("--set", f"{name}={spec[name]}")))
        assert cluster.queue() == ""
    home.env = before
    records = home.records()
    assert sorted(record["family"] for record in records) == ["autoscale", "throughput", "throughput"]
    assert {record["status"] for record in records} == {"ok"}
    assert sorted(str(record["environment"].get("scheduler")) for record in records) == ["None", "slurm", "slurm"]
    return records


def numbers(record: dict[str, Any]) -> dict[str, list[float]]:
    """A record's numbers of the whole run, by name, every repetition's."""
    return {metric["name"]: metric["values"] for metric in record["metrics"] if "values" in metric}


def mirrored(database: Path) -> dict[str, dict[str, float]]:
    """What MLflow holds of each record that it shows, by the record's id."""
    asked = (
        "SELECT id.value, m.key, m.value FROM tags AS id JOIN latest_metrics AS m USING (run_uuid) "
        "WHERE id.key = 'perfdb.record_id'"
    )
    found: dict[str, dict[str, float]] = {}
    with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as opened:
        for record_id, name, value in opened.execute(asked):
            found.setdefault(record_id, {})[name] = value
    return found


def look(page: Page, index: Path, records: list[dict[str, Any]]) -> None:
    """From the first page to each record's as a reader goes; there stand its numbers, and charts are drawn."""
    found = crawl(page, index.as_uri())
    assert (found.dead, found.loose_ends(), found.outward, found.ran) == ([], [], [], [])
    for record in records:
        url = (index.parent / "records" / f"{record['record_id']}.html").as_uri()
        assert url in found.ids
        page.goto(url)
        expect(page.locator("[data-record-id]")).to_have_text(record["record_id"])
        for name, values in numbers(record).items():
            row = page.locator("table.numbers tr", has=page.get_by_role("link", name=name, exact=True)).first
            shown = row.locator("td.values span:not(.quiet)").all_text_contents()
            assert [float(text) for text in shown] == values, name
        charts = drawn_charts(page)
        assert charts
        for chart in charts:
            assert_drawn(chart.locator("svg"))


def files_of(home: Home) -> dict[str, bytes]:
    """Every file of its registry, by its path there."""
    top = home.root / "mlruns"
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


def rates_of_a_table(home: Home, folder: Path) -> dict[str, float]:
    """Export the records to a table, import it into a registry that knows none of them: what is there, by the record's id."""
    folder.mkdir()
    done = home.perfdb("export", str(folder / "all.csv"), "family == throughput")
    assert done.returncode == 0, done.stderr
    (folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    with home_at(folder) as third:
        third.env |= NO_MLFLOW
        done = third.perfdb("import", "csv", "all.csv", "--mapping", "mapping.toml", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return {record["run_name"]: record["metrics"][0]["value"] for record in third.records()}


def test_what_one_measures_on_a_slurm_another_reads_judges_and_compares_to_the_same_numbers(
    sides: tuple[Side, Side], world: World, tmp_path: Path, chromium: Chromium
) -> None:
    mine, theirs = sides
    records = measure(mine.home)
    ids = {record["record_id"] for record in records}

    told = mine.told("sync")
    assert (told["sent"], told["troubles"], told["recovered"]) == (3, [], [])
    database = mine.home.root / ".perfdb" / "mlflow.db"
    shown = mirrored(database)
    assert set(shown) == ids
    for record in records:
        for name, values in numbers(record).items():
            assert shown[record["record_id"]][name] == pytest.approx(statistics.median(values)), name

    threads, slurm = (
        next(r["record_id"] for r in records if r["family"] == "throughput" and ("scheduler" in r["environment"]) is on)
        for on in (False, True)
    )
    comparison = ("compare", threads, slurm, "--ignore", "scheduler")
    mine_says = mine.told(*comparison)
    verdicts = {metric["metric"]: metric["verdict"] for metric in mine_says["cases"][0]["metrics"]}
    # A thread is there at once; a block of Slurm's takes a thousand times as long on any machine.
    assert verdicts["cold_start_s"] == "worse"

    site = tmp_path / "site"
    assert mine.told("report", str(site))["records"] == 3
    with chromium.page() as page:
        look(page, site / "index.html", records)

    sent = mine.told("contribute", "--push")
    assert sent["pushed"] is True
    assert set(sent["records"]) == ids

    theirs.git("fetch", "--quiet", "origin")
    theirs.git("switch", "--quiet", "--detach", f"origin/{sent['branch']}")
    judged = theirs.told("validate", "--base", "origin/main")
    assert (judged["ok"], judged["faults"]) == (True, [])

    world.merge(sent["branch"])
    theirs.git("switch", "--quiet", "main")
    assert theirs.told("list") == []
    theirs.git("pull", "--quiet", "--ff-only")
    assert theirs.told("validate")["ok"] is True

    arrived = files_of(theirs.home)
    assert arrived == files_of(mine.home)
    assert {Path(name).name for name in arrived} >= {"record.json", "samples.parquet", "SHA256SUMS"}
    assert theirs.told("show", slurm) == next(record for record in records if record["record_id"] == slurm)
    assert theirs.told(*comparison) == mine_says

    # Who has no clone imports a table of them.
    rates = {r["record_id"]: statistics.median(numbers(r)[RATE]) for r in records if RATE in numbers(r)}
    assert rates_of_a_table(theirs.home, tmp_path / "third") == rates
    assert len(rates) == 2

    # What MLflow shows are these very records: whoever imports from it gets none of them a second time.
    again = theirs.told("import", "mlflow", f"sqlite:///{database}")
    assert (again["added"], again["faults"]) == ([], [])
    assert again["own"] >= len(records)
    assert files_of(theirs.home) == arrived

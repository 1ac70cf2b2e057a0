"""The history that this repository keeps in `mlruns/`: whole, valid, and what docs/first-history.md says of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from perfdb.record import Record
from perfdb.registry.store import read_record

CHECKOUT = Path(__file__).resolve().parents[2]
CONFIGS = ("local_threads", "local_htex")


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return [read_record(path) for path in sorted((CHECKOUT / "mlruns").glob("[!_]*/*/*/*/record.json"))]


def test_at_least_24_releases_were_measured_five_times_with_each_config_in_turns(records):
    releases = defaultdict(set)
    for record in records:
        rate = record.metric("warm_tasks_per_s")
        if record.status == "ok" and record.config and record.sitting and rate and len(rate.all_values) >= 5:
            releases[record.config.name].add(record.code.measured["parsl"])
    for config in CONFIGS:
        assert len(releases[config]) >= 24
        assert min(releases[config]) == "2023.10.16"


def test_no_two_children_of_a_sitting_had_one_turn(records):
    turns = defaultdict(list)
    for record in records:
        if record.sitting:
            turns[record.sitting.uuid] += record.sitting.turns
    assert turns
    for taken in turns.values():
        assert sorted(taken) == list(range(1, len(taken) + 1))


def test_the_records_are_valid():
    command = [str(Path(sys.executable).parent / "perfdb"), "validate", "--json"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert json.loads(done.stdout)


def test_their_report_shows_a_history_of_each_config(tmp_path, records):
    command = [str(Path(sys.executable).parent / "perfdb"), "report", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    pages = {path.name: path.read_text() for path in (tmp_path / "site" / "configs").glob("*.html")}
    for config in CONFIGS:
        assert f"{config}.html" in pages
        assert all(r.code.measured["parsl"] in pages[f"{config}.html"] for r in records if r.status == "ok")
    assert len(list((tmp_path / "site" / "records").rglob("*.html"))) >= len(records)

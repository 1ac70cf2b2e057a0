"""A load that is interrupted, killed, or has nowhere to write: what was measured is kept."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from perfdb.services.addresses import Address
from tests.disks import SmallDisk
from tests.end_to_end.conftest import Home, wait_for_line
from tests.services.serving import lean_server

FILES = ["log.md", "raw.jsonl", "summary.csv"]
# The first load is over soon, the second lasts.
TWO_LOADS = ("--requests-grid", "20", "--wait-grid", "0.1,40", "--reps", "1", "--no-server")
QUICK = ("-n", "20", "--wait", "0.1", "--reps", "1", "--no-server")


@pytest.fixture(scope="module")
def service() -> Iterator[Address]:
    with lean_server() as address:
        yield address


def in_its_second_load(home: Home, service: Address) -> subprocess.Popen[bytes]:
    process = home.start("perfdb", "run", "scaling", service.url, *TWO_LOADS, "--output-dir", "results")
    wait_for_line(process, home.root / "started.log", "rep 1/1, wait 40 s, load 20: 1 s, 0 of 20 over")
    return process


def raw(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "raw.jsonl").read_text().splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def holds_what_was_measured(home: Home) -> None:
    """The first load whole, in the record and in the runbook's files."""
    (record,) = home.records()
    assert record["status"] == "interrupted"
    found = {metric["name"]: metric.get("values") for metric in record["metrics"]}
    assert found["success_share"] == [1.0]
    assert names(home.root / "results") == FILES
    first = [one for one in raw(home.root / "results") if one["wait_requested"] == 0.1]
    assert [one["success"] for one in first] == [True] * 20
    assert home.journals() == []
    psutil.wait_procs(home.processes(), timeout=30)
    assert home.processes() == []
    assert home.perfdb("validate").returncode == 0


def test_ctrl_c_in_a_load_keeps_what_was_measured(home: Home, service: Address) -> None:
    process = in_its_second_load(home, service)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert "Traceback" not in (home.root / "started.log").read_text()
    holds_what_was_measured(home)


def test_the_next_sync_makes_the_record_and_the_files_of_a_run_that_was_killed(home: Home, service: Address) -> None:
    process = in_its_second_load(home, service)
    process.kill()
    process.wait()
    told = json.loads(home.perfdb("sync", "--json").stdout)
    assert (told["troubles"], len(told["recovered"])) == ([], 1)
    holds_what_was_measured(home)


def test_two_runs_at_once_into_one_folder_neither_mix_nor_lose(home: Home, service: Address) -> None:
    """The loads differ, so that a mixed folder would show."""
    running = [
        home.start(
            "perfdb", "run", "scaling", service.url, *QUICK, "-n", load, "--output-dir", "results", log=f"{load}.log"
        )
        for load in ("20", "30")
    ]
    assert [process.wait(120) for process in running] == [0, 0], [p.read_text() for p in home.root.glob("?0.log")]
    found = {}
    for folder in {path.parent for path in (home.root / "results").rglob("raw.jsonl")}:
        assert [name for name in names(folder) if (folder / name).is_file()] == FILES
        (load,) = {one["batch_size"] for one in raw(folder)}
        assert len(raw(folder)) == load
        assert (folder / "summary.csv").read_text().splitlines()[1].split(",")[3] == str(load)
        found[load] = (folder / "log.md").read_text()
    assert sorted(found) == [20, 30]
    for record in home.records():
        assert f"Record: {record['record_id']}" in found[record["spec"]["n"]]
    # Whoever was second is told where they went.
    said = "".join((home.root / f"{load}.log").read_text() for load in (20, 30))
    for folder in (home.root / "results").iterdir():
        assert folder.is_file() or folder.name in said


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_measured(
    home: Home, service: Address, small_disk: Callable[[int], SmallDisk]
) -> None:
    disk = small_disk(1)
    disk.make_read_only()
    done = home.perfdb("run", "scaling", service.url, *QUICK, "--output-dir", str(disk.path / "results"))
    assert done.returncode == 1
    assert "results cannot be written to: read-only file system. Nothing was measured" in " ".join(done.stderr.split())
    assert "--output-dir" in done.stderr
    assert "load 20: " not in done.stderr
    assert (home.records(), home.journals()) == ([], [])


def test_a_full_disk_costs_no_record_and_the_next_sync_writes_the_files(
    home: Home, service: Address, small_disk: Callable[[int], SmallDisk]
) -> None:
    disk = small_disk(1)
    disk.fill()
    out = disk.path / "results"
    done = home.perfdb("run", "scaling", service.url, *QUICK, "--output-dir", str(out))
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "no space left on device" in said
    assert "The record is safe" in said
    assert "Traceback" not in done.stderr
    (record,) = home.records()
    assert record["status"] == "ok"
    assert not list(disk.path.rglob("*.jsonl"))
    disk.free(1 << 18)
    told = json.loads(home.perfdb("sync", "--json").stdout)
    assert told["troubles"] == []
    assert names(out) == FILES
    assert len(raw(out)) == 20
    assert [one["record_id"] for one in home.records()] == [record["record_id"]]
    assert home.journals() == []
    assert shlex.quote(service.url) in (out / "log.md").read_text()

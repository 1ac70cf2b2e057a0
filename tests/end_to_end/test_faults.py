"""Disks that fill up, registries that can't be written, an MLflow that is not there: no number is lost."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import QUICK, THREADS, Home, nothing_done, wait_for_line


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 24 MB. Only root may mount one, and CI is root."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    mount = tmp_path / "disk"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(mount)], check=True)
    yield mount
    subprocess.run(["umount", "--lazy", str(mount)], check=True)


def fill(disk: Path) -> None:
    """Leave not a byte."""
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            return


def test_a_full_disk_is_told_before_anything_is_measured(small_disk: Path) -> None:
    home = Home(small_disk)
    fill(small_disk)
    done = home.perf(THREADS, *QUICK)
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert "Nothing was measured" in done.stderr
    assert "Traceback" not in done.stderr
    assert home.journals() == []


def test_a_disk_that_fills_up_meanwhile_costs_no_number(small_disk: Path, tmp_path: Path) -> None:
    """MLflow's database and Parsl's logs lie elsewhere: they are no truth to be kept."""
    home = Home(
        small_disk, env={"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db", "PERFDB_WORK_DIR": str(tmp_path)}
    )
    process = home.start("run-parsl-perf.py", THREADS, "--time", "3", "--reps", "1", log="../started.log")
    wait_for_line(process, tmp_path / "started.log", "rep-1: iteration 2")
    fill(small_disk)
    assert process.wait(120) == 0, (tmp_path / "started.log").read_text()
    (record,) = home.records()
    assert record["status"] == "ok"
    assert [m for m in record["metrics"] if m["name"] == "task_latency_p50_s"]


def test_a_registry_that_cannot_be_written_at_the_end_loses_nothing(home: Home) -> None:
    process = home.start("run-parsl-perf.py", THREADS, *QUICK, "--no-probe")
    wait_for_line(process, home.root / "started.log", "rep-1: iteration 2")
    (home.root / "mlruns").rmdir()
    (home.root / "mlruns").write_text("in the way")
    assert process.wait(120) == 1
    told = (home.root / "started.log").read_text()
    assert "perfdb sync" in told
    assert "Traceback" not in told
    (home.root / "mlruns").unlink()
    report = json.loads(home.perfdb("sync", "--json").stdout)
    (record,) = home.records()
    assert report["recovered"] == [record["record_id"]]
    assert record["status"] == "ok"  # it had ended well; only its record could not be written


def test_a_read_only_registry_is_told_with_what_to_do(home: Home, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a read-only file system takes root")
    registry = tmp_path / "readonly"
    registry.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(registry)], check=True)
    try:
        home.env["PERFDB_REGISTRY"] = str(registry)
        done = home.perf(THREADS, *QUICK)
    finally:
        subprocess.run(["umount", "--lazy", str(registry)], check=True)
    assert done.returncode == 1
    assert "read-only" in done.stderr
    assert "PERFDB_REGISTRY" in done.stderr
    assert home.journals() == []


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A stand-in: it takes connections and never answers, as a hung server does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held = []
        listener.settimeout(0.2)
        over = threading.Event()

        def hold() -> None:
            while not over.is_set():
                try:
                    held.append(listener.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=hold)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        thread.join()
        for connection in held:
            connection.close()


@pytest.mark.parametrize("kind", ["refuses", "is silent"])
def test_an_mlflow_that_is_down_costs_a_warning_and_sync_brings_the_rest(
    home: Home, silent_server: str, kind: str
) -> None:
    home.env["MLFLOW_TRACKING_URI"] = "http://127.0.0.1:9" if kind == "refuses" else silent_server
    done = home.perf(THREADS, *QUICK, "--no-probe")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("warning:") == 1
    assert "perfdb sync" in done.stderr
    assert "Traceback" not in done.stderr
    (record,) = home.records()
    del home.env["MLFLOW_TRACKING_URI"]
    told = json.loads(home.perfdb("sync", "--json").stdout)
    assert told == nothing_done(0) | {"sent": 1, "charted": 1}
    assert home.journals() == []
    assert record["status"] == "ok"


def test_a_password_in_the_tracking_uri_is_shown_to_nobody(home: Home) -> None:
    home.env["MLFLOW_TRACKING_URI"] = "http://someone:fake-hunter2@127.0.0.1:9"
    done = home.perf(THREADS, *QUICK, "--no-probe")
    assert "warning:" in done.stderr
    assert "fake-hunter2" not in done.stdout + done.stderr
    assert all(
        "fake-hunter2" not in p.read_text(errors="replace") for p in (home.root / "mlruns").rglob("*") if p.is_file()
    )


def test_the_wall_time_lost_to_a_dead_mlflow_is_bounded(home: Home) -> None:
    """Not a speed claim: a hang of minutes, as MLflow's own client has it, would show here."""
    home.env["MLFLOW_TRACKING_URI"] = "http://127.0.0.1:9"
    begun = time.monotonic()
    done = home.perf(THREADS, "--iterate", "10,20", "--reps", "1", "--no-probe", "--no-server")
    assert done.returncode == 4
    assert time.monotonic() - begun < 60


def test_perfdb_doctor_finds_everything_in_order_and_says_what_is_not(home: Home) -> None:
    done = home.perfdb("doctor", "parsl", "disk", "--json")
    assert done.returncode == 0, done.stdout
    points = {point["name"]: point for point in json.loads(done.stdout)}
    assert points["parsl-perf"]["status"] == "ok"
    home.env["PERFDB_REGISTRY"] = os.devnull + "/registry"
    done = home.perfdb("doctor", "disk", "--json")
    assert done.returncode == 1
    assert {p["name"]: p for p in json.loads(done.stdout)}["registry"]["status"] == "fix"

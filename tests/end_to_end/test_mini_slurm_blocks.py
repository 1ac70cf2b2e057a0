"""Parsl's blocks on mini-slurm: the whole product on a machine without a cluster."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from perfdb.minislurm.places import Places
from perfdb.minislurm.states import State
from perfdb.minislurm.store.reading import Reader
from tests.end_to_end.conftest import BIN, CHECKOUT, Home

CONFIG = str(CHECKOUT / "parsl-configs" / "minislurm_htex.py")


@contextmanager
def scheduler(home: Home) -> Iterator[Places]:
    """A scheduler of the test's own, with as many CPUs as the config has blocks, until the block ends."""
    places = Places(home.root / "mini")
    places.home.mkdir()
    home.env["MINI_SLURM_HOME"] = str(places.home)
    with subprocess.Popen(
        [BIN / "mini-slurm", "scheduler", "--cpus", "2", "--overcommit"],
        env=home.environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        assert running.stderr.readline()  # it is ready
        try:
            yield places
        finally:
            running.send_signal(signal.SIGTERM)
            _, said = running.communicate(timeout=30)
    assert running.returncode in (0, 130), said


def blocks(places: Places) -> list[Any]:
    with Reader(places) as reader:
        return [reader.job(row.id) for row in reader.queue(all=True)]


def kept_jobs(home: Home) -> list[dict[str, Any]]:
    (folder,) = home.folders
    jobs: list[dict[str, Any]] = json.loads((folder / "artifacts/jobs.json").read_text())["jobs"]
    return jobs


def test_throughput_on_mini_slurm_has_the_jobs_own_times_and_leaves_no_block(home: Home) -> None:
    with scheduler(home) as places:
        done = home.perfdb("run", "throughput", CONFIG, "--set", "time=1.5", "--reps", "1", "--no-probe", "--no-server")
        assert done.returncode == 0, done.stdout + done.stderr
        assert {job.state for job in blocks(places)} <= {State.CANCELLED, State.COMPLETED}
    (record,) = home.records()
    assert record["status"] == "ok"
    assert record["environment"]["scheduler"] == "mini-slurm"
    assert record["environment"]["scheduler_settings"]["cpus"] == "2"
    values = {metric["name"]: metric["values"][0] for metric in record["metrics"] if "values" in metric}
    assert 0 <= values["queue_wait_s"] < values["cold_start_s"]
    assert {stamp["resolution_s"] for job in kept_jobs(home) for stamp in job.values() if isinstance(stamp, dict)} == {
        1e-6
    }
    assert home.perfdb("validate").returncode == 0


def test_autoscale_on_mini_slurm_takes_blocks_from_zero_and_gives_them_back(home: Home) -> None:
    with scheduler(home) as places:
        asked = ("--rounds", "1", "--blocks", "2", "--set", "tasks=4", "--set", "task_s=1", "--no-server")
        done = home.perfdb("run", "autoscale", CONFIG, *asked, timeout=240)
        assert done.returncode == 0, done.stdout + done.stderr
        ended = blocks(places)
        assert {job.state for job in ended} <= {State.CANCELLED, State.COMPLETED}
        assert all(job.name.startswith("parsl.") for job in ended)
    (record,) = home.records()
    assert record["status"] == "ok"
    values = {metric["name"]: metric["values"] for metric in record["metrics"] if "values" in metric}
    assert values["acquired_nodes"] == [2]
    assert record["params"]["config.strategy"] == "htex_auto_scale"
    told = {stamp["source"] for job in kept_jobs(home) for stamp in job.values() if isinstance(stamp, dict)}
    assert told == {f"mini-slurm's database: {what}" for what in ("submitted", "allocated", "started", "ended")}


def test_a_run_without_a_scheduler_says_what_to_type(home: Home) -> None:
    places = Places(home.root / "mini")
    places.home.mkdir()
    home.env["MINI_SLURM_HOME"] = str(places.home)
    done = home.perfdb(
        "run", "throughput", CONFIG, "--set", "time=2", "--reps", "1", "--no-probe", "--no-server", timeout=60
    )
    assert done.returncode == 1
    assert "mini-slurm scheduler" in done.stderr
    assert "Traceback" not in done.stderr

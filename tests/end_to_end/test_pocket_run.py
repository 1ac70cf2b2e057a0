"""Throughput on a real Slurm: the wait in the queue apart from the start-up, and the jobs' own times in the record."""

from __future__ import annotations

import getpass
import json
import re
import socket
from typing import Any

import pytest

from tests.end_to_end.conftest import CHECKOUT, Home
from tests.platforms.clusters import pocket

POCKET = str(CHECKOUT / "parsl-configs" / "slurm_pocket.py")


def run_on(cluster: Any, home: Home) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The record of a run of two seconds an iteration, and its jobs."""
    home.env |= cluster.env
    done = home.perfdb("run", "throughput", POCKET, "--set", "time=2", "--reps", "1", "--no-probe", "--no-server")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = home.folders
    return json.loads((folder / "record.json").read_text()), json.loads((folder / "artifacts/jobs.json").read_text())[
        "jobs"
    ]


def values(record: dict[str, Any]) -> dict[str, float]:
    return {metric["name"]: metric["values"][0] for metric in record["metrics"] if "values" in metric}


def seconds(job: dict[str, Any], first: str, last: str) -> float:
    """Between two of its milestones, all on one day."""
    minutes, rest = (job[name]["at"].split(":")[1:] for name in (first, last))
    return ((float(rest[0]) - float(minutes[0])) * 60 + float(rest[1][:-1]) - float(minutes[1][:-1])) % 3600


def test_a_job_that_waits_for_its_node_waits_in_the_queue_and_not_in_the_start_up(home: Home) -> None:
    with pocket("plain", nodes=1) as cluster:
        cluster.submit("sleep 8", "--exclusive")
        record, jobs = run_on(cluster, home)
        assert cluster.active() == []
    value = values(record)
    first = min((job for job in jobs if "started" in job), key=lambda job: job["started"]["at"])
    assert value["queue_wait_s"] == pytest.approx(seconds(first, "pending", "started"), abs=0.002)
    assert value["queue_wait_s"] > 1.0
    assert value["start_up_s"] == pytest.approx(value["cold_start_s"] - value["queue_wait_s"])
    assert 0 < value["start_up_s"] < value["cold_start_s"]
    assert (record["environment"]["scheduler"], record["params"]["provider.partition"]) == ("slurm", "pocket")
    assert record["environment"]["scheduler_version"][0].isdigit()
    settings = record["environment"]["scheduler_settings"]
    assert (settings["SchedulerType"], settings["partition.TotalNodes"]) == ("sched/backfill", "1")
    assert "boot_s" not in settings
    words = set(re.split(r"[^A-Za-z0-9-]+", " ".join(settings.values())))
    assert words.isdisjoint({socket.gethostname(), getpass.getuser(), "tmp", "usr", "perfdb"})
    assert first["boots"] == []
    assert {stamp["resolution_s"] for job in jobs for stamp in job.values() if isinstance(stamp, dict)} == {0.001}


def test_on_nodes_that_boot_the_boots_are_in_the_record_and_no_node_is_named(home: Home) -> None:
    with pocket("cloud", nodes=2, cloud=True, boot_s=1.0) as cluster:
        record, jobs = run_on(cluster, home)
        assert cluster.active() == []
    started = [job for job in jobs if "started" in job]
    assert started
    for job in started:
        (boot,) = job["boots"]
        assert [boot["node"]] == job["nodes"]
        assert len(boot["node"]) == 12
        assert job["allocated"]["at"] <= boot["asked"]["at"] < boot["registered"]["at"] <= job["started"]["at"]
    assert values(record)["queue_wait_s"] > 1.0
    assert record["environment"]["scheduler_settings"]["boot_s"] == "1"
    assert home.perfdb("validate").returncode == 0

"""MLFLOW_TRACKING_URI names a server: the run shows there as running, and ends there with its record."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.conftest import QUICK, THREADS, Home, wait_for_line

# Long enough for a look at the server meanwhile.
WATCHED = ("--time", "3", "--reps", "1", "--no-server", "--no-probe")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MLflow server, as a site may run one."""
    home = Home(tmp_path_factory.mktemp("server"))
    started = json.loads(home.perfdb("server", "start", "--json").stdout)
    yield started["url"]
    assert home.perfdb("server", "stop").stdout == "stopped\n"
    assert home.processes() == []


def runs(server: str) -> list[dict[str, Any]]:
    """Every run of every experiment there."""

    def ask(path: str, question: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{server}/api/2.0/mlflow/{path}", json.dumps(question).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))

    experiments = ask("experiments/search", {"max_results": 100})["experiments"]
    ids = [experiment["experiment_id"] for experiment in experiments]
    return list(ask("runs/search", {"experiment_ids": ids, "max_results": 1000}).get("runs", []))


def named(server: str, name: str) -> dict[str, Any]:
    """The one run of that name."""
    (run,) = [run for run in runs(server) if run["info"]["run_name"] == name]
    return run


def test_a_run_shows_as_running_while_it_measures_and_nothing_is_sent_meanwhile(untouched: Home, server: str) -> None:
    untouched.env["MLFLOW_TRACKING_URI"] = server
    process = untouched.start("run-parsl-perf.py", THREADS, "on a server", *WATCHED)
    wait_for_line(process, untouched.root / "started.log", "rep-1: iteration 2")
    during = named(server, "on a server")
    assert during["info"]["status"] == "RUNNING"
    assert "metrics" not in during["data"]
    assert process.wait(120) == 0
    after = named(server, "on a server")
    assert after["info"]["run_id"] == during["info"]["run_id"]
    assert after["info"]["status"] == "FINISHED"
    assert f"{server}/#/experiments/" in (untouched.root / "started.log").read_text()
    assert not (untouched.root / ".perfdb" / "mlflow.db").exists()
    assert not (untouched.root / ".perfdb" / "server.json").exists()


@pytest.mark.parametrize(
    ("how", "status"), [(signal.SIGINT, "KILLED"), (signal.SIGKILL, "KILLED")], ids=["ctrl-c", "sigkill and sync"]
)
def test_an_ended_run_does_not_stay_running(home: Home, server: str, how: signal.Signals, status: str) -> None:
    home.env["MLFLOW_TRACKING_URI"] = server
    name = f"ended by {how.name}"
    process = home.start("run-parsl-perf.py", THREADS, name, "--time", "60", "--reps", "1")
    wait_for_line(process, home.root / "started.log", "rep-1: iteration 2")
    assert named(server, name)["info"]["status"] == "RUNNING"
    process.send_signal(how)
    process.wait(60)
    told = json.loads(home.perfdb("sync", "--json").stdout)
    assert told["troubles"] == []
    assert named(server, name)["info"]["status"] == status


def test_a_failed_run_is_failed_there(home: Home, server: str) -> None:
    home.env["MLFLOW_TRACKING_URI"] = server
    done = home.perf(THREADS, "that fails", "--reps", "1", "--resources", "{'cores': 1}")
    assert done.returncode == 3
    assert named(server, "that fails")["info"]["status"] == "FAILED"


def test_records_made_without_a_server_are_brought_there_once(home: Home, server: str) -> None:
    assert home.perf(THREADS, "brought later", *QUICK, "--no-probe").returncode == 0
    home.env["MLFLOW_TRACKING_URI"] = server
    first, second = (json.loads(home.perfdb("sync", "--json").stdout) for _ in range(2))
    assert (first["sent"], first["unchanged"]) == (1, 0)
    assert (second["sent"], second["unchanged"]) == (0, 1)
    assert named(server, "brought later")["info"]["status"] == "FINISHED"


def test_a_server_that_dies_while_we_measure_costs_a_warning(
    home: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = Home(tmp_path_factory.mktemp("dying"))
    started = json.loads(site.perfdb("server", "start", "--json").stdout)
    home.env["MLFLOW_TRACKING_URI"] = started["url"]
    process = home.start("run-parsl-perf.py", THREADS, *WATCHED)
    wait_for_line(process, home.root / "started.log", "rep-1: iteration 2")
    for victim in site.processes():
        victim.kill()
    begun = time.monotonic()
    assert process.wait(120) == 0
    told = (home.root / "started.log").read_text()
    assert told.count("warning:") == 1
    assert "perfdb sync" in told
    assert time.monotonic() - begun < 60  # MLflow's own client would hang for minutes
    assert len(home.records()) == 1

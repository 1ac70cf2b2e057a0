"""`perfdb run schedulers` as a user types it: a real Slurm, a real mini-slurm and the simulator, each on a list of seconds."""

from __future__ import annotations

import csv
from typing import Any

import psutil

from tests.end_to_end.conftest import Home

ASKED = ("run", "schedulers", "--no-server")
# On a machine that others use as well, jobs may be submitted late.
OF_THE_MACHINE = {"equal_load"}


def values(record: dict[str, Any]) -> dict[str, list[float]]:
    return {metric["name"]: metric.get("values") or [metric["value"]] for metric in record["metrics"]}


def failed(record: dict[str, Any]) -> set[str]:
    return {check["name"] for check in record["checks"] if not check["passed"]}


def is_left_alone(home: Home) -> None:
    """Nothing of it runs, or waits to be filed, and what is filed is sound."""
    _, alive = psutil.wait_procs(home.processes(), timeout=60)
    assert alive == []
    assert home.journals() == []
    assert home.perfdb("validate").returncode == 0


def test_backfill_is_set_against_strict_order_on_a_real_slurm(home: Home) -> None:
    done = home.perfdb(*ASKED, "clog", "--arms", "slurm:backfill,slurm:builtin", "--iters", "2", "--compress", "5")
    (record,) = home.records()
    assert failed(record) <= OF_THE_MACHINE, done.stderr
    found = values(record)
    assert all(builtin > backfill for backfill, builtin in zip(found["arm1_wait_s"], found["arm2_wait_s"], strict=True))
    assert found["arm1_completed_share"] == found["arm2_completed_share"] == [1.0, 1.0]
    artifacts = {artifact["file"].partition(".")[2] for artifact in record["artifacts"]}
    assert {"slurm.conf", "slurmctld.log", "nodes.txt"} <= artifacts
    (clog,) = [finding for finding in record["findings"] if finding["name"] == "arm2_clog"]
    assert "job 2 (wide), which asks for 4 nodes of 4" in clog["evidence"]
    assert "iter 2/2, slurm:builtin: 7 jobs over" in done.stderr
    is_left_alone(home)


def test_what_is_simulated_says_so_beside_what_was_measured(home: Home) -> None:
    arms = ("--arms", "mini-slurm,simulated:easy", "--iters", "2", "--compress", "10", "--outdir", "out")
    done = home.perfdb(*ASKED, "size-2", *arms)
    (record,) = home.records()
    assert failed(record) <= OF_THE_MACHINE, done.stderr
    assert (done.returncode == 0) == (record["status"] == "ok")
    assert len(values(record)["simulated_arm2_less_arm1_makespan_s"]) == 2
    with (home.root / "out" / "table.csv").open() as file:
        assert [(row["scheduler"], row["made"]) for row in csv.DictReader(file)] == [
            ("mini-slurm", "measured"),
            ("simulated:easy", "simulated"),
        ]
    assert "simulated:easy (simulated)" in done.stdout
    assert home.perfdb("report", "site").returncode == 0
    (page,) = (home.root / "site").rglob(f"*{record['record_id']}*.html")
    assert "simulated arm2" in page.read_text()
    is_left_alone(home)


def test_runs_of_the_simulator_are_compared_like_any_other(home: Home) -> None:
    (home.root / "own.toml").write_text(
        "[[jobs]]\ncount = 4\nnodes = 3\nrun_s = 100\n[[jobs]]\ncount = 4\nnodes = 1\nrun_s = 50\n"
    )
    for arms in ("simulated:fifo", "simulated:easy"):
        done = home.perfdb(*ASKED, "own.toml", "--arms", arms, "--iters", "1", "--name", arms.partition(":")[2])
        assert done.returncode == 0, done.stderr
    first, second = home.records()
    assert first["params"]["workload.sha256"] == second["params"]["workload.sha256"]
    compared = home.perfdb("compare", first["record_id"], second["record_id"])
    assert compared.returncode == 0, compared.stderr
    assert "simulated_arm1_makespan_s" in compared.stdout
    _, *listed = home.perfdb("list").stdout.splitlines()
    assert [line.rstrip().endswith(", simulated") for line in listed] == [True, True]
    assert "simulated:fifo" in compared.stdout
    is_left_alone(home)


def test_what_cannot_be_had_is_refused_in_a_paragraph(home: Home) -> None:
    for words, told in (
        (("clgo",), "clog"),
        (("clog", "--arms", "kubernetes:default"), "--yes"),
    ):
        done = home.perfdb(*ASKED, *words)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
        assert "Traceback" not in done.stderr
    assert home.records() == []
    assert home.journals() == []

"""`perfdb run autoscale` on a real Slurm whose nodes boot, with a delay of known length planted.

A round or two are no proof of a stage's noise: `benchmarks/acquisition.py` has enough of them to tell.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from perfdb.platforms.pocket import Options
from tests.end_to_end.conftest import Home
from tests.end_to_end.pocket_faults import autoscale, config, kept_jobs, pocket, samples

BOOT_S, PLANTED_S = 2.0, 3.0
AT_WORK = f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"


def measured(home: Home, target: str, **spec: float) -> dict[str, Any]:
    """The record of a good run, of two nodes a round."""
    asked = {"acquire_timeout_s": 90, "release_timeout_s": 90} | spec
    code, said = autoscale(home, target, **asked).end(240)
    assert code == 0, said
    (record,) = home.records()
    assert record["status"] == "ok"
    assert [check["name"] for check in record["checks"] if not check["passed"]] == []
    return record


def values(record: dict[str, Any]) -> dict[str, list[float]]:
    return {metric["name"]: metric["values"] for metric in record["metrics"] if "values" in metric}


def test_a_boot_and_a_delay_in_worker_init_stand_each_in_its_own_stage_and_no_boot_where_nodes_are_up(
    home: Home,
) -> None:
    with pocket("acquired", Options(nodes=3, cloud=True, boot_s=BOOT_S)) as cluster:
        found = values(measured(home, config(home, cluster, worker_init=f"{AT_WORK}\nsleep {PLANTED_S:g}")))
    assert found["acquired_nodes"] == [2]
    assert found["warm_acquired_nodes"] == [2]
    assert BOOT_S <= found["stage_node_booted_s"][0] <= BOOT_S + 2
    assert found["warm_stage_node_booted_s"] == [0]
    for kind in ("", "warm_"):
        assert found[f"{kind}stage_pool_started_s"][0] == pytest.approx(PLANTED_S, abs=0.5)
        assert found[f"{kind}stage_script_started_s"][0] < 1
    for row in (rows := samples(home)):
        if row["quantity"] == "clocked_total":
            (received,) = (
                other["value_s"]
                for other in rows
                if other["quantity"] == "result_received"
                and all(other[name] == row[name] for name in ("kind", "round", "block", "ordinal"))
            )
            assert received == pytest.approx(row["value_s"], abs=0.001)
    assert {job["ended"]["source"] for job in kept_jobs(home)} == {"slurmctld.log, nodes given back"}

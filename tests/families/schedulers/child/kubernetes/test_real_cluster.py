"""The one test on a real cluster: the one that KUBECONFIG names. It makes a namespace, two jobs of a second, and deletes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from perfdb.families.schedulers.child.kubernetes import names
from perfdb.families.schedulers.child.kubernetes.server import connect
from tests.families.schedulers.child.kubernetes.child import Child, plan


@pytest.mark.skipif(not os.environ.get("KUBECONFIG"), reason="KUBECONFIG names no cluster of which two nodes are free")
def test_a_real_cluster_runs_two_jobs_and_keeps_nothing_of_them(tmp_path: Path) -> None:
    child = Child(Path(os.environ["KUBECONFIG"]), tmp_path, plan(jobs=2, compress=3.0, nodes=2, patience_s=300.0))
    told = child.told()
    assert (told.end.outcome, told.end.trouble, told.end.left) == ("all", None, "")
    assert {job.state for job in told.jobs.values()} == {"COMPLETED"}
    assert told.begin.clock.uncertainty_s <= 0.1
    left, _ = connect().list("/api/v1/namespaces", names.LABEL)
    assert left == []

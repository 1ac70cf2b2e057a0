"""Whose clusters and jobs are whose."""

from __future__ import annotations

import subprocess
import sys

from perfdb.platforms.pocket.places import NAME
from tests.families.schedulers.child.slurm.arms import CHILD, child_module

names = child_module("names")
_SAY = "import sys; sys.path.insert(0, sys.argv[1]); import names; print(names.of_cluster(), names.of_jobs())"


def test_a_cluster_and_jobs_are_orphaned_once_their_process_is_gone() -> None:
    said = subprocess.run(
        [sys.executable, "-c", _SAY, str(CHILD / "slurm")], capture_output=True, text=True, check=True
    )
    cluster, jobs = said.stdout.split()
    assert NAME.fullmatch(cluster)
    assert names.is_orphaned_cluster(cluster) and names.are_orphaned_jobs(jobs)
    assert not names.is_orphaned_cluster(names.of_cluster()) and not names.are_orphaned_jobs(names.of_jobs())


def test_a_number_that_another_process_has_by_now_does_not_save_an_orphan() -> None:
    assert names.is_orphaned_cluster(names.of_cluster() + "1") and names.are_orphaned_jobs(names.of_jobs() + "1")


def test_what_somebody_named_is_nobodys_orphan() -> None:
    assert not any(map(names.is_orphaned_cluster, ("pocket", "sched", "sched1", "sched1_2_3", "my_sched99999_1")))
    elsewhere = "perfdb-schedulers-another-00000000-1-1"
    assert not any(map(names.are_orphaned_jobs, ("sleep", elsewhere, "perfdb-elastic-here-00000000-1-1")))

"""What a job of the list is at Slurm."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from perfdb.families.schedulers.workload.job import WorkJob
from tests.families.schedulers.child.slurm.arms import child_module

script = child_module("script")


def job(**fields: float) -> WorkJob:
    return WorkJob.model_validate(
        {"job": 1, "arrival_s": 0.0, "nodes": 2, "run_s": 3.0, "limit_s": 60.0, "experiment": "size-2", **fields}
    )


def words(folder: Path, of: WorkJob, work: str = "sleep", **cluster: object) -> list[str]:
    given = {"name": "ours", "preempt": "off", "others": ()} | cluster
    found: list[str] = script.Scripts(SimpleNamespace(**given), work, str(folder)).words(of, 1)
    return found


def test_a_limit_is_rounded_up_to_whole_minutes(tmp_path: Path) -> None:
    assert [script.minutes(job(limit_s=limit_s)) for limit_s in (0.5, 60, 60.001, 120)] == [1, 1, 2, 2]
    assert "--time=2" in words(tmp_path, job(limit_s=61))


def test_only_where_jobs_are_preempted_the_user_decides_on_the_partition(tmp_path: Path) -> None:
    assert not [word for word in words(tmp_path, job(user=1)) if word.startswith("--partition")]
    assert "--partition=low" in words(tmp_path, job(user=2), preempt="suspend")
    assert "--partition=high" in words(tmp_path, job(user=3), preempt="suspend")


def test_only_where_jobs_are_requeued_they_may_be(tmp_path: Path) -> None:
    assert "--no-requeue" in words(tmp_path, job()) and "--no-requeue" in words(tmp_path, job(), preempt="suspend")
    assert "--requeue" in words(tmp_path, job(), preempt="requeue")


def test_nodes_beyond_those_asked_for_are_left_alone(tmp_path: Path) -> None:
    assert "--exclude=n4,n5" in words(tmp_path, job(), others=("n4", "n5"))


def test_jobs_that_need_a_program_that_is_not_there_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(script.Missing, match="lmp and mpirun is not on PATH"):
        words(tmp_path, job(), work="lammps")


def test_a_lammps_job_has_a_rank_for_each_node_and_steps_for_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lmp", "mpirun"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    wrapped = words(tmp_path, job(run_s=3.0), work="lammps")[-1]
    assert "mpirun -np 2 lmp " in wrapped and "-var steps 600 " in wrapped
    assert "run ${steps}" in (tmp_path / "melt.in").read_text()

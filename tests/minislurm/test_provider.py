"""Parsl's provider for mini-slurm, asked as Parsl asks it. What needs a scheduler is in tests/end_to_end."""

from __future__ import annotations

from pathlib import Path

import pytest
from parsl.jobs.states import JobState
from parsl.launchers import SimpleLauncher
from parsl.providers.errors import SubmitException

from perfdb.minislurm.places import Places
from perfdb.minislurm.provider import MiniSlurmProvider
from perfdb.minislurm.store.reading import Reader


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MiniSlurmProvider:
    monkeypatch.setenv("MINI_SLURM_HOME", str(tmp_path))
    made = MiniSlurmProvider(
        cores_per_node=2, mem_per_node=0.5, walltime="01:02:03", worker_init="module load x", launcher=SimpleLauncher()
    )
    made.script_dir = str(tmp_path)
    return made


def test_a_block_is_a_job_of_that_size_and_length_whose_script_runs_the_workers(provider: MiniSlurmProvider) -> None:
    job_id = provider.submit("start_the_workers", tasks_per_node=1, job_name="parsl.htex.block-0")
    with Reader(Places.here()) as reader:
        job = reader.job(int(job_id))
    assert job is not None
    assert (job.cpus, job.mem_mb, job.limit_s, job.is_elastic) == (2, 512, 3723.0, False)
    assert job.name.startswith("parsl.htex.block-0.")
    assert (job.stdout, job.stderr) == (f"{job.argv[1]}.stdout", f"{job.argv[1]}.stderr")
    lines = Path(job.argv[1]).read_text().splitlines()
    assert lines == ["export PARSL_CORES=2", "export PARSL_MEMORY_GB=0.5", "module load x", "start_the_workers"]


def test_a_block_waits_then_is_cancelled_and_one_that_is_forgotten_is_missing(provider: MiniSlurmProvider) -> None:
    job_id = provider.submit("true", tasks_per_node=1)
    assert [status.state for status in provider.status([job_id])] == [JobState.PENDING]
    assert provider.cancel([job_id]) == [True]
    assert [status.state for status in provider.status([job_id])] == [JobState.CANCELLED]
    Places.here().database.unlink()
    other = provider.submit("true", tasks_per_node=1)
    provider.resources["77"] = provider.resources[other]
    assert [status.state for status in provider.status([other, "77"])] == [JobState.PENDING, JobState.MISSING]
    assert provider.cancel(["77"]) == [False]


def test_a_database_that_is_not_ours_makes_the_state_unknown_and_refuses_blocks(provider: MiniSlurmProvider) -> None:
    job_id = provider.submit("true", tasks_per_node=1)
    for leftover in Places.here().home.glob(".mini_slurm.db*"):
        leftover.unlink()
    Places.here().database.write_bytes(b"not a database" * 100)
    assert [status.state for status in provider.status([job_id])] == [JobState.UNKNOWN]
    assert provider.cancel([job_id]) == [False]
    with pytest.raises(SubmitException):
        provider.submit("true", tasks_per_node=1)


def test_more_than_one_node_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="set it to 1"):
        MiniSlurmProvider(nodes_per_block=2)

"""A real cluster that is taken down and made anew numbers its jobs from 1 again: nobody's are taken for another's."""

from __future__ import annotations

import pytest

from perfdb.platforms.cancel import Left
from perfdb.platforms.slurm import SLURM
from perfdb.runner import recover
from perfdb.runner.leftovers import end_left, keep_left
from perfdb.runner.syncing import sync_all
from tests.families.throughput.outputs import setup
from tests.platforms.clusters import pocket, within
from tests.runner.journals import journal_of, log_bytes
from tests.runner.test_lab import Observer
from tests.runner.test_recover import of_the_dead

OURS, THEIRS = "parsl.htex.block-0.1763692080.5", "parsl.htex.block-0.1763699999.5"
RUN = "f" * 32


@pytest.fixture
def speak_to(monkeypatch):
    """Have perfdb's commands speak to a cluster."""

    def do(cluster):
        for name, value in cluster.env.items():
            monkeypatch.setenv(name, value)
        return cluster

    return do


class Listening(Observer):
    """Keeps what it is told."""

    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)


def test_a_job_with_the_id_of_one_that_is_gone_with_its_cluster_is_left_alone(settings, speak_to):
    settings.state_path.mkdir()
    with pocket("anew", nodes=1) as cluster:
        speak_to(cluster)
        gone = cluster.submit("sleep 600", f"--job-name={OURS}")
        keep_left(settings.state_path, RUN, [Left(platform="slurm", job_ids=(gone,), names=(OURS,))])
        keep_left(settings.state_path, "e" * 32, [Left(platform="slurm", job_ids=(gone,), names=(OURS,))])
    elsewhere = (settings.state_path / "left" / f"{'e' * 32}.json").rename(settings.root / "aside.json")
    observer = Listening()
    assert sync_all(settings, observer, with_mlflow=False).troubles == []
    assert observer.said == [
        f"the cluster jobs of the run ffffffff that could not be cancelled when it ended are gone with their cluster: {gone}"
    ]
    elsewhere.rename(settings.state_path / "left" / elsewhere.name)
    with pocket("anew", nodes=1) as cluster:
        theirs = cluster.submit("sleep 600", f"--job-name={THEIRS}")
        assert theirs == gone
        said = []
        assert end_left(settings.state_path, said.append) == ()
        assert cluster.active() == [theirs]
        assert said[0].endswith(f"are over, or cancelled now: {gone}")
    assert not list((settings.state_path / "left").iterdir())


@pytest.mark.parametrize(("name", "state"), [(THEIRS, None), (OURS, "COMPLETED")])
def test_a_killed_run_gets_the_times_of_its_own_jobs_alone(settings, speak_to, name, state):
    journal = of_the_dead(journal_of(settings, log_bytes(), closed=False))
    journal.write("setup.json", setup(provider="SlurmProvider").model_dump(mode="json"))
    run_dir = settings.work_path / journal.run / "rep-1" / "000"
    (run_dir / "submit_scripts").mkdir(parents=True)
    (run_dir / "submit_scripts" / OURS).touch()
    (run_dir / "parsl.log").write_text("INFO: Launched block 0 on executor htex with job ID 1\n")
    with pocket("anew", nodes=1) as cluster:
        speak_to(cluster)
        assert cluster.submit("true", f"--job-name={name}") == "1"
        within(20, lambda: SLURM.over(("1",)))
        (found,) = recover(settings)
        assert found.trouble is None
    (job,) = journal.read("logs/01-rep-1.jobs")
    assert (job["state"], job["pending"] is None) == (state, state is None)

"""Cluster jobs that a run could not cancel are kept in mind until they are gone, and nobody else's is touched."""

from __future__ import annotations

import json

import pytest

from perfdb.platforms.cancel import Left
from perfdb.runner.leftovers import CLUSTER_VARIABLES, end_left, keep_left
from perfdb.runner.syncing import sync_all
from tests.runner.test_lab import Observer

LEFT = Left(platform="slurm", job_ids=("4711", "4712"), names=("parsl.htex.block-0.1",))
RUN = "f" * 32


@pytest.fixture
def tried(monkeypatch, settings):
    """What was tried to be cancelled; `tried.stuck` is what that did not end, `tried.said` what was told."""

    class Tried(list):
        stuck = ()

    made = Tried()
    made.said = []
    monkeypatch.setattr("perfdb.runner.leftovers.cancel_left", lambda left: (made.append(left), made.stuck)[1])
    for name in CLUSTER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    settings.state_path.mkdir()
    return made


def note(settings):
    return settings.state_path / "left" / f"{RUN}.json"


def test_they_are_cancelled_by_id_and_name_and_then_forgotten(settings, tried):
    keep_left(settings.state_path, RUN, [LEFT])
    assert end_left(settings.state_path, tried.said.append) == ()
    assert tried == [LEFT]
    assert tried.said == [
        "the cluster jobs of the run ffffffff that could not be cancelled when it ended are over, or cancelled now: 4711, 4712"
    ]
    assert not note(settings).exists()
    assert end_left(settings.state_path, tried.said.append) == ()
    assert len(tried) == 1


def test_what_is_left_still_is_kept_and_told(settings, tried):
    keep_left(settings.state_path, RUN, [LEFT])
    tried.stuck = ("4712",)
    (trouble,) = end_left(settings.state_path, tried.said.append)
    assert RUN in trouble
    assert "4712. Is the scheduler there?" in trouble
    assert "4711" not in trouble
    assert note(settings).exists()


def test_what_several_children_left_is_kept_together(settings, tried):
    keep_left(settings.state_path, RUN, [LEFT])
    more = Left(platform="slurm", job_ids=("5",))
    keep_left(settings.state_path, RUN, [more])
    end_left(settings.state_path, tried.said.append)
    assert tried == [LEFT, more]


def test_sync_tries_and_tells(settings, tried):
    keep_left(settings.state_path, RUN, [LEFT])
    tried.stuck = LEFT.job_ids
    assert "4711, 4712" in "".join(sync_all(settings, Observer(), with_mlflow=False).troubles)
    tried.stuck = ()
    assert sync_all(settings, Observer(), with_mlflow=False).troubles == []
    assert not note(settings).exists()


def test_jobs_of_another_cluster_are_left_alone_and_the_way_to_it_is_told(settings, tried, monkeypatch, tmp_path):
    (tmp_path / "theirs.conf").touch()
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "theirs.conf"))
    keep_left(settings.state_path, RUN, [LEFT])
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "ours.conf"))
    (trouble,) = end_left(settings.state_path, tried.said.append)
    assert f"SLURM_CONF={tmp_path / 'theirs.conf'}" in trouble
    assert tried == []
    assert note(settings).exists()


def test_jobs_of_a_cluster_that_is_gone_are_gone_with_it(settings, tried, monkeypatch, tmp_path):
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))
    keep_left(settings.state_path, RUN, [LEFT])
    assert end_left(settings.state_path, tried.said.append) == ()
    assert tried == []
    assert "are gone with their cluster: 4711, 4712" in tried.said[0]
    assert not note(settings).exists()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"5",
        json.dumps({"left": [{"platform": "slurm", "job_ids": ["--user=root"]}], "cluster": {}}).encode(),
        json.dumps({"left": [{"platform": "slurm", "job_ids": ["1 2"]}], "cluster": {}}).encode(),
    ],
)
def test_a_damaged_note_is_told_and_cancels_nothing(settings, tried, text):
    keep_left(settings.state_path, RUN, [LEFT])
    note(settings).write_bytes(text)
    (trouble,) = end_left(settings.state_path, tried.said.append)
    assert trouble.endswith("then remove that file.")
    assert tried == []

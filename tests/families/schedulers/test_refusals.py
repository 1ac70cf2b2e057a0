"""What a run can't have is refused before anything of it runs, and says what can be had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perfdb.errors import UsageError
from perfdb.families.schedulers.events import MOST_JOB_LINES, MOST_JOB_ROWS
from perfdb.families.schedulers.refusals import refuse_or_describe, refuse_what_cannot_be_told
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.workload.job import WorkJob
from perfdb.families.schedulers.workload.load import Loaded, Source
from perfdb.platforms.pocket import places as pocket
from perfdb.processes.event_log import LONGEST_LOG
from tests.families.schedulers.test_measure import StandInLab

JOB = WorkJob(job=1, arrival_s=0, nodes=1, run_s=1, limit_s=60, user=0, experiment="size-1")
SOURCE = Source("list", "/somewhere/list.toml", "toml", b"")


def told(jobs: int, source: Source = SOURCE, **spec: object) -> None:
    found = Loaded(source, (JOB,) * jobs, (), None)
    refuse_what_cannot_be_told(found, SchedulersSpec.model_validate(spec))


def test_a_list_has_as_many_jobs_as_its_children_can_tell_of() -> None:
    simulated, measured = {"arms": "simulated:fifo"}, {"arms": "simulated:fifo,mini-slurm"}
    told(MOST_JOB_ROWS, **simulated)
    told(MOST_JOB_LINES // 2, **measured, batches=2)
    with pytest.raises(UsageError, match=r"100,001 jobs are .*a simulated arm .*100,000\. Give --jobs 100000\."):
        told(MOST_JOB_ROWS + 1, **simulated)
    with pytest.raises(UsageError, match=r"jobs in 2 batches are .* of mini-slurm .*30,000\. Give --jobs 15000\."):
        told(MOST_JOB_LINES // 2 + 1, **measured, batches=2)
    with pytest.raises(UsageError, match=r"Give fewer --nodes than 90000\."):
        told(MOST_JOB_ROWS + 1, Source("clog", "clog", "built-in", b"clog"), **simulated, nodes=90_000)


def test_what_is_told_of_so_many_fits_a_childs_log() -> None:
    at = 1_800_000_000_123_456_789
    instants = ("submitted", "eligible", "allocated", "started", "ended", "released", "inside_began", "inside_ended")
    line = {
        "job": 30_000,
        "batch": 1,
        **dict.fromkeys(instants, at),
        "state": "COMPLETED",
        "node_list": "0,2-3",
        "kind": "job",
    }
    month_ns = 2_592_000 * 10**9
    row = [100_000, month_ns, month_ns, 9 * 10**12, month_ns, 9 * 10**12, "COMPLETED", ""]
    listed = [100_000, 123456789.123456, 1_000_000, 1234567.123456, 1234567.123456, 1000, "size-1025-2048"]
    assert (
        _in_a_log(line, {"event": "line", "t": 123456.123456, "stream": "stdout"}) * MOST_JOB_LINES < 0.9 * LONGEST_LOG
    )
    assert _in_a_log(row) * MOST_JOB_ROWS < LONGEST_LOG - 5 * 2**20  # which is for nodes
    assert _in_a_log(listed) * MOST_JOB_ROWS < LONGEST_LOG


def _in_a_log(told: object, event: dict[str, object] | None = None) -> int:
    """As a line of its own where `event` is given, else as one row of many in a line, with its comma."""
    text = json.dumps(told, separators=(",", ":"))
    return len(json.dumps(text)) - 1 if event is None else len(json.dumps({**event, "text": text})) + 1


def test_an_experiment_that_a_record_would_mask_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "violetta")
    for name in ("violetta", "jobs-of.violetta"):
        named = Loaded(SOURCE, (JOB, JOB.model_copy(update={"experiment": name})), (), None)
        with pytest.raises(UsageError, match=rf"{name}' of /somewhere/list.toml .*Name it otherwise\."):
            refuse_what_cannot_be_told(named, SchedulersSpec())
    monkeypatch.setenv("USER", "somebody-else")
    refuse_what_cannot_be_told(named, SchedulersSpec())


def test_a_pocket_cluster_that_does_not_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pocket, "ROOT", tmp_path)
    with pytest.raises(UsageError, match=r"no pocket cluster 'nope' runs here: .*up --name nope --nodes 3"):
        refuse_or_describe(StandInLab(), SchedulersSpec(arms="slurm=nope", nodes=3))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="is no name for a cluster"):
        refuse_or_describe(StandInLab(), SchedulersSpec(arms="slurm=no-pe"))  # type: ignore[arg-type]


def test_an_arm_of_kubernetes_needs_a_cluster_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = SchedulersSpec(arms="kubernetes:default", yes=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(
        UsageError, match=r"no Kubernetes cluster is named: there is no .*\.kube/config\. Set KUBECONFIG"
    ):
        refuse_or_describe(StandInLab(), spec)  # type: ignore[arg-type]
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/a:{tmp_path}/b")
    with pytest.raises(UsageError, match=r"there is no .*/a and no .*/b\."):
        refuse_or_describe(StandInLab(), spec)  # type: ignore[arg-type]
    (tmp_path / "b").touch()
    assert list(refuse_or_describe(StandInLab(), spec)) == ["default"]  # type: ignore[arg-type]

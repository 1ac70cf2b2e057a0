"""Kubernetes, by a stand-in for kubectl."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from perfdb.platforms.base import Job, Stamp
from perfdb.platforms.kubernetes import KUBERNETES


def pod(name, namespace="tests", **status):
    about = {"name": name, "namespace": namespace, "creationTimestamp": "2026-11-21T02:28:00Z"}
    return {"metadata": about, "status": status}


PODS = json.dumps({"items": [pod("parsl-1", startTime="2026-11-21T02:28:04Z"), pod("parsl-2"), pod("somebody-elses")]})


@pytest.fixture
def run_dir(tmp_path):
    (tmp_path / "run" / "000").mkdir(parents=True)
    (tmp_path / "run" / "000" / "parsl.log").write_text("DEBUG: Pod name: parsl-1\nDEBUG: Pod name: parsl-2\n")
    return tmp_path / "run"


def test_pods_are_those_that_the_log_names(run_dir):
    assert KUBERNETES.jobs_of(run_dir) == ("parsl-1", "parsl-2")


def test_times_are_the_clusters_own(stand_ins):
    stand_ins.add("kubectl", PODS)
    created = datetime(2026, 11, 21, 2, 28, tzinfo=UTC)
    pending = Stamp(at=created, resolution_s=1.0, source="pod's creationTimestamp")
    started = Stamp(at=created.replace(second=4), resolution_s=1.0, source="pod's startTime")
    assert KUBERNETES.times_of(("parsl-1", "parsl-2", "gone")) == (
        Job(job_id="parsl-1", pending=pending, started=started),
        Job(job_id="parsl-2", pending=pending),
    )


def test_only_this_runs_pods_are_deleted_each_in_its_namespace(stand_ins):
    stand_ins.add("kubectl", PODS)
    assert KUBERNETES.cancel(("parsl-2", "gone")) == ()
    assert stand_ins.asked[1:] == ["kubectl delete pod --wait=false parsl-2 --namespace tests"]


def test_pods_are_over_when_none_of_them_is_left(stand_ins):
    stand_ins.add("kubectl", PODS)
    assert not KUBERNETES.over(("gone", "parsl-2"))
    assert KUBERNETES.over(("gone",))
    stand_ins.add("kubectl", "The connection to the server was refused", code=1)
    assert KUBERNETES.over(("parsl-2",))  # nobody can tell: there is nothing to wait for


def test_no_pods_ask_nothing(stand_ins):
    stand_ins.add("kubectl", PODS)
    assert KUBERNETES.cancel(()) == ()
    assert stand_ins.asked == []


def test_pods_of_a_cluster_that_cannot_be_asked_may_still_run(stand_ins):
    assert KUBERNETES.cancel(("parsl-1",)) == ("parsl-1",)
    stand_ins.add("kubectl", "The connection to the server was refused", code=1)
    assert KUBERNETES.cancel(("parsl-1",)) == ("parsl-1",)


def test_the_servers_version_is_told(stand_ins):
    assert KUBERNETES.version() is None
    stand_ins.add("kubectl", json.dumps({"clientVersion": {}, "serverVersion": {"gitVersion": "v1.31.0"}}))
    assert KUBERNETES.version() == "v1.31.0"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        "[]",
        "5",
        "{",
        "\xff",
        "[" * 50_000,
        '{"items": null, "serverVersion": null}',
        '{"items": 5, "serverVersion": 5}',
        '{"items": {"a": 1}, "serverVersion": {"gitVersion": null}}',
        '{"items": [null, 5, [], {}, {"metadata": null}, {"metadata": {"name": "parsl-1"}}]}',
        json.dumps({"items": [pod("parsl-1", startTime="soon"), pod("parsl-1", startTime=5)]}),
        json.dumps({"items": [pod("parsl-1", startTime="2026-11-21T02:28:04")]}),
    ],
)
def test_garbage_is_never_raised(stand_ins, answer):
    stand_ins.add("kubectl", answer)
    assert all(job.started is None for job in KUBERNETES.times_of(("parsl-1",)))
    assert set(KUBERNETES.cancel(("parsl-1",))) <= {"parsl-1"}
    KUBERNETES.version()

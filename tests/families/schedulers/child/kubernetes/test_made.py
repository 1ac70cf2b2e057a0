"""What is deleted, and what is not: by label, by name and by uid, over HTTP against a stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.families.schedulers.child.kubernetes import names
from perfdb.families.schedulers.child.kubernetes.made import (
    JOB,
    NAMESPACE,
    Kind,
    Made,
    end_orphans,
    kind_of,
    kinds_of,
    kinds_text,
)
from perfdb.families.schedulers.child.kubernetes.server import Refused, Server, Unfit, connect
from tests.families.schedulers.child.kubernetes.api import JOBS, Cluster, Json
from tests.families.schedulers.child.kubernetes.kubelet import Script

RUN = "0123456789"
SPACE = f"perfdb-{RUN}"
PATIENCE_S = 20.0


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    with Cluster(tmp_path, Script().live) as running:
        monkeypatch.setenv("KUBECONFIG", str(running.config))
        yield running


@pytest.fixture
def server(cluster: Cluster) -> Server:
    """Asked through the file that KUBECONFIG names."""
    return connect(away_s=5.0)


@pytest.fixture
def made(server: Server) -> Made:
    """A run with its namespace, and a job in it."""
    one = Made(server, RUN, SPACE, True)
    one.create(NAMESPACE, body(SPACE))
    one.create(JOB, body(f"{SPACE}-1-1"))
    return one


def body(name: str, run: str = RUN) -> Json:
    """Of a job that waits for ever, or of anything."""
    whose = {"labels": {names.LABEL: run}, "annotations": {names.PROCESS: names.of_this_process()}}
    return {"metadata": {"name": name, **whose}, "spec": {"suspend": True, "completions": 1}}


def jobs(cluster: Cluster) -> set[str]:
    return cluster.call(lambda: {key[2] for key in cluster.api.of(JOBS)})  # type: ignore[no-any-return]


def test_all_of_a_run_goes_and_its_namespace_with_it(made: Made, cluster: Cluster) -> None:
    assert made.delete_all(PATIENCE_S) == ""
    assert jobs(cluster) == set()
    assert cluster.call(lambda: cluster.api.of("v1/namespaces")) == {}


@pytest.mark.parametrize("name", ["kube-root-ca.crt", "istio-ca-root-cert", "openshift-service-ca.crt"])
def test_what_a_cluster_puts_into_every_namespace_keeps_none(name: str, made: Made, cluster: Cluster) -> None:
    cluster.do(cluster.api.put(("v1/configmaps", SPACE, name), {}))
    assert made.delete_all(PATIENCE_S) == ""
    assert cluster.call(lambda: cluster.api.of("v1/namespaces")) == {}


def test_a_job_that_bears_our_label_under_another_name_survives(made: Made, cluster: Cluster) -> None:
    cluster.do(cluster.api.put((JOBS, SPACE, "copied"), body("copied")))
    assert "jobs copied" in made.delete_all(PATIENCE_S)
    assert jobs(cluster) == {"copied"}


def test_a_job_that_has_our_name_by_now_and_is_another_survives(made: Made, cluster: Cluster) -> None:
    name = f"{SPACE}-1-1"
    cluster.do(cluster.api.remove((JOBS, SPACE, name)))
    cluster.do(cluster.api.put((JOBS, SPACE, name), body(name)))
    assert f"jobs {name}" in made.delete_all(PATIENCE_S)
    assert jobs(cluster) == {name}


def test_a_uid_that_is_not_the_object_s_deletes_nothing(made: Made, server: Server, cluster: Cluster) -> None:
    with pytest.raises(Refused) as refused:
        server.delete(JOB.path(SPACE, f"{SPACE}-1-1"), "00000000-0000-0000-0000-000000000000")
    assert refused.value.status == 409
    assert jobs(cluster) == {f"{SPACE}-1-1"}


def test_a_name_that_somebody_else_has_is_refused_and_left(made: Made, cluster: Cluster) -> None:
    name = f"{SPACE}-1-2"
    theirs = {"metadata": {"labels": {}}, "spec": {"suspend": True}}
    cluster.do(cluster.api.put((JOBS, SPACE, name), theirs))
    with pytest.raises(Refused):
        made.create(JOB, body(name))
    assert name in made.delete_all(PATIENCE_S)
    assert jobs(cluster) == {name}


def test_a_run_whose_process_lives_is_left_alone_by_others(made: Made, server: Server, cluster: Cluster) -> None:
    assert end_orphans(server, "", (), PATIENCE_S) == ""
    assert jobs(cluster) == {f"{SPACE}-1-1"}


def test_a_kind_that_the_cluster_does_not_know_is_told_with_what_to_install(server: Server) -> None:
    with pytest.raises(Unfit, match=r"knows no Queue of scheduling.volcano.sh/v1beta1: install"):
        kind_of(server, "scheduling.volcano.sh/v1beta1", "Queue")
    assert kind_of(server, "scheduling.x-k8s.io/v1alpha1", "PodGroup").plural == "podgroups"
    assert not kind_of(server, "kueue.x-k8s.io/v1beta1", "ClusterQueue").namespaced


def test_a_cluster_that_nobody_names_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    with pytest.raises(Unfit, match="set KUBECONFIG"):
        connect()


def test_kinds_are_read_back_and_hostile_ones_are_none() -> None:
    kinds = (JOB, Kind("v1", "pods", True))
    assert kinds_of(kinds_text(kinds)) == kinds
    for text in ("", "7", "[7]", '[{"api": "v1"}]', '{"a": 1}'):
        assert kinds_of(text) == ()

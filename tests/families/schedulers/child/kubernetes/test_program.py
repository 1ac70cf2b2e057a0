"""One arm against a stand-in for a cluster: jobs are made, watched and told, and nothing is left."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import pytest

from perfdb.processes.tree import marked
from tests.families.schedulers.child.kubernetes.api import (
    DAEMON_SETS,
    GROUPS,
    JOBS,
    PODS,
    QUEUES,
    WEBHOOKS,
    Cluster,
    Json,
)
from tests.families.schedulers.child.kubernetes.child import LONG, Child, Told, left, loaded, phases, plan, run
from tests.families.schedulers.child.kubernetes.kubelet import Script

AHEAD_S = 3.25
THEIRS = ("v1/configmaps", "theirs", "kept")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, Cluster]:
    """Three jobs of two nodes under Fluence, on a cluster whose clock is ahead, and where others have something."""
    folder = tmp_path_factory.mktemp("whole")
    with Cluster(folder, Script().live, AHEAD_S) as cluster:
        cluster.do(cluster.api.put(THEIRS, {"metadata": {"labels": {"perfdb-run": "0123456789"}}}))
        told = run(cluster, folder, plan("fluence"))
        assert cluster.call(lambda: cluster.api.errors) == []
        return told, cluster


def test_all_jobs_complete_and_are_told_once(whole: tuple[Told, Cluster]) -> None:
    told, _ = whole
    assert (told.code, told.end.outcome, told.end.trouble, told.end.left) == (0, "all", None, "")
    assert {number: job.state for number, job in told.jobs.items()} == dict.fromkeys((1, 2, 3), "COMPLETED")
    assert told.end.given["job"] == 3


def test_the_instants_of_a_job_are_in_order_and_its_nodes_are_numbers(whole: tuple[Told, Cluster]) -> None:
    for job in whole[0].jobs.values():
        instants = [job.submitted, job.eligible, job.allocated, job.started, job.ended, job.released]
        known = [instant for instant in instants if instant is not None]
        assert known == sorted(known)
        assert len(known) == len(instants)
        assert job.inside_began is not None and job.inside_ended is not None
        assert known[0] <= job.inside_began < job.inside_ended
        assert job.node_list in {"0-1", "2-3", "0,2", "0,3", "1-2", "1,3"}


def test_the_clock_of_the_server_is_known_better_than_its_seconds(whole: tuple[Told, Cluster]) -> None:
    clock = whole[0].begin.clock
    assert clock.resolution_s == 1.0
    assert clock.uncertainty_s <= 0.1
    assert abs(clock.offset_s - AHEAD_S) <= clock.uncertainty_s + 0.05


def test_nothing_is_left_but_what_others_have_though_it_bears_our_label(whole: tuple[Told, Cluster]) -> None:
    assert sorted(key for key in whole[1].api.objects if not key[0].endswith("nodes")) == [THEIRS]


def test_every_job_had_a_pod_group_of_its_size_and_pods_that_name_it(whole: tuple[Told, Cluster]) -> None:
    group, job = loaded(whole[0].artifacts["manifests.json"])
    assert (group["kind"], group["spec"]) == ("PodGroup", {"minMember": 2})
    spec, template = job["spec"], job["spec"]["template"]
    assert (spec["completions"], spec["parallelism"], spec["completionMode"]) == (2, 2, "Indexed")
    assert template["metadata"]["labels"]["scheduling.x-k8s.io/pod-group"] == group["metadata"]["name"]
    assert template["spec"]["schedulerName"] == "fluence"
    # Two pods that ask for more than half of a node of 2 CPUs each don't fit on it.
    assert template["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "1001m"
    made = [path for method, path in whole[1].api.seen if method == "POST"]
    assert sum(path.endswith("/podgroups") for path in made) == 3


def test_artifacts_tell_digests_and_hardware_but_no_host_and_no_address(whole: tuple[Told, Cluster]) -> None:
    artifacts = whole[0].artifacts
    assert artifacts.keys() == {"images.json", "manifests.json", "nodes.json", "pods.json"}
    assert loaded(artifacts["images.json"]) == {"debian": "debian@sha256:" + "0" * 64}
    assert loaded(artifacts["nodes.json"])[0]["allocatable"]["cpu"] == "2"
    for text in artifacts.values():
        assert "secret-host" not in text
        assert "10.1.2.3" not in text
    assert {row["node"] for row in loaded(artifacts["pods.json"])} <= {f"node-{number}" for number in range(4)}


def test_what_changes_is_watched_and_not_asked_for(whole: tuple[Told, Cluster]) -> None:
    asked = [path for method, path in whole[1].api.seen if method == "GET"]
    # A list and a watch while it runs; the rest sees to the images' pods, and to it that nothing is left.
    assert sum(path.endswith("/jobs") for path in asked) <= 12
    assert sum(path.endswith("/pods") for path in asked) <= 16


def test_a_job_that_never_starts_is_told_as_waiting_and_deleted(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script(never=frozenset({2}), fails=frozenset({3})).live) as cluster:
        told = run(cluster, tmp_path, plan(patience_s=4.0))
        assert left(cluster) == []
    assert (told.code, told.end.outcome, told.end.left) == (1, "timeout", "")
    assert {number: job.state for number, job in told.jobs.items()} == {1: "COMPLETED", 2: "PENDING", 3: "FAILED"}
    assert told.jobs[2].submitted is not None
    assert (told.jobs[2].allocated, told.jobs[2].ended) == (None, None)


def test_an_image_that_no_node_can_pull_ends_the_run_in_time_and_with_what_to_do(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script(pulls=False).live) as cluster:
        told = run(cluster, tmp_path, plan(patience_s=1.0))
        assert left(cluster) == []
    assert (told.code, told.end.outcome) == (1, "failed")
    assert "not every node has pulled docker.io/library/debian" in (told.end.trouble or "")
    assert "kubectl" in (told.end.trouble or "")


def test_more_nodes_than_there_are_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script(nodes=3).live) as cluster:
        told = run(cluster, tmp_path, plan())
        assert "POST" not in {method for method, _ in cluster.call(lambda: cluster.api.seen)}
    assert told.end.outcome == "failed"
    assert "give --nodes 3, or less" in (told.end.trouble or "")


def test_a_list_that_others_did_not_get_is_refused(tmp_path: Path) -> None:
    given = plan()
    other = given.model_copy(update={"workload": given.workload.model_copy(update={"sha256": "0" * 64})})
    with Cluster(tmp_path, Script().live) as cluster:
        told = run(cluster, tmp_path, other)
        assert cluster.call(lambda: cluster.api.seen) == []
    assert (told.code, told.end.outcome) == (1, "failed")


def test_a_minicluster_is_a_workload_as_well(tmp_path: Path) -> None:
    (file := tmp_path / "arms.toml").write_text('[jobs]\nworkload = "minicluster"\n')
    with Cluster(tmp_path, Script(overruns=frozenset({2})).live) as cluster:
        told = run(cluster, tmp_path, plan("fluence", jobs=2, file=file))
        assert left(cluster) == []
        (puller,) = cluster.call(
            lambda: [one for _, what, key, one in cluster.api.history if key[0] == DAEMON_SETS and what == "ADDED"]
        )
        made = [path for method, path in cluster.call(lambda: cluster.api.seen) if method == "POST"]
    assert told.end.outcome == "all"
    assert sum(path.endswith("/miniclusters") for path in made) == 2
    assert not any(path.endswith("/jobs") for path in made)
    (body,) = (one for one in loaded(told.artifacts["manifests.json"]) if one["kind"] == "MiniCluster")
    assert (body["spec"]["size"], body["spec"]["pod"]["schedulerName"]) == (2, "fluence")
    # A service of its own, no second try, and a limit that does not count the wait.
    spec = body["spec"]
    assert spec["network"] == {"headlessName": body["metadata"]["name"]}
    assert (spec["backoffLimit"], spec["pod"]["restartPolicy"]) == (1, "Never")
    assert "deadlineSeconds" not in spec
    assert re.fullmatch(r"timeout \d+\.\d+ sleep \d+\.\d+", spec["containers"][0]["command"])
    assert {number: job.state for number, job in told.jobs.items()} == {1: "COMPLETED", 2: "TIMEOUT"}
    # Both of its images are there before the first.
    (view,) = puller["spec"]["template"]["spec"]["initContainers"]
    assert view["image"] == spec["flux"]["container"]["image"]


def test_a_webhook_that_sees_every_arm_s_pods_is_noted(tmp_path: Path) -> None:
    def hook(resource: str) -> Json:
        return {"webhooks": [{"rules": [{"operations": ["CREATE"], "resources": [resource]}]}]}

    with Cluster(tmp_path, Script().live) as cluster:
        for resource in ("pods", "certificates"):
            cluster.do(cluster.api.put((WEBHOOKS, "", f"sees-{resource}"), hook(resource)))
        told = run(cluster, tmp_path, plan(jobs=1))
    assert told.end.outcome == "all"
    assert "sees-pods" in told.notes
    assert "sees-certificates" not in told.notes


def test_a_queue_that_the_arm_needs_is_made_before_the_first_job_and_deleted_after_the_last(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script().live) as cluster:
        told = run(cluster, tmp_path, plan("kueue", jobs=1))
        assert left(cluster) == []
        made = [path.rpartition("/")[2] for method, path in cluster.call(lambda: cluster.api.seen) if method == "POST"]
        (queue,) = cluster.call(
            lambda: [one for _, what, key, one in cluster.api.history if key[0] == QUEUES and what == "ADDED"]
        )
    assert made == ["namespaces", "resourceflavors", "clusterqueues", "localqueues", "daemonsets", "jobs"]
    quotas = queue["spec"]["resourceGroups"][0]["flavors"][0]["resources"]
    assert {one["name"]: one["nominalQuota"] for one in quotas}["pods"] == 4
    assert (told.end.outcome, told.begin.settings["suspended"]) == ("all", "yes")


def test_told_to_stop_it_tells_what_there_was_and_deletes_it(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script().live) as cluster:
        child = Child(cluster.config, tmp_path, plan(compress=LONG))
        cluster.wait_for(lambda api: "Running" in phases(api))
        child.process.send_signal(signal.SIGTERM)
        told = child.told()
        assert left(cluster) == []
    assert (told.code, told.end.outcome, told.end.left) == (1, "stopped", "")
    assert {job.state for job in told.jobs.values()} <= {"RUNNING", "PENDING"}
    _all_gone(child.mark)


def test_killed_it_leaves_a_guard_that_deletes_what_it_made(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script().live) as cluster:
        child = Child(cluster.config, tmp_path, plan(compress=LONG))
        cluster.wait_for(lambda api: api.of(JOBS) and api.of(PODS))
        child.process.kill()
        cluster.wait_for(lambda api: all(key[0].endswith("nodes") for key in api.objects))
        _all_gone(child.mark)


def test_killed_with_its_guard_the_next_run_deletes_what_it_made_and_no_more(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script().live) as cluster:
        child = Child(cluster.config, tmp_path, plan("fluence", compress=LONG))
        job = cluster.wait_for(lambda api: api.of(GROUPS) and next(iter(api.of(JOBS).values()), None))
        for process in sorted(marked(child.mark), key=lambda one: one.pid, reverse=True):
            process.kill()
        child.process.wait()
        # Somebody copied a job of ours to a place of their own, labels and all.
        copied = {
            "metadata": {"labels": dict(job["metadata"]["labels"]), "annotations": job["metadata"]["annotations"]}
        }
        cluster.do(cluster.api.put(("batch/v1/jobs", "theirs", "copied"), {**copied, "spec": {"suspend": True}}))
        assert len(left(cluster)) > 1
        told = run(cluster, tmp_path, plan(jobs=1))
        assert left(cluster) == [("batch/v1/jobs", "theirs", "copied")]
    assert (told.end.outcome, told.end.left) == ("all", "")


def test_what_others_put_into_the_run_s_namespace_survives_and_is_told(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script().live) as cluster:
        child = Child(cluster.config, tmp_path, plan(compress=2.0))
        job = cluster.wait_for(lambda api: next(iter(api.of(JOBS).values()), None))
        namespace, labels = job["metadata"]["namespace"], dict(job["metadata"]["labels"])
        theirs = ("v1/configmaps", namespace, "theirs")
        cluster.do(cluster.api.put(theirs, {"metadata": {"labels": labels}}))
        told = child.told()
        assert [key for key in left(cluster) if key[0] != "v1/serviceaccounts"] == [
            theirs,
            ("v1/namespaces", "", namespace),
        ]
    assert (told.end.outcome, "configmaps theirs" in told.end.left) == ("all", True)


def _all_gone(mark: str) -> None:
    """A guard that was told to go is gone soon."""
    deadline = time.monotonic() + 60
    while marked(mark):
        assert time.monotonic() < deadline
        time.sleep(0.05)

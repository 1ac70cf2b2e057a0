"""What a server does to its clients on a bad day: a run ends all the same, with every job told once and nothing left.

The faults are kmock's, over real HTTP; the cluster behind it is a stand-in.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import kmock
import pytest

from tests.families.schedulers.child.kubernetes.api import JOBS, PODS, Cluster
from tests.families.schedulers.child.kubernetes.child import Child, Told, left, phases, plan, run
from tests.families.schedulers.child.kubernetes.kubelet import Script

_MAKE_A_JOB = re.compile(r"/apis/batch/v1/namespaces/[^/]+/jobs")
_DELETE_A_JOB = re.compile(r"/apis/batch/v1/namespaces/[^/]+/jobs/[^/]+")
_WATCH_PODS = re.compile(r"/api/v1/namespaces/[^/]+/pods")


def refusal(reason: str, status: int) -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": reason}


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, list[tuple[str, str]]]:
    """Three jobs, where the server is too busy for the first, twice; has a conflict at the second; and lists too many at once."""
    folder = tmp_path_factory.mktemp("refused")
    with Cluster(folder, Script().live) as cluster:

        def faults() -> None:
            api = cluster.api
            busy = api["post", _MAKE_A_JOB][:2] << 429 << {"Retry-After": "1"} << refusal("TooManyRequests", 429)
            conflict = api["post", _MAKE_A_JOB][2:3] << 409 << refusal("Conflict", 409)
            deleting = api["delete", _DELETE_A_JOB][:1] << 503
            assert all(one is not None for one in (busy, conflict, deleting))

        cluster.call(faults)
        told = run(cluster, folder, plan())
        assert left(cluster) == []
        return told, cluster.call(lambda: list(cluster.api.seen))


def test_a_job_that_the_server_was_too_busy_for_is_made_later_and_once(
    refused: tuple[Told, list[tuple[str, str]]],
) -> None:
    told, seen = refused
    assert (told.end.outcome, told.end.left) == ("all", "")
    assert {number: job.state for number, job in told.jobs.items()} == dict.fromkeys((1, 2, 3), "COMPLETED")
    # Three jobs, two refusals, one conflict; and no more.
    assert sum(method == "POST" and _MAKE_A_JOB.fullmatch(path) is not None for method, path in seen) == 6


def test_a_busy_server_is_not_asked_again_before_it_says(refused: tuple[Told, list[tuple[str, str]]]) -> None:
    first, second = (refused[0].jobs[number].submitted for number in (1, 2))
    begun = refused[0].begin.ns
    # Two times Retry-After of a second lie before the first job.
    assert first is not None and second is not None
    assert first - begun >= 1_800_000_000
    assert second >= first


def test_a_job_whose_making_was_never_answered_is_not_made_twice(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script().live) as cluster:

        async def made_but_not_answered(request: Any) -> Any:
            await cluster.api.put((JOBS, request.namespace, request.data["metadata"]["name"]), request.data)
            raise kmock.KubernetesError(status=500, reason="InternalError", message="etcd timed out")

        cluster.call(lambda: cluster.api["post", _MAKE_A_JOB][:1] << made_but_not_answered)
        told = run(cluster, tmp_path, plan(jobs=2))
        assert left(cluster) == []
        made = cluster.call(
            lambda: Counter(key[2] for _, what, key, _ in cluster.api.history if key[0] == JOBS and what == "ADDED")
        )
    assert told.end.outcome == "all"
    assert list(made.values()) == [1, 1]
    assert {job.state for job in told.jobs.values()} == {"COMPLETED"}


def test_a_watch_that_is_cut_off_goes_on_where_it_was(tmp_path: Path) -> None:
    script = Script(may_place=False)
    with Cluster(tmp_path, script.live) as cluster:
        child = Child(cluster.config, tmp_path, plan())
        for _ in range(3):
            cluster.wait_for(lambda api: len(api.watches) == 2 and "Pending" in phases(api))
            cluster.call(cluster.api.drop)
            cluster.wait_for(lambda api: len(api.watches) < 2)
        script.may_place = True
        told = child.told()
        assert left(cluster) == []
    assert (told.end.outcome, told.end.left) == ("all", "")
    assert {job.state for job in told.jobs.values()} == {"COMPLETED"}
    assert "listed again" not in told.notes


def test_a_server_that_forgot_what_was_seen_last_is_listed_again(tmp_path: Path) -> None:
    script = Script(may_place=False)
    with Cluster(tmp_path, script.live) as cluster:
        child = Child(cluster.config, tmp_path, plan(jobs=2))
        cluster.wait_for(lambda api: len(api.watches) == 2 and api.of(PODS))

        def forget() -> None:
            cluster.api.forget()
            cluster.api.drop()

        cluster.call(forget)
        script.may_place = True
        told = child.told()
        assert left(cluster) == []
    assert (told.end.outcome, told.end.left) == ("all", "")
    assert {job.state for job in told.jobs.values()} == {"COMPLETED"}
    assert "listed again" in told.notes


def test_a_server_that_restarts_in_the_middle_loses_no_job(tmp_path: Path) -> None:
    script = Script(may_place=False)
    with Cluster(tmp_path, script.live) as cluster:
        child = Child(cluster.config, tmp_path, plan())
        cluster.wait_for(lambda api: api.of(JOBS) and len(api.watches) == 2)
        cluster.do(cluster.restart(1.0))
        script.may_place = True
        told = child.told()
        assert left(cluster) == []
    assert (told.end.outcome, told.end.left) == ("all", "")
    assert {number: job.state for number, job in told.jobs.items()} == dict.fromkeys((1, 2, 3), "COMPLETED")


def test_a_watch_that_is_refused_at_once_is_asked_for_later_and_later(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script().live) as cluster:
        cluster.call(lambda: cluster.api["watch", _WATCH_PODS] << 500)
        told = run(cluster, tmp_path, plan(jobs=1, patience_s=4.0))
        assert left(cluster) == []
        seen = cluster.call(lambda: Counter(cluster.api.seen))
    asked = sum(count for (method, path), count in seen.items() if method == "GET" and _WATCH_PODS.fullmatch(path))
    assert asked <= 30
    # The job's own watch told that it was over.
    assert told.jobs[1].state == "COMPLETED"


def test_a_server_that_stays_away_ends_the_run_in_time_and_says_what_may_be_left(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script().live) as cluster:
        child = Child(cluster.config, tmp_path, plan(patience_s=3.0))
        cluster.wait_for(lambda api: api.of(JOBS))
        cluster.do(cluster.stop())
        told = child.told()
        assert told.end.outcome in ("timeout", "failed")
        assert "perfdb-run=" in told.end.left
        cluster.do(cluster.start())
        # The guard goes on where the run had to end.
        cluster.wait_for(lambda api: all(key[0].endswith("nodes") for key in api.objects))


def test_an_answer_that_is_no_object_ends_the_run_with_words(tmp_path: Path) -> None:
    with Cluster(tmp_path, Script().live) as cluster:
        cluster.call(lambda: cluster.api["post", _MAKE_A_JOB] << b"7")
        told = run(cluster, tmp_path, plan(jobs=1))
        assert left(cluster) == []
    assert told.end.outcome == "failed"
    assert "no object" in (told.end.trouble or "")

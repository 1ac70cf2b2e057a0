"""A stand-in for a cluster's controllers, its scheduler and its nodes' kubelets: a script of what becomes of pods.

It places whole jobs in the order in which they came, one pod on each node, and runs what a job says it sleeps. No scheduler is
measured by it: it is there so that the driver meets delays, pods that never start, and jobs that fail.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field

from tests.families.schedulers.child.kubernetes.api import (
    DAEMON_SETS,
    JOBS,
    LOCAL_QUEUES,
    MINICLUSTERS,
    NODES,
    PODS,
    Api,
    Json,
    Key,
)

_SLEEP = re.compile(r"sleep (\d+\.\d+)")


@dataclass
class Script:
    """What becomes of pods.

    Attributes:
        nodes: How many there are.
        schedule_s, start_s: From a job's making to its nodes, and from those to its program.
        never, fails, overruns: The numbers of jobs that never get a node; that fail; that are ended at their limit.
        pulls: Whether nodes get images. may_place: whether jobs get nodes now.
    """

    nodes: int = 4
    schedule_s: float = 0.02
    start_s: float = 0.02
    never: frozenset[int] = frozenset()
    fails: frozenset[int] = frozenset()
    overruns: frozenset[int] = frozenset()
    pulls: bool = True
    may_place: bool = True
    held: dict[str, str] = field(default_factory=dict)

    async def live(self, api: Api) -> None:
        """For ever."""
        for number in range(self.nodes):
            await api.put((NODES, "", f"secret-host-{number}"), _node())
        begun: set[str] = set()
        # What goes wrong in one of them ends all, and is raised in the test.
        async with asyncio.TaskGroup() as group:
            await self._look(api, group, begun)

    async def _look(self, api: Api, group: asyncio.TaskGroup, begun: set[str]) -> None:
        while True:
            seen = api.version
            for key, one in list(api.of(MINICLUSTERS).items()):
                if (JOBS, *key[1:]) not in api.objects:
                    await api.put((JOBS, *key[1:]), _job_of(one))
            for key, one in list(api.of(JOBS).items()):
                # A queue of Kueue that is there resumes what is submitted to it.
                queue = one["metadata"].get("labels", {}).get("kueue.x-k8s.io/queue-name", "")
                if one["spec"].get("suspend") and (LOCAL_QUEUES, key[1], queue) in api.objects:
                    await api.change(key, lambda job: job["spec"].update(suspend=False))
            for key, one in sorted(api.of(JOBS).items(), key=lambda item: int(item[1]["metadata"]["resourceVersion"])):
                uid = one["metadata"]["uid"]
                if uid not in begun and not one["spec"].get("suspend"):
                    begun.add(uid)
                    group.create_task(self._run(api, key, one))
            for key, one in list(api.of(DAEMON_SETS).items()):
                if one["metadata"]["uid"] not in begun:
                    begun.add(one["metadata"]["uid"])
                    group.create_task(self._everywhere(api, key, one))
            async with api.changed:
                if api.version == seen:
                    await api.changed.wait()

    async def _run(self, api: Api, key: Key, job: Json) -> None:
        number, size = int(key[2].rpartition("-")[2]), job["spec"]["completions"]
        pods = [(PODS, key[1], f"{key[2]}-{index}-{job['metadata']['uid'][:5]}") for index in range(size)]
        for pod in pods:
            await api.put(pod, _pod(key[2], job))
        await asyncio.sleep(self.schedule_s)
        if number in self.never:
            return
        try:
            nodes = await self._nodes(api, key, size)
            if nodes is None:
                return
            for pod, node in zip(pods, nodes, strict=True):
                await api.change(pod, lambda one, node=node: _bind(one, node, api.stamp()))
            await asyncio.sleep(self.start_s)
            began = time.time_ns() + round(api.ahead_s * 1e9)
            for pod in pods:
                await api.change(pod, lambda one: _start(one, api.stamp()))
            sleeps = _SLEEP.search(" ".join(_words(job)))
            await asyncio.sleep(float(sleeps[1]) if sleeps else 0.1)
            ended = time.time_ns() + round(api.ahead_s * 1e9)
            why = "DeadlineExceeded" if number in self.overruns else "Error" if number in self.fails else ""
            code = 0
            if job["spec"]["template"]["spec"]["containers"][0].get("post"):
                # The operator's script ends well whatever became of the job, and the log alone says it.
                code, why = {"DeadlineExceeded": 124, "Error": 1, "": 0}[why], ""
            for pod in pods:
                api.logs[pod[1:]] = f"hello\nperfdb began {began}\nperfdb ended {ended}\nperfdb code {code}\n"
                await api.change(pod, lambda one: _end(one, api.stamp(), why))
        finally:
            for node, holder in list(self.held.items()):
                if holder == key[2]:
                    del self.held[node]
        await api.change(key, lambda one: _finish(one, api.stamp(), bool(why)))

    async def _nodes(self, api: Api, key: Key, size: int) -> list[str] | None:
        while key in api.objects:
            free = [name for _, _, name in sorted(api.of(NODES)) if name not in self.held]
            if self.may_place and len(free) >= size:
                self.held.update(dict.fromkeys(free[:size], key[2]))
                return free[:size]
            await asyncio.sleep(0.01)
        return None

    async def _everywhere(self, api: Api, key: Key, daemon_set: Json) -> None:
        labels = daemon_set["spec"]["template"]["metadata"]["labels"]
        owner = [{"uid": daemon_set["metadata"]["uid"]}]
        for number in range(self.nodes):
            body = {"metadata": {"labels": dict(labels), "ownerReferences": owner}, "spec": {"containers": []}}
            await api.put((PODS, key[1], f"{key[2]}-{number}"), body)
        ready = self.nodes if self.pulls else 0
        await api.change(
            key, lambda one: one.update(status={"desiredNumberScheduled": self.nodes, "numberReady": ready})
        )


def _node() -> Json:
    return {
        "spec": {},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "allocatable": {"cpu": "2", "memory": "4Gi"},
            "capacity": {"cpu": "2", "memory": "4Gi"},
            "nodeInfo": {"kernelVersion": "6.1", "machineID": "0123456789abcdef"},
            "addresses": [{"type": "InternalIP", "address": "10.1.2.3"}],
        },
    }


def _job_of(cluster: Json) -> Json:
    """What the Flux Operator makes of a MiniCluster."""
    spec = cluster["spec"]
    template = {
        "metadata": {"labels": dict(spec["pod"]["labels"])},
        "spec": {
            "containers": [
                {
                    "name": "job",
                    "command": [spec["containers"][0]["command"]],
                    "post": spec["containers"][0].get("commands", {}).get("post"),
                }
            ]
        },
    }
    return {
        "metadata": {"labels": dict(spec["jobLabels"]), "ownerReferences": [{"uid": cluster["metadata"]["uid"]}]},
        "spec": {"completions": spec["size"], "parallelism": spec["size"], "template": template},
    }


def _pod(name: str, job: Json) -> Json:
    template = job["spec"]["template"]
    return {
        "metadata": {
            "labels": {**template["metadata"]["labels"], "batch.kubernetes.io/job-name": name},
            "ownerReferences": [{"uid": job["metadata"]["uid"]}],
        },
        "spec": dict(template["spec"]),
        "status": {"phase": "Pending", "conditions": []},
    }


def _words(job: Json) -> list[str]:
    container = job["spec"]["template"]["spec"]["containers"][0]
    return [*container["command"], *container.get("args", [])]


def _bind(pod: Json, node: str, stamp: str) -> None:
    pod["spec"]["nodeName"] = node
    pod["status"]["conditions"] = [{"type": "PodScheduled", "status": "True", "lastTransitionTime": stamp}]


def _start(pod: Json, stamp: str) -> None:
    pod["status"]["phase"] = "Running"
    pod["status"]["containerStatuses"] = [
        {"image": "debian", "imageID": "debian@sha256:" + "0" * 64, "state": {"running": {"startedAt": stamp}}}
    ]


def _end(pod: Json, stamp: str, why: str) -> None:
    status = pod["status"]
    status["phase"] = "Failed" if why else "Succeeded"
    if why == "DeadlineExceeded":
        status["reason"] = why
    began = status["containerStatuses"][0]["state"]["running"]["startedAt"]
    status["containerStatuses"][0]["state"] = {"terminated": {"startedAt": began, "finishedAt": stamp}}
    status["conditions"].append({"type": "Ready", "status": "False", "lastTransitionTime": stamp})


def _finish(job: Json, stamp: str, has_failed: bool) -> None:
    what = {"type": "Failed" if has_failed else "Complete", "status": "True", "lastTransitionTime": stamp}
    job["status"] = {"conditions": [what]}
